// SPDX-License-Identifier: Apache-2.0
/*
 * JSON values by json-c, for strings that a target chose. Memory that runs out ends the
 * program (out_of_memory()): json-c would leave out what it had no memory for.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_object *json_new_object(void);
struct json_object *json_new_array(void);

/* Add to @object, which owns the value then. */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);
void json_add_null(struct json_object *object, const char *key);
void json_add_bool(struct json_object *object, const char *key, bool value);
void json_add_int(struct json_object *object, const char *key, int64_t value);
void json_add_unsigned(struct json_object *object, const char *key, uint64_t value);

/* null where @known is false. */
void json_add_int_if(struct json_object *object, const char *key, bool known, int64_t value);

/* "0x…": a string, since readers keep numbers as doubles, which lose bits. */
void json_add_address(struct json_object *object, const char *key, uint64_t address);

/* RFC 3339 in UTC with milliseconds; null for what is before 1970. */
void json_add_time(struct json_object *object, const char *key, int64_t ns);

/*
 * A string of raw bytes: valid UTF-8 stays what it is, each byte that is none becomes the four
 * characters \xNN. NULL becomes null.
 */
struct json_object *json_string(const char *bytes);
void json_add_string(struct json_object *object, const char *key, const char *bytes);

/*
 * Writes @value on one line and frees it. Characters that a terminal obeys or that hide or
 * reorder their neighbours are written as \uXXXX, so that the output can be looked at.
 */
void json_write(FILE *out, struct json_object *value);

/* Writes the members of @object without its braces, or without that at its end, so that more can
 * follow; frees it. */
void json_write_members(FILE *out, struct json_object *object);
void json_write_open(FILE *out, struct json_object *object);
