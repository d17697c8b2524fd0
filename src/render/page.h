// SPDX-License-Identifier: Apache-2.0
/*
 * Page: lines of text for people, with styles and columns. It knows how wide a line is and
 * how a terminal colours; it does not know what the lines are about.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "util/text.h"

enum style {
	STYLE_PLAIN,
	STYLE_STRONG,
	STYLE_DIM,
	STYLE_FUNCTION,
	STYLE_RUNNING,
	STYLE_WAITING,
	STYLE_ALARM,
	STYLE_GAP,
};

struct page {
	FILE *out;
	bool color;
	unsigned width;   /* columns to fill, for what is wrapped or aligned to the right */
	struct text line; /* as it will be written */
	size_t column;    /* how many columns it takes */
	struct text word; /* scratch */
};

void page_deinit(struct page *page);
#define cleanup_page __attribute__((cleanup(page_deinit)))

/* Appends to the line. The first two take what is ours or escaped already, the others raw names. */
void page_put(struct page *page, enum style style, const char *string);
void page_format(struct page *page, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void page_put_raw(struct page *page, enum style style, const char *string);

/* The same in at most @columns (at least 1): what is longer ends with an ellipsis. */
void page_put_raw_cut(struct page *page, enum style style, const char *string, size_t columns);

/* Spaces up to @column, but at least @least of them. */
void page_pad(struct page *page, size_t column, size_t least);

/* Writes the line, without spaces at its end; an empty one is a blank line. */
void page_end(struct page *page);

/* Forgets the line. */
void page_discard(struct page *page);

/*
 * Puts @item, continuing on a new line that is indented by @indent columns where it does
 * not fit on this one any more; a space stands before it unless the line was just begun.
 */
void page_wrap(struct page *page, size_t indent, enum style style, const char *item);

/*
 * The length of the sequence at @bytes, which ends with a NUL, by which a page changes the style,
 * and the style that begins after it; 0: none stands there.
 */
size_t page_style_at(const char *bytes, enum style *style);

/* How many columns @string takes: one for each code point. */
size_t text_columns(const char *string);
