// SPDX-License-Identifier: Apache-2.0
/*
 * Scan: reads bytes from left to right, for the parsers of /proc. Each function that
 * gives false has moved nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
	const char *at, *end;
};

/* Takes @literal where it stands next. */
bool scan_literal(struct scan *scan, const char *literal);

/* Skips blanks and tabs. */
void scan_blanks(struct scan *scan);

/* A number of base 10 or 16 (without 0x) with at least one digit and no more than 64 bits. */
bool scan_unsigned(struct scan *scan, unsigned base, uint64_t *value);

/* The same in base 10 with a sign, if there is one. */
bool scan_signed(struct scan *scan, int64_t *value);

/* The next line, without its newline, which the last line may lack; false at the end. */
bool scan_line(struct scan *scan, struct scan *line);

static inline struct scan scan_bytes(const char *bytes, size_t length)
{
	return (struct scan){bytes, bytes + length};
}

static inline size_t scan_left(const struct scan *scan)
{
	return (size_t)(scan->end - scan->at);
}
