// SPDX-License-Identifier: Apache-2.0
#include "top/draw.h"

#include <string.h>
#include <time.h>

#include "explain/group.h"
#include "top/choices.h"
#include "top/holder.h"
#include "top/interval.h"
#include "top/pages.h"
#include "top/prompts.h"
#include "top/screen.h"
#include "util/clock.h"

#define NOWHERE 0xffffffffu

static unsigned put(
	const struct top *top, unsigned line, unsigned column, const char *text, unsigned style)
{
	if (!text || line >= top->height || column >= top->width)
		return 0;
	return screen_put(line, column, top->width - column, text, strlen(text), style, NULL);
}

/* "3 running, 1 uninterruptible, 2 held up, 12 waiting, 1204 resting". */
static void append_pains(struct text *text, const struct rows *rows)
{
	const char *comma = ": ";

	for (int i = 0; i < PAINS; i++) {
		if (!rows->pains[i])
			continue;
		text_append_format(
			text, "%s%zu %s", comma, rows->pains[i], pain_name((enum pain)i));
		comma = ", ";
	}
}

static void append_moment(struct text *text, int64_t taken_at_ns)
{
	time_t seconds = (time_t)(taken_at_ns / NS_PER_SECOND);
	struct tm local;
	char moment[16];

	if (localtime_r(&seconds, &local) && strftime(moment, sizeof(moment), "%H:%M:%S", &local))
		text_append(text, moment);
}

/* The right end of the first line: what is set, and when the look was. */
static void append_settings(struct text *text, const struct top *top)
{
	char interval[INTERVAL_SIZE];

	interval_format(top->interval_ns, interval);
	if (top->frozen)
		text_append(text, "frozen");
	else
		text_append_format(text, "each %s s", interval);
	if (top->look) {
		text_append(text, "  ");
		append_moment(text, top->look->taken_at_ns);
	}
}

static void draw_title(const struct top *top)
{
	struct text left cleanup_text = {0}, right cleanup_text = {0};
	unsigned taken;

	if (top->look) {
		size_t threads = top->rows.threads;

		text_append_format(&left, "%zu thread%s", threads, threads == 1 ? "" : "s");
		append_pains(&left, &top->rows);
		if (top->facts && top->facts->ended)
			text_append_format(&left, "; %zu ended", top->facts->ended);
	} else {
		text_append(&left, "looking…");
	}
	taken = put(top, 0, 0, left.bytes, STYLE_STRONG);
	append_settings(&right, top);
	if (taken + 2 + right.length <= top->width)
		put(top, 0, top->width - (unsigned)right.length, right.bytes,
			top->frozen ? STYLE_ALARM : STYLE_DIM);
}

/* Where the columns stand. */
struct layout {
	unsigned widths[COLUMNS];
	size_t first, count;
};

#define MARK_WIDTH 1

static struct layout lay_out(const struct top *top)
{
	struct layout layout = {.first = top->first_column};

	layout.count = columns_lay_out(&top->columns, top->settings.kind, layout.first,
		top->width > MARK_WIDTH ? top->width - MARK_WIDTH : 1, layout.widths);
	return layout;
}

static const struct column *column_at(const struct top *top, const struct layout *layout, size_t i)
{
	return column_among(top->columns.items[layout->first + i], top->settings.kind);
}

/* A cell, at its right edge where the column wants that; what does not fit ends in an ellipsis. */
static void put_cell(unsigned line, unsigned column, unsigned width, const struct text *text,
	bool right, unsigned style)
{
	size_t columns = text->bytes ? text_columns(text->bytes) : 0;
	unsigned indent = right && columns < width ? width - (unsigned)columns : 0;
	unsigned room = columns > width && width > 1 ? width - 1 : width - indent;

	if (!columns)
		return;
	screen_put(line, column + indent, room, text->bytes, text->length, style, NULL);
	if (room < width - indent)
		screen_put(line, column + room, 1, "…", strlen("…"), style, NULL);
}

static void draw_heads(const struct top *top, const struct layout *layout)
{
	unsigned column = MARK_WIDTH;
	struct text title cleanup_text = {0};

	for (size_t i = 0; i < layout->count; i++) {
		const struct column *one = column_at(top, layout, i);
		bool is_order = top->columns.items[layout->first + i] == top->settings.sort;

		text_clear(&title);
		text_append(&title, one->title);
		if (is_order && layout->widths[i] > title.length)
			text_append(&title, top->settings.reversed ? "^" : "v");
		put_cell(1, column, layout->widths[i], &title, one->right,
			is_order ? STYLE_STRONG : STYLE_PLAIN);
		column += layout->widths[i] + 1;
	}
	screen_style_line(1, STYLE_PLAIN | SCREEN_REVERSE);
}

