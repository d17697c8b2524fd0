// SPDX-License-Identifier: Apache-2.0
#define NCURSES_WIDECHAR 1
#include "top/screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "top/key_codes.h"
#include "top/terminal.h"
#include "util/memory.h"

#define ESCAPE_DELAY_MS 25 /* how long a lone Escape may be the beginning of another key */

static bool speaks_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The locale of the environment for what characters are; one that is not there may yet be UTF-8. */
static void set_locale(void)
{
	const char *name = getenv("LC_ALL");

	if (setlocale(LC_CTYPE, ""))
		return;
	if (!name || !*name)
		name = getenv("LC_CTYPE");
	if (!name || !*name)
		name = getenv("LANG");
	if (name && (strcasestr(name, "UTF-8") || strcasestr(name, "utf8")))
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* Colours of text: pairs by style; what a page's sequences say. */
static const struct {
	short color; /* -1: as it is */
	attr_t attributes;
} styles[] = {
	[STYLE_PLAIN] = {-1, A_NORMAL},
	[STYLE_STRONG] = {-1, A_BOLD},
	[STYLE_DIM] = {-1, A_DIM},
	[STYLE_FUNCTION] = {COLOR_CYAN, A_NORMAL},
	[STYLE_RUNNING] = {COLOR_GREEN, A_NORMAL},
	[STYLE_WAITING] = {COLOR_BLUE, A_NORMAL},
	[STYLE_ALARM] = {COLOR_RED, A_BOLD},
	[STYLE_GAP] = {COLOR_YELLOW, A_NORMAL},
};

static void begin_colors(void)
{
	start_color();
	use_default_colors();
	for (size_t i = 0; i < array_length(styles); i++)
		init_pair((short)(i + 1), styles[i].color, -1);
}

static attr_t attributes_of(unsigned style, short *pair)
{
	unsigned index = style & 0xff;
	attr_t attributes = styles[index].attributes;

	*pair = COLOR_PAIRS > (int)index + 1 && styles[index].color >= 0 ? (short)(index + 1) : 0;
	/* dim on reverse can't be read on some terminals */
	if (style & SCREEN_REVERSE)
		attributes = (attributes & ~A_DIM) | A_REVERSE;
	if (style & SCREEN_STRONG)
		attributes = (attributes & ~A_DIM) | A_BOLD;
	return attributes;
}

bool screen_open(int input, bool color)
{
	FILE *keys;

	if (!terminal_can_place(STDOUT_FILENO))
		return false;
	set_locale();
	terminal_remember(STDOUT_FILENO);
	keys = fdopen(dup(input), "r");
	if (!keys || !newterm(NULL, stdout, keys))
		return false;
	terminal_expect_crash();
	if (color && has_colors())
		begin_colors();
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
	return true;
}

void screen_close(void)
{
	curs_set(1);
	endwin();
	terminal_forget();
}

void screen_suspend(void)
{
	curs_set(1);
	endwin();
}

void screen_resume(void)
{
	reset_prog_mode();
	curs_set(0);
	clearok(curscr, TRUE);
}

void screen_measure(unsigned *width, unsigned *height)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
		(size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
	*width = COLS > 0 ? (unsigned)COLS : 1;
	*height = LINES > 0 ? (unsigned)LINES : 1;
}

void screen_clear(void)
{
	erase();
}

/* What stands for a character where only ASCII is known. */
static const char *likeness(uint32_t point)
{
	static const struct {
		uint32_t point;
		const char *like;
	} likes[] = {
		{0x2026, "..."}, /* … */
		{0x2013, "-"},   /* – */
		{0x2192, "->"},  /* → */
		{0x2190, "<-"},  /* ← */
		{0x2194, "<>"},  /* ↔ */
		{0xb5, "u"},     /* µ */
		{0xb7, "."},     /* · */
	};

	for (size_t i = 0; i < array_length(likes); i++) {
		if (likes[i].point == point)
			return likes[i].like;
	}
	return "?";
}

/* What is written to a line in one go. */
struct run {
	wchar_t characters[512];
	size_t count;
	unsigned taken, width;
	size_t *skip;
	bool full;
};

static void add_character(struct run *run, wchar_t character)
{
	int columns = wcwidth(character);

	if (columns < 0) {
		character = L'?';
		columns = 1;
	}
	if (run->skip && *run->skip) {
		*run->skip -= *run->skip < (size_t)columns ? *run->skip : (size_t)columns;
		return;
	}
	if (run->taken + (unsigned)columns > run->width ||
		run->count == array_length(run->characters)) {
		run->full = true;
		return;
	}
	run->characters[run->count++] = character;
	run->taken += (unsigned)columns;
}

unsigned screen_put(unsigned line, unsigned column, unsigned width, const char *text, size_t length,
	unsigned style, size_t *skip)
{
	struct run run = {.width = width, .skip = skip};
	bool utf8 = speaks_utf8();
	short pair;
	attr_t attributes = attributes_of(style, &pair);

	for (size_t i = 0, size; i < length && !run.full; i += size) {
		uint32_t point;

		size = text_decode_utf8((const unsigned char *)text + i, length - i, &point);
		if (!size || text_is_treacherous(point)) {
			size = size ? size : 1;
			add_character(&run, L'?');
		} else if (point < 0x80 || utf8) {
			add_character(&run, (wchar_t)point);
		} else {
			for (const char *like = likeness(point); *like; like++)
				add_character(&run, (wchar_t)*like);
		}
	}
	attr_set(attributes, pair, NULL);
	if (run.count)
		mvaddnwstr((int)line, (int)column, run.characters, (int)run.count);
	attr_set(A_NORMAL, 0, NULL);
	return run.taken;
}

void screen_style_line(unsigned line, unsigned style)
{
	short pair;
	attr_t attributes = attributes_of(style, &pair);

	mvchgat((int)line, 0, -1, attributes, pair, NULL);
}

void screen_set_cursor(unsigned line, unsigned column)
{
	bool is_there = line < (unsigned)LINES;

	curs_set(is_there);
	if (is_there)
		move((int)line, (int)column);
}

void screen_show(bool anew)
{
	if (anew)
		clearok(curscr, TRUE);
	refresh();
}

uint32_t screen_key(void)
{
	static const struct {
		int curses;
		uint32_t code;
	} codes[] = {
		{KEY_UP, KEY_CODE_UP},
		{KEY_DOWN, KEY_CODE_DOWN},
		{KEY_LEFT, KEY_CODE_LEFT},
		{KEY_RIGHT, KEY_CODE_RIGHT},
		{KEY_PPAGE, KEY_CODE_PAGE_UP},
		{KEY_NPAGE, KEY_CODE_PAGE_DOWN},
		{KEY_HOME, KEY_CODE_HOME},
		{KEY_END, KEY_CODE_END},
		{KEY_ENTER, KEY_CODE_ENTER},
		{KEY_BACKSPACE, KEY_CODE_BACKSPACE},
	};
	wint_t character;

	for (;;) {
		switch (get_wch(&character)) {
		case OK:
			if (character == L'\r' || character == L'\n')
				return KEY_CODE_ENTER;
			return character == 27 ? KEY_CODE_ESCAPE : (uint32_t)character;
		case KEY_CODE_YES:
			for (size_t i = 0; i < array_length(codes); i++) {
				if (codes[i].curses == (int)character)
					return codes[i].code;
			}
			break; /* one that means nothing here */
		default:
			return 0;
		}
	}
}
