// SPDX-License-Identifier: Apache-2.0
#include "render/page.h"

#include <string.h>

#define ELLIPSIS "…"

/* ECMA-48, section 8.3.117 (SGR): the sixteen colours that every terminal's theme has. */
static const char *const sequences[] = {
	[STYLE_PLAIN] = "",
	[STYLE_STRONG] = "\033[1m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_FUNCTION] = "\033[36m",
	[STYLE_RUNNING] = "\033[32m",
	[STYLE_WAITING] = "\033[34m",
	[STYLE_ALARM] = "\033[1;31m",
	[STYLE_GAP] = "\033[33m",
};

#define SEQUENCE_END "\033[0m"

size_t page_style_at(const char *bytes, enum style *style)
{
	*style = STYLE_PLAIN;
	if (*bytes != '\033')
		return 0;
	for (size_t i = STYLE_PLAIN + 1; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		size_t length = strlen(sequences[i]);

		if (strncmp(bytes, sequences[i], length) == 0) {
			*style = (enum style)i;
			return length;
		}
	}
	return strncmp(bytes, SEQUENCE_END, strlen(SEQUENCE_END)) == 0 ? strlen(SEQUENCE_END) : 0;
}

void page_deinit(struct page *page)
{
	text_deinit(&page->line);
	text_deinit(&page->word);
}

static bool begins_code_point(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

static size_t count_columns(const char *bytes, size_t length)
{
	size_t columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += begins_code_point(bytes[i]);
	return columns;
}

size_t text_columns(const char *string)
{
	return count_columns(string, strlen(string));
}

static void put_bytes(struct page *page, enum style style, const char *bytes, size_t length)
{
	bool styled = page->color && style != STYLE_PLAIN && length;

	if (styled)
		text_append(&page->line, sequences[style]);
	text_append_bytes(&page->line, bytes, length);
	if (styled)
		text_append(&page->line, SEQUENCE_END);
	page->column += count_columns(bytes, length);
}

void page_put(struct page *page, enum style style, const char *string)
{
	put_bytes(page, style, string, strlen(string));
}

void page_format(struct page *page, enum style style, const char *format, ...)
{
	va_list arguments;

	text_clear(&page->word);
	va_start(arguments, format);
	text_append_vformat(&page->word, format, arguments);
	va_end(arguments);
	put_bytes(page, style, page->word.bytes, page->word.length);
}

/* The escaped form of a raw name, in page->word. */
static void escape(struct page *page, const char *string)
{
	text_clear(&page->word);
	text_append_escaped(&page->word, string, strlen(string));
	if (!page->word.bytes)
		text_append(&page->word, "");
}

void page_put_raw(struct page *page, enum style style, const char *string)
{
	escape(page, string);
	put_bytes(page, style, page->word.bytes, page->word.length);
}

void page_put_raw_cut(struct page *page, enum style style, const char *string, size_t columns)
{
	escape(page, string);

	size_t length = page->word.length;
	if (count_columns(page->word.bytes, length) > columns) {
		size_t kept = 0;

		for (length = 0; length < page->word.length; length++) {
			kept += begins_code_point(page->word.bytes[length]);
			if (kept == columns)
				break;
		}
		page->word.length = length;
		text_append(&page->word, ELLIPSIS);
	}
	put_bytes(page, style, page->word.bytes, page->word.length);
}

void page_pad(struct page *page, size_t column, size_t least)
{
	size_t spaces = column > page->column ? column - page->column : 0;

	spaces = spaces < least ? least : spaces;
	text_append_spaces(&page->line, spaces);
	page->column += spaces;
}

void page_discard(struct page *page)
{
	text_clear(&page->line);
	page->column = 0;
}

void page_end(struct page *page)
{
	while (page->line.length && page->line.bytes[page->line.length - 1] == ' ')
		page->line.length--;
	text_append(&page->line, "\n");
	fwrite(page->line.bytes, 1, page->line.length, page->out);
	page_discard(page);
}

void page_wrap(struct page *page, size_t indent, enum style style, const char *item)
{
	bool begun = page->column > indent;

	if (begun && page->column + 1 + text_columns(item) > page->width) {
		page_end(page);
		begun = false;
	}
	page_pad(page, indent, begun);
	page_put(page, style, item);
}
