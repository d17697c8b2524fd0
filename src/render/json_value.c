// SPDX-License-Identifier: Apache-2.0
#include "render/json_value.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/memory.h"
#include "util/text.h"

static struct json_object *had(struct json_object *value)
{
	if (!value)
		out_of_memory();
	return value;
}

struct json_object *json_new_object(void)
{
	return had(json_object_new_object());
}

struct json_object *json_new_array(void)
{
	return had(json_object_new_array());
}

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	/* the keys are literals, each added once */
	if (json_object_object_add_ex(object, key, value,
		    JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY) < 0)
		out_of_memory();
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value) < 0)
		out_of_memory();
}

void json_add_null(struct json_object *object, const char *key)
{
	json_add(object, key, NULL);
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_add(object, key, had(json_object_new_boolean(value)));
}

void json_add_int(struct json_object *object, const char *key, int64_t value)
{
	json_add(object, key, had(json_object_new_int64(value)));
}

void json_add_unsigned(struct json_object *object, const char *key, uint64_t value)
{
	json_add(object, key, had(json_object_new_uint64(value)));
}

void json_add_int_if(struct json_object *object, const char *key, bool known, int64_t value)
{
	if (known)
		json_add_int(object, key, value);
	else
		json_add_null(object, key);
}

void json_add_address(struct json_object *object, const char *key, uint64_t address)
{
	char string[sizeof("0x") + 16];

	snprintf(string, sizeof(string), "0x%" PRIx64, address);
	json_add_string(object, key, string);
}

void json_add_time(struct json_object *object, const char *key, int64_t ns)
{
	time_t seconds = ns / NS_PER_SECOND;
	char date[64], string[80];
	struct tm parts;

	if (ns < 0 || !gmtime_r(&seconds, &parts) ||
		!strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts)) {
		json_add_null(object, key);
		return;
	}
	snprintf(string, sizeof(string), "%s.%03dZ", date, (int)(ns % NS_PER_SECOND / NS_PER_MS));
	json_add_string(object, key, string);
}

struct json_object *json_string(const char *bytes)
{
	struct text valid cleanup_text = {0};

	if (!bytes)
		return NULL;

	const unsigned char *at = (const unsigned char *)bytes;
	size_t length = strlen(bytes);
	size_t begin = 0; /* of what is valid and not appended yet */
	for (size_t i = 0, size; i < length; i += size) {
		uint32_t point;

		size = at[i] < 0x80 ? 1 : text_decode_utf8(at + i, length - i, &point);
		if (size)
			continue;
		text_append_bytes(&valid, at + begin, i - begin);
		text_append_format(&valid, "\\x%02x", at[i]);
		size = 1;
		begin = i + 1;
	}
	if (begin) {
		text_append_bytes(&valid, at + begin, length - begin);
		bytes = valid.bytes;
		length = valid.length;
	}
	if (length > INT_MAX / 8) /* json-c counts in int, and an escape takes six bytes */
		out_of_memory();
	return had(json_object_new_string_len(bytes, (int)length));
}

void json_add_string(struct json_object *object, const char *key, const char *bytes)
{
	json_add(object, key, json_string(bytes));
}

static void write_escaped_point(FILE *out, uint32_t point)
{
	if (point < 0x10000) {
		fprintf(out, "\\u%04" PRIx32, point);
	} else { /* RFC 8259, section 7: as UTF-16 surrogates */
		point -= 0x10000;
		fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 | point >> 10,
			0xdc00 | (point & 0x3ff));
	}
}

static const char *serialized(struct json_object *value, size_t *length)
{
	const char *string = json_object_to_json_string_length(
		value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, length);

	if (!string)
		out_of_memory();
	return string;
}

static void write_escaped(FILE *out, const char *string, size_t length)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t begin = 0;

	for (size_t i = 0, size; i < length; i += size) {
		uint32_t point = at[i];

		/* json-c has escaped what is below a space; the rest stands in strings only */
		size = at[i] < 0x7f ? 1 : text_decode_utf8(at + i, length - i, &point);
		if (point < 0x7f || !text_is_treacherous(point))
			continue;
		fwrite(at + begin, 1, i - begin, out);
		write_escaped_point(out, point);
		begin = i + size;
	}
	fwrite(at + begin, 1, length - begin, out);
}

void json_write(FILE *out, struct json_object *value)
{
	size_t length;
	const char *string = serialized(value, &length);

	write_escaped(out, string, length);
	json_object_put(value);
}

void json_write_members(FILE *out, struct json_object *object)
{
	size_t length;
	const char *string = serialized(object, &length);

	write_escaped(out, string + 1, length - 2);
	json_object_put(object);
}

void json_write_open(FILE *out, struct json_object *object)
{
	fputc('{', out);
	json_write_members(out, object);
}
