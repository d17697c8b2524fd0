// SPDX-License-Identifier: Apache-2.0
/* What keys do. */
#include "top/choices.h"
#include "top/interval.h"
#include "top/keys.h"
#include "top/pages.h"
#include "top/prompts.h"
#include "top/save.h"

/* Adds @step to a place among @count, as far as there are places. */
static size_t moved(size_t place, long step, size_t count)
{
	if (step < 0)
		return place > (size_t)-step ? place - (size_t)-step : 0;
	return place + (size_t)step < count ? place + (size_t)step : count ? count - 1 : 0;
}

static void move(struct top *top, long step)
{
	switch (top->mode) {
	case MODE_ROWS:
		top_select(top, moved(top->selected, step, top->rows.count));
		break;
	case MODE_PAGE:
		page_scroll_to(top, moved(top->page_first, step, top->page_line_count));
		break;
	case MODE_CHOICE:
		top->choice_selected = moved(top->choice_selected, step, top->choice->count);
		break;
	}
}

void act_up(struct top *top)
{
	move(top, -1);
}

void act_down(struct top *top)
{
	move(top, 1);
}

void act_page_up(struct top *top)
{
	move(top, -(long)top_body_height(top));
}

void act_page_down(struct top *top)
{
	move(top, (long)top_body_height(top));
}

#define FAR 1000000000L

void act_first(struct top *top)
{
	move(top, -FAR);
}

void act_last(struct top *top)
{
	move(top, FAR);
}

#define SIDEWAYS 8 /* screen columns of a page */

void act_left(struct top *top)
{
	if (top->mode == MODE_PAGE)
		top->page_column = moved(top->page_column, -SIDEWAYS, 0);
	else
		top->first_column = moved(top->first_column, -1, top->columns.count);
}

void act_right(struct top *top)
{
	if (top->mode == MODE_PAGE)
		top->page_column += SIDEWAYS;
	else
		top->first_column = moved(top->first_column, 1, top->columns.count);
}

void act_open_stack(struct top *top)
{
	page_open(top, &page_stack);
}

void act_open_goroutines(struct top *top)
{
	page_open(top, &page_goroutines);
}

void act_open_chain(struct top *top)
{
	page_open(top, &page_chain);
}

void act_open_help(struct top *top)
{
	page_open(top, &page_help);
}

void act_back(struct top *top)
{
	top->mode = MODE_ROWS;
}

void act_quit(struct top *top)
{
	top->ended = true;
}

static void show_kind(struct top *top, enum row_kind kind)
{
	top->settings.kind = kind;
	top_rebuild(top);
}

void act_next_kind(struct top *top)
{
	show_kind(top, (enum row_kind)((top->settings.kind + 1) % ROW_KINDS));
}

void act_show_threads(struct top *top)
{
	show_kind(top, ROWS_THREADS);
}

void act_show_processes(struct top *top)
{
	show_kind(top, ROWS_PROCESSES);
}

void act_show_stacks(struct top *top)
{
	show_kind(top, ROWS_STACKS);
}

void act_toggle_resting(struct top *top)
{
	top->settings.hides_resting = !top->settings.hides_resting;
	top_rebuild(top);
}

void act_filter(struct top *top)
{
	prompt_open(top, &prompt_filter, top->filter.bytes);
}

void act_filter_states(struct top *top)
{
	prompt_open(top, &prompt_states, top->states.bytes);
}

void act_filter_user(struct top *top)
{
	prompt_open(top, &prompt_user, NULL);
}

void act_clear_filters(struct top *top)
{
	text_clear(&top->filter);
	text_clear(&top->states);
	top->settings.of_one_user = false;
	top->settings.hides_resting = false;
	top_rebuild(top);
}

/* The place of the order's column in the list of orders, whose first is by what hurts. */
static size_t order_place(const struct top *top)
{
	return top->settings.sort ? (size_t)(top->settings.sort - column_table) + 1 : 0;
}

void act_sort(struct top *top)
{
	choice_open(top, &choice_order, order_place(top));
}

/* The order by the column that is shown @step places further; beyond the first: by what hurts. */
static void sort_beside(struct top *top, int step)
{
	size_t count = top->columns.count, place = 0; /* one more than the column's */

	for (size_t i = 0; top->settings.sort && i < count; i++) {
		if (top->columns.items[i] == top->settings.sort)
			place = i + 1;
	}
	place = moved(place, step, count + 1);
	top->settings.sort = place ? top->columns.items[place - 1] : NULL;
	top_rebuild(top);
	top_say(top, "ordered by %s", place ? top->settings.sort->name : "what hurts most");
}

void act_sort_left(struct top *top)
{
	sort_beside(top, -1);
}

void act_sort_right(struct top *top)
{
	sort_beside(top, 1);
}

void act_reverse(struct top *top)
{
	top->settings.reversed = !top->settings.reversed;
	top_rebuild(top);
}

void act_choose_columns(struct top *top)
{
	choice_open(top, &choice_columns, 0);
}

void act_choose(struct top *top)
{
	if (top->choice->pick(top, top->choice_selected))
		top->mode = MODE_ROWS;
}

static void move_choice(struct top *top, int step)
{
	if (top->choice->move)
		top->choice->move(top, top->choice_selected, step);
}

void act_move_left(struct top *top)
{
	move_choice(top, -1);
}

void act_move_right(struct top *top)
{
	move_choice(top, 1);
}

void act_set_interval(struct top *top)
{
	char text[INTERVAL_SIZE];

	interval_format(top->interval_ns, text);
	prompt_open(top, &prompt_interval, text);
}

void act_freeze(struct top *top)
{
	top->frozen = !top->frozen;
	top->looks_now = !top->frozen;
}

void act_look_now(struct top *top)
{
	top->looks_now = true;
}

void act_save(struct top *top)
{
	save_look(top);
}

void act_redraw(struct top *top)
{
	top->redraws = true;
}
