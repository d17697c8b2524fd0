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

void text_append_vformat(struct text *text, const char *format, va_list arguments)
{
	enum { USUAL = 100 };
	va_list again;

	va_copy(again, arguments);
	char *to = reserve(text, USUAL);
	int length = vsnprintf(to, USUAL + 1, format, arguments);
	if (length < 0)
		out_of_memory();
	if (length > USUAL)
		vsnprintf(reserve(text, (size_t)length), (size_t)length + 1, format, again);
	va_end(again);
	text->length += (size_t)length;
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

	for (size_t i = 0, size; i < length; i += size) {
		uint32_t point;

		size = text_decode_utf8(at + i, length - i, &point);
		if (size && !text_is_treacherous(point) && point != '\\') {
			text_append_bytes(text, at + i, size);
			continue;
		}
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
	return arena_strndup(arena, text->bytes ? text->bytes : "", text->length);
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
