// SPDX-License-Identifier: Apache-2.0
#include "collect/scan.h"

#include <string.h>

bool scan_literal(struct scan *scan, const char *literal)
{
	size_t length = strlen(literal);

	if (length > scan_left(scan) || memcmp(scan->at, literal, length) != 0)
		return false;
	scan->at += length;
	return true;
}

void scan_blanks(struct scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
		scan->at++;
}

static unsigned digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned)(digit - '0');
	if (digit >= 'a' && digit <= 'f')
		return (unsigned)(digit - 'a') + 10;
	if (digit >= 'A' && digit <= 'F')
		return (unsigned)(digit - 'A') + 10;
	return UINT32_MAX;
}

bool scan_unsigned(struct scan *scan, unsigned base, uint64_t *value)
{
	const char *at = scan->at;
	uint64_t sum = 0;

	for (unsigned digit; at < scan->end && (digit = digit_value(*at)) < base; at++) {
		if (__builtin_mul_overflow(sum, base, &sum) ||
			__builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	if (at == scan->at)
		return false;
	scan->at = at;
	*value = sum;
	return true;
}

bool scan_signed(struct scan *scan, int64_t *value)
{
	struct scan number = *scan;
	bool negative = scan_literal(&number, "-");
	uint64_t size;

	if (!scan_unsigned(&number, 10, &size) || size > INT64_MAX)
		return false;
	*scan = number;
	*value = negative ? -(int64_t)size : (int64_t)size;
	return true;
}

bool scan_line(struct scan *scan, struct scan *line)
{
	if (scan->at == scan->end)
		return false;
	const char *newline = memchr(scan->at, '\n', scan_left(scan));
	line->at = scan->at;
	line->end = newline ? newline : scan->end;
	scan->at = newline ? newline + 1 : scan->end;
	return true;
}