static unsigned style_of_cell(const struct column *column, const struct row *row)
{
	bool changed = column->facet >= 0 && (row->changed >> column->facet & 1) && !row->is_new;
	unsigned style = row->pain == PAIN_RESTING ? STYLE_DIM : STYLE_PLAIN;

	if (row->pain == PAIN_DEADLOCKED &&
		(column->facet == FACET_WAIT || column->facet == FACET_HOLDER))
		style = STYLE_ALARM;
	else if (column->facet == FACET_STATE && row->pain == PAIN_RUNNING)
		style = STYLE_RUNNING;
	else if (column->facet == FACET_STATE && strchr("DTtZ", row->thread->state))
		style = STYLE_ALARM;
	if (column == &column_table[COLUMN_THREADS] && row->count_changed)
		changed = true;
	return style | (changed ? SCREEN_STRONG : 0);
}

/* NULL: it is as it was. */
static const char *mark_of(const struct row *row)
{
	if (row->is_new)
		return "+";
	return row->changed & ~(1u << FACET_TIME) ? "*" : NULL;
}

static void draw_row(
	const struct top *top, const struct layout *layout, unsigned line, const struct row *row)
{
	unsigned column = MARK_WIDTH;
	struct text cell cleanup_text = {0};

	put(top, line, 0, mark_of(row), STYLE_STRONG);
	for (size_t i = 0; i < layout->count; i++) {
		const struct column *one = column_at(top, layout, i);

		text_clear(&cell);
		one->append(&cell, row);
		put_cell(line, column, layout->widths[i], &cell, one->right,
			style_of_cell(one, row));
		column += layout->widths[i] + 1;
	}
}

/* Why there is no row. */
static void draw_nothing(const struct top *top)
{
	unsigned line = TOP_HEAD_LINES;
	struct text reason cleanup_text = {0};

	if (!top->look)
		return;
	if (top->rows.hidden) {
		text_append_format(&reason, "all rest (%zu): i shows them", top->rows.hidden);
		put(top, line, 1, reason.bytes, STYLE_PLAIN);
		return;
	}
	if (top->facts && top->facts->count) {
		put(top, line, 1, "no thread is like that: a shows all", STYLE_PLAIN);
		return;
	}
	put(top, line++, 1, "there is nothing to show", STYLE_PLAIN);
	for_each_gap (gap, &top->look->gaps)
		put(top, line++, 1, gap->reason, STYLE_GAP);
	put(top, line, 1, "each look looks for it anew", STYLE_DIM);
}

static void draw_rows(const struct top *top)
{
	struct layout layout = lay_out(top);
	size_t height = top_body_height(top);

	draw_title(top);
	draw_heads(top, &layout);
	if (!top->rows.count)
		draw_nothing(top);
	for (size_t i = 0; i < height && top->first_row + i < top->rows.count; i++) {
		unsigned line = TOP_HEAD_LINES + (unsigned)i;

		draw_row(top, &layout, line, &top->rows.items[top->first_row + i]);
		if (top->first_row + i == top->selected)
			screen_style_line(line, STYLE_PLAIN | SCREEN_REVERSE);
	}
}

/* A line of a page, whose styles stand in it as a page writes them. */
static void draw_page_line(const struct top *top, unsigned line, const char *text)
{
	size_t skip = top->page_column;
	enum style style = STYLE_PLAIN;
	unsigned column = 0;

	while (*text && *text != '\n' && column < top->width) {
		enum style next;
		size_t sequence = page_style_at(text, &next);

		if (sequence) {
			style = next;
			text += sequence;
			continue;
		}
		size_t length = strcspn(text, "\033\n");
		if (!length)
			length = 1; /* an escape that is none of a page's */
		column += screen_put(line, column, top->width - column, text, length, style, &skip);
		text += length;
	}
}

