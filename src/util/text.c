// SPDX-License-Identifier: Apache-2.0
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/memory.h"

void text_deinit(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->bytes)
		text->bytes[0] = '\0';
}

/* Makes room for @more bytes and a NUL, and returns where they go. */
static char *reserve(struct text *text, size_t more)
{
	size_t needed;

	if (__builtin_add_overflow(text->length, more + 1, &needed))
		out_of_memory();
	if (needed > text->capacity) {
		size_t capacity = text->capacity ? text->capacity : 64;

		while (capacity < needed)
			capacity *= 2;
		text->bytes = reallocate(text->bytes, capacity, 1);
		text->capacity = capacity;
	}
	return text->bytes + text->length;
}

void text_append_bytes(struct text *text, const void *bytes, size_t length)
{
	char *to = reserve(text, length);

	if (length)
		memcpy(to, bytes, length);
	to[length] = '\0';
	text->length += length;
}

void text_append(struct text *text, const char *string)
{
	text_append_bytes(text, string, strlen(string));
}

void text_append_spaces(struct text *text, size_t count)
{
	char *to = reserve(text, count);

	memset(to, ' ', count);
	to[count] = '\0';
	text->length += count;
}

void text_append_number(struct text *text, uint64_t value, unsigned base)
{
	const int shift = __builtin_ctz(base);
	char digits[64];
	size_t at = sizeof(digits);

	/* Division by what is no constant takes several times as long. */
	do {
		unsigned digit = base == 10 ? value % 10 : value & (base - 1);

		digits[--at] = "0123456789abcdef"[digit];
		value = base == 10 ? value / 10 : value >> shift;
	} while (value);
	text_append_bytes(text, digits + at, sizeof(digits) - at);
}

static void append_signed(struct text *text, long long value)
{
	if (value < 0)
		text_append_bytes(text, "-", 1);
	text_append_number(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

static void append_by_library(struct text *text, const char *format, va_list arguments)
{
	enum { USUAL = 100 };
	va_list again;

	va_copy(again, arguments);
	int length = vsnprintf(reserve(text, USUAL), USUAL + 1, format, arguments);
	if (length < 0)
		out_of_memory();
	if (length > USUAL)
		vsnprintf(reserve(text, (size_t)length), (size_t)length + 1, format, again);
	va_end(again);
	text->length += (size_t)length;
}

/*
 * Strings and whole numbers are all that most sentences are made of: ten thousands of them are
 * written in a look, and printf() takes ten times as long. What else a format has is left to it.
 */
void text_append_vformat(struct text *text, const char *format, va_list arguments)
{
	va_list left;

	va_copy(left, arguments);
	while (*format) {
		const char *directive = format + 1;
		const char *string;
		int longs = 0;

		if (*format != '%') {
			size_t plain = strcspn(format, "%");

			text_append_bytes(text, format, plain);
			format += plain;
			continue;
		}
		for (; *directive == 'l'; directive++)
			longs++;
		switch (longs ? *directive | 0x80 : *directive) {
		case 's':
			string = va_arg(left, const char *);
			text_append(text, string ? string : "(null)");
			break;
		case 'd':
			append_signed(text, va_arg(left, int));
			break;
		case 'u':
		case 'x':
			text_append_number(
				text, va_arg(left, unsigned), *directive == 'u' ? 10 : 16);
			break;
		case 'd' | 0x80:
			append_signed(
				text, longs == 1 ? va_arg(left, long) : va_arg(left, long long));
			break;
		case 'u' | 0x80:
		case 'x' | 0x80:
			text_append_number(text,
				longs == 1 ? va_arg(left, unsigned long)
					   : va_arg(left, unsigned long long),
				*directive == 'u' ? 10 : 16);
			break;
		default:
			append_by_library(text, format, left);
			va_end(left);
			return;
		}
		format = directive + 1;
	}
	va_end(left);
}

void text_append_format(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_append_vformat(text, format, arguments);
	va_end(arguments);
}

size_t text_decode_utf8(const unsigned char *bytes, size_t length, uint32_t *point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = bytes[0] < 0x80   ? 1
		      : bytes[0] < 0xc2 ? 0
		      : bytes[0] < 0xe0 ? 2
		      : bytes[0] < 0xf0 ? 3
		      : bytes[0] < 0xf5 ? 4
					: 0;

	if (!size || size > length)
		return 0;
	*point = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (bytes[i] & 0x3f);
	}
	if (*point < smallest[size] || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return size;
}

bool text_is_treacherous(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad ||
	       point == 0x061c || point == 0x180e || (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
	       point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
	       (point >= 0xe0000 && point <= 0xe007f);
}

void text_append_escaped(struct text *text, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	size_t plain = 0; /* how many bytes before at[i] stay and are not appended yet */

	for (size_t i = 0, size; i < length; i += size) {
		uint32_t point = at[i];
		bool is_ascii = point >= 0x20 && point < 0x7f;

		size = is_ascii ? 1 : text_decode_utf8(at + i, length - i, &point);
		if (is_ascii ? point != '\\' : size && !text_is_treacherous(point)) {
			plain += size;
			continue;
		}
		text_append_bytes(text, at + i - plain, plain);
		plain = 0;
		size = size ? size : 1;
		if (at[i] == '\n')
			text_append(text, "\\n");
		else if (at[i] == '\t')
			text_append(text, "\\t");
		else if (at[i] == '\\')
			text_append(text, "\\\\");
		else
			for (size_t j = 0; j < size; j++)
				text_append_format(text, "\\x%02x", at[i + j]);
	}
	text_append_bytes(text, at + length - plain, plain);
}

void text_append_duration(struct text *text, long long ns)
{
	long long seconds = ns / NS_PER_SECOND;

	if (ns < 0)
		text_append(text, "0 s");
	else if (ns < 1000)
		text_append_format(text, "%lld ns", ns);
	else if (ns < NS_PER_MS)
		text_append_format(text, "%lld µs", ns / 1000);
	else if (ns < NS_PER_SECOND)
		text_append_format(text, "%.*f ms", ns < 100 * NS_PER_MS, (double)ns / 1e6);
	else if (seconds < 60)
		text_append_format(text, "%.1f s", (double)ns / 1e9);
	else if (seconds < 3600)
		text_append_format(text, "%lld min %lld s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		text_append_format(text, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
	else
		text_append_format(text, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
}

char *text_to_arena(const struct text *text, struct arena *arena)
{
	return arena_copy(arena, text->bytes ? text->bytes : "", text->length + 1);
}

const char *escaped(struct arena *arena, const char *string)
{
	if (!string)
		return NULL;
	struct text text cleanup_text = {0};
	text_append_escaped(&text, string, strlen(string));
	if (!text.bytes || strcmp(text.bytes, string) == 0)
		return string;
	return text_to_arena(&text, arena);
}
