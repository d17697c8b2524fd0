// SPDX-License-Identifier: Apache-2.0
/*
 * Keys: what each does. The help is made from the same table: to add a key, add its row in
 * keys.c, and its action in actions.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "top/state.h"

struct key {
	uint32_t codes[4];
	const char *shown;   /* as the help names it */
	const char *summary; /* NULL: the row above tells */
	unsigned modes;      /* bits by enum top_mode: where it does that */
	void (*act)(struct top *top);
};

extern const struct key keys[];
extern const size_t key_count;

/* Does what the key means in the mode that @top is in; nothing where it means nothing. */
void key_act(struct top *top, uint32_t code);

/* The actions. */
void act_up(struct top *top);
void act_down(struct top *top);
void act_page_up(struct top *top);
void act_page_down(struct top *top);
void act_first(struct top *top);
void act_last(struct top *top);
void act_left(struct top *top);
void act_right(struct top *top);
void act_open_stack(struct top *top);
void act_open_goroutines(struct top *top);
void act_open_chain(struct top *top);
void act_open_help(struct top *top);
void act_back(struct top *top);
void act_quit(struct top *top);
void act_next_kind(struct top *top);
void act_show_threads(struct top *top);
void act_show_processes(struct top *top);
void act_show_stacks(struct top *top);
void act_toggle_resting(struct top *top);
void act_filter(struct top *top);
void act_filter_states(struct top *top);
void act_filter_user(struct top *top);
void act_clear_filters(struct top *top);
void act_sort(struct top *top);
void act_sort_left(struct top *top);
void act_sort_right(struct top *top);
void act_reverse(struct top *top);
void act_choose_columns(struct top *top);
void act_choose(struct top *top);
void act_move_left(struct top *top);
void act_move_right(struct top *top);
void act_set_interval(struct top *top);
void act_freeze(struct top *top);
void act_look_now(struct top *top);
void act_save(struct top *top);
void act_redraw(struct top *top);