static void draw_page(const struct top *top)
{
	struct text title cleanup_text = {0};
	size_t height = top_body_height(top);

	text_append(&title, top->page->title);
	if (!top->page->of_nothing) {
		struct somebody who = {0};

		if (top->look)
			who = somebody_find(top->look, top->page_pid, 0);
		text_append(&title, ": ");
		if (who.process && who.process->comm)
			text_append_escaped(&title, who.process->comm, strlen(who.process->comm));
		text_append_format(&title, " (pid %d)", top->page_pid);
		if (!top->page->of_process && top->page_rows != ROWS_PROCESSES)
			text_append_format(&title, " thread %d", top->page_tid);
	}
	put(top, 0, 0, title.bytes, STYLE_STRONG);
	text_clear(&title);
	append_settings(&title, top);
	if (top->page_ended)
		put(top, 1, 0, "it has ended; so it was last:", STYLE_ALARM);
	else if (title.length < top->width)
		put(top, 1, top->width - (unsigned)title.length, title.bytes,
			top->frozen ? STYLE_ALARM : STYLE_DIM);
	for (size_t i = 0; i < height && top->page_first + i < top->page_line_count; i++)
		draw_page_line(top, TOP_HEAD_LINES + (unsigned)i,
			top->page_text.bytes + top->page_lines[top->page_first + i]);
}

static void draw_choice(const struct top *top)
{
	const struct choice_kind *choice = top->choice;
	size_t height = top_body_height(top);
	size_t first = top->choice_selected >= height ? top->choice_selected - height + 1 : 0;

	put(top, 0, 0, choice->title, STYLE_STRONG);
	for (size_t i = first; i < choice->count && i - first < height; i++) {
		unsigned line = TOP_HEAD_LINES + (unsigned)(i - first);

		put(top, line, 0, choice->is_set(top, i) ? "*" : " ", STYLE_STRONG);
		put(top, line, 2, choice->name(i), STYLE_PLAIN);
		put(top, line, 11, choice->summary(i), STYLE_DIM);
		if (i == top->choice_selected)
			screen_style_line(line, STYLE_PLAIN | SCREEN_REVERSE);
	}
}

/* What keeps rows out, and what could not be seen. */
static void append_filters(struct text *text, const struct top *top)
{
	if (top->filter.length) {
		text_append(text, "  with \"");
		text_append_escaped(text, top->filter.bytes, top->filter.length);
		text_append(text, "\"");
	}
	if (top->states.length)
		text_append_format(text, "  in state %s", top->states.bytes);
	if (top->settings.of_one_user)
		text_append_format(text, "  of user %u", (unsigned)top->settings.uid);
	if (top->rows.hidden)
		text_append_format(text, "  %zu resting hidden", top->rows.hidden);
}

static const char *first_gap(const struct look *look)
{
	if (look->gaps.first)
		return look->gaps.first->reason;
	for (size_t i = 0; i < look->process_count; i++) {
		if (look->processes[i]->gaps.first)
			return look->processes[i]->gaps.first->reason;
	}
	return NULL;
}

static void draw_foot(const struct top *top)
{
	unsigned line = top->height - 1;
	struct text text cleanup_text = {0};

	if (top->message.length) {
		put(top, line, 0, top->message.bytes, STYLE_STRONG);
		return;
	}
	append_filters(&text, top);
	if (text.length) {
		put(top, line, 0, text.bytes + strspn(text.bytes, " "), STYLE_STRONG);
	} else if (top->look && top->rows.count && first_gap(top->look)) {
		put(top, line, 0, first_gap(top->look), STYLE_GAP);
	} else if (top->mode == MODE_ROWS) {
		put(top, line, 0,
			"? help  Enter stack  w who waits on whom  v threads, processes, stacks  "
			"/ filter  f freeze  q quit",
			STYLE_DIM);
	} else {
		put(top, line, 0, "q back", STYLE_DIM);
	}
}

/* The line that is typed into, with the cursor at its end. */
static void draw_prompt(const struct top *top)
{
	unsigned line = top->height - 1;
	unsigned column = put(top, line, 0, top->prompt->label, STYLE_STRONG);
	size_t typed = top->prompt_text.bytes ? text_columns(top->prompt_text.bytes) : 0;
	size_t room = top->width > column + 1 ? top->width - column - 1 : 0;
	size_t skip = typed > room ? typed - room : 0;

	if (top->prompt_text.bytes && column < top->width)
		column += screen_put(line, column, top->width - column, top->prompt_text.bytes,
			top->prompt_text.length, STYLE_PLAIN, &skip);
	screen_set_cursor(line, column < top->width ? column : top->width - 1);
}

void draw(const struct top *top)
{
	screen_clear();
	switch (top->mode) {
	case MODE_ROWS:
		draw_rows(top);
		break;
	case MODE_PAGE:
		draw_page(top);
		break;
	case MODE_CHOICE:
		draw_choice(top);
		break;
	}
	if (top->prompt && !top->message.length) {
		draw_prompt(top);
		return;
	}
	draw_foot(top);
	screen_set_cursor(NOWHERE, 0);
}
