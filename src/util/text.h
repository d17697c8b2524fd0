// SPDX-License-Identifier: Apache-2.0
/*
 * Text: a string that grows, and the escaping of bytes that come from a target.
 *
 * The model holds names as the target gave them. Whoever puts such a name among
 * words of ours (a decoded argument, a sentence) or on a terminal escapes it.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"

struct text {
	char *bytes; /* ends with a NUL; NULL while empty */
	size_t length;
	size_t capacity;
};

/* Frees the bytes and leaves an empty text. */
void text_deinit(struct text *text);
#define cleanup_text __attribute__((cleanup(text_deinit)))

void text_clear(struct text *text);
void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t length);
void text_append_format(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_append_vformat(struct text *text, const char *format, va_list arguments);

void text_append_spaces(struct text *text, size_t count);

/* Appends the digits of @value to base 10, or to base 2, 4, 8 or 16, without a prefix. */
void text_append_number(struct text *text, uint64_t value, unsigned base);

/*
 * Appends @length bytes so that a terminal shows them harmlessly on one line:
 * control characters, invalid UTF-8, and the Unicode characters that reorder or
 * hide text (bidirectional controls, zero-width, line separators) appear as \n,
 * \t, \\ or \xNN. What is printable, other alphabets included, stays.
 */
void text_append_escaped(struct text *text, const void *bytes, size_t length);

/*
 * The length of the valid UTF-8 sequence at @bytes, of which @length are left (at least 1), and
 * its code point (RFC 3629, section 4: no overlong forms, no surrogates, nothing past U+10FFFF);
 * 0 where there is none.
 */
size_t text_decode_utf8(const unsigned char *bytes, size_t length, uint32_t *point);

/* Code points that a terminal obeys, or that hide or reorder their neighbours. */
bool text_is_treacherous(uint32_t point);

/* Appends a duration of @ns nanoseconds as people write it: 850 ns, 12.4 ms, 4.2 s, 3 min 5 s, 2 h
 * 7 min, 5 d 3 h. */
void text_append_duration(struct text *text, long long ns);

/* The text as a string in @arena ("" when empty); the text keeps its bytes. */
char *text_to_arena(const struct text *text, struct arena *arena);

/* @string escaped into the arena; @string itself where nothing needs escaping; NULL stays NULL. */
const char *escaped(struct arena *arena, const char *string);
