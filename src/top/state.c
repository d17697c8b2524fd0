// SPDX-License-Identifier: Apache-2.0
#include "top/state.h"

#include <stdlib.h>

#include "top/keys.h"
#include "top/pages.h"
#include "top/prompts.h"
#include "util/clock.h"

void top_init(struct top *top, const struct options *options, const struct column_list *chosen)
{
	*top = (struct top){
		.options = options,
		.interval_ns = NS_PER_SECOND,
		.arena = arena_create(),
		.width = 80,
		.height = 24,
	};
	if (chosen)
		top->columns = *chosen;
	else
		columns_default(&top->columns);
}

void top_deinit(struct top *top)
{
	facts_destroy(top->facts);
	arena_destroy(top->arena);
	text_deinit(&top->states);
	text_deinit(&top->filter);
	text_deinit(&top->page_text);
	free(top->page_lines);
	text_deinit(&top->prompt_text);
	text_deinit(&top->prompt_before);
	text_deinit(&top->message);
}

size_t top_body_height(const struct top *top)
{
	unsigned others = TOP_HEAD_LINES + TOP_FOOT_LINES;

	return top->height > others ? top->height - others : 1;
}

const struct row *top_selected(const struct top *top)
{
	return top->selected < top->rows.count ? &top->rows.items[top->selected] : NULL;
}

/* Keeps the selected row on the screen, and the screen full. */
static void scroll(struct top *top)
{
	size_t height = top_body_height(top), count = top->rows.count;

	if (top->first_row + height > count)
		top->first_row = count > height ? count - height : 0;
	if (top->selected < top->first_row)
		top->first_row = top->selected;
	else if (top->selected >= top->first_row + height)
		top->first_row = top->selected - height + 1;
}

static void select_row(struct top *top, size_t row)
{
	const struct row *selected;

	top->selected = row < top->rows.count ? row : top->rows.count ? top->rows.count - 1 : 0;
	selected = top_selected(top);
	if (selected) {
		top->pid = selected->process->pid;
		top->tid = selected->thread->tid;
	}
	scroll(top);
}

void top_select(struct top *top, size_t row)
{
	top->anchored = row;
	select_row(top, row);
}

static bool row_has(const struct row *row, pid_t pid, pid_t tid)
{
	if (row->process->pid != pid)
		return false;
	for (size_t i = 0; i < row->count; i++) {
		if (row->threads[i]->tid == tid)
			return true;
	}
	return false;
}

/* Finds the selected thread's row again; where there is none, what now stands in its place. */
static void select_again(struct top *top)
{
	if (!top->anchored) {
		select_row(top, 0);
		return;
	}
	for (size_t i = 0; i < top->rows.count; i++) {
		if (!row_has(&top->rows.items[i], top->pid, top->tid))
			continue;
		top->selected = i;
		scroll(top);
		return;
	}
	select_row(top, top->selected);
}

void top_rebuild(struct top *top)
{
	if (!top->look)
		return;
	arena_destroy(top->arena);
	top->arena = arena_create();
	top->settings.states = top->states.bytes;
	top->settings.filter = top->filter.bytes;
	top->rows = rows_build(top->look, top->facts, &top->settings, top->arena);
	select_again(top);
}

void top_take_look(struct top *top, const struct look *look)
{
	struct facts *facts = facts_create(look, top->facts);

	facts_destroy(top->facts);
	top->facts = facts;
	top->look = look;
	top_rebuild(top);
	if (top->mode == MODE_PAGE)
		page_refresh(top);
}

void top_resize(struct top *top, unsigned width, unsigned height)
{
	top->width = width;
	top->height = height;
	scroll(top);
	if (top->mode == MODE_PAGE)
		page_refresh(top);
}

void top_say(struct top *top, const char *format, ...)
{
	va_list arguments;

	text_clear(&top->message);
	va_start(arguments, format);
	text_append_vformat(&top->message, format, arguments);
	va_end(arguments);
}

void top_take_key(struct top *top, uint32_t key)
{
	text_clear(&top->message);
	if (top->prompt)
		prompt_take_key(top, key);
	else
		key_act(top, key);
}
