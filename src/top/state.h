// SPDX-License-Identifier: Apache-2.0
/*
 * State: all that the live view shows and the user has set, changed by keys and by looks. It knows
 * of no terminal: draw.c shows it, top.c feeds it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "model/process.h"
#include "top/columns.h"
#include "top/facts.h"
#include "top/key_codes.h"
#include "top/rows.h"
#include "util/text.h"

/* What fills the screen. */
enum top_mode { MODE_ROWS, MODE_PAGE, MODE_CHOICE };

struct page_kind;
struct prompt_kind;
struct choice_kind;

struct top {
	const struct options *options; /* borrowed */
	const struct look *look;       /* borrowed until the next is given; NULL: none yet */
	struct facts *facts;           /* of it */
	int64_t interval_ns;
	bool frozen;
	bool looks_now;         /* the user does not want to wait for the next look */
	bool ended;             /* the user has had enough */
	bool redraws;           /* all of the screen, for who wrote on it */
	unsigned width, height; /* of the screen */

	/* the table */
	struct arena *arena; /* of the rows */
	struct rows rows;
	struct row_settings settings; /* its strings are the two below */
	struct text states, filter;
	struct column_list columns;
	size_t first_column;
	size_t selected, first_row;
	bool anchored;  /* the user has gone to a row, and stays there; else at the first */
	pid_t pid, tid; /* the selected row's */

	enum top_mode mode;

	/* the page */
	const struct page_kind *page;
	enum row_kind page_rows; /* what it tells of: a thread, a process, threads alike */
	pid_t page_pid, page_tid;
	bool page_ended;       /* it shows how that was last */
	struct text page_text; /* its lines, with their styles */
	size_t *page_lines;    /* where they begin; heap */
	size_t page_line_count, page_line_capacity;
	size_t page_first, page_column;

	/* the list to choose from */
	const struct choice_kind *choice;
	size_t choice_selected;

	/* the line to type into; prompt NULL: there is none */
	const struct prompt_kind *prompt;
	struct text prompt_text, prompt_before;

	struct text message; /* until the next key; escaped */
};

/* @columns may be NULL: the usual ones. */
void top_init(struct top *top, const struct options *options, const struct column_list *columns);
void top_deinit(struct top *top);

/* Shows @look, which is borrowed until the next one, instead of the one before. */
void top_take_look(struct top *top, const struct look *look);

/* Does what the key means where the user is. */
void top_take_key(struct top *top, uint32_t key);

void top_resize(struct top *top, unsigned width, unsigned height);

/* Makes the rows anew, for settings that have changed. */
void top_rebuild(struct top *top);

/* Selects a row, or the nearest that there is, and stays there unless it is the first. */
void top_select(struct top *top, size_t row);

const struct row *top_selected(const struct top *top);

/* Says something in one line until the next key. What is not ours must be escaped. */
void top_say(struct top *top, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many lines of the screen rows, the page or the list have. */
size_t top_body_height(const struct top *top);

/* Above them stand the title and the heads of columns, below them the line for messages. */
#define TOP_HEAD_LINES 2
#define TOP_FOOT_LINES 1
