// SPDX-License-Identifier: Apache-2.0
#include "top/keys.h"

#include "util/memory.h"

#define ROWS (1u << MODE_ROWS)
#define PAGE (1u << MODE_PAGE)
#define CHOICE (1u << MODE_CHOICE)
#define ALL (ROWS | PAGE | CHOICE)

const struct key keys[] = {
	{{KEY_CODE_UP, 'k'}, "Up k", "one up", ALL, act_up},
	{{KEY_CODE_DOWN, 'j'}, "Down j", "one down", ALL, act_down},
	{{KEY_CODE_PAGE_UP, CONTROL('b')}, "PgUp ^B", "a screen up", ALL, act_page_up},
	{{KEY_CODE_PAGE_DOWN, CONTROL('f')}, "PgDn ^F", "a screen down", ALL, act_page_down},
	{{KEY_CODE_HOME}, "Home", "to the first", ALL, act_first},
	{{KEY_CODE_END, 'G'}, "End G", "to the last", ALL, act_last},
	{{KEY_CODE_LEFT, 'h'}, "Left h", "columns, or text, further left", ROWS | PAGE, act_left},
	{{KEY_CODE_RIGHT, 'l'}, "Right l", "further right", ROWS | PAGE, act_right},
	{{KEY_CODE_ENTER}, "Enter", "the stack: kernel, system call, program", ROWS,
		act_open_stack},
	{{KEY_CODE_ENTER, ' '}, "Enter Space", "in a list: choose", CHOICE, act_choose},
	{{'g'}, "g", "the process's goroutines, those alike once", ROWS | PAGE,
		act_open_goroutines},
	{{'w'}, "w", "on whom it waits, and who waits on it", ROWS | PAGE, act_open_chain},
	{{'v', '\t'}, "v Tab", "threads, processes, threads with the same stack", ROWS,
		act_next_kind},
	{{'1'}, "1", "threads", ROWS, act_show_threads},
	{{'2'}, "2", "processes", ROWS, act_show_processes},
	{{'3'}, "3", "threads with the same stack", ROWS, act_show_stacks},
	{{'i'}, "i", "hide those that rest, or show them last", ROWS, act_toggle_resting},
	{{'/'}, "/", "only rows with this text", ROWS, act_filter},
	{{'S'}, "S", "only threads in these states", ROWS, act_filter_states},
	{{'u'}, "u", "only this user's processes", ROWS, act_filter_user},
	{{'a'}, "a", "all again, without filters", ROWS, act_clear_filters},
	{{'o'}, "o", "the order of rows", ROWS, act_sort},
	{{'<', ','}, "<", "by the column to the left; in the list of columns: move it", ROWS,
		act_sort_left},
	{{'>', '.'}, ">", "by the column to the right", ROWS, act_sort_right},
	{{'<', ','}, NULL, NULL, CHOICE, act_move_left},
	{{'>', '.'}, NULL, NULL, CHOICE, act_move_right},
	{{'r'}, "r", "reverse the order", ROWS, act_reverse},
	{{'c'}, "c", "which columns", ROWS, act_choose_columns},
	{{'d'}, "d", "the seconds between looks", ROWS, act_set_interval},
	{{'f'}, "f", "freeze: look no more, or look on", ROWS | PAGE, act_freeze},
	{{' '}, "Space", "look now", ROWS | PAGE, act_look_now},
	{{'s'}, "s", "save the look as JSON", ROWS | PAGE, act_save},
	{{CONTROL('l')}, "^L", "draw the screen anew", ALL, act_redraw},
	{{'?'}, "?", "this help", ROWS | PAGE, act_open_help},
	{{KEY_CODE_ESCAPE}, "Esc", "back", ALL, act_back},
	{{'q'}, "q", "back; from the table: quit", PAGE | CHOICE, act_back},
	{{'q'}, NULL, NULL, ROWS, act_quit},
};

const size_t key_count = array_length(keys);

static bool has_code(const struct key *key, uint32_t code)
{
	for (size_t i = 0; i < array_length(key->codes); i++) {
		if (code && key->codes[i] == code)
			return true;
	}
	return false;
}

void key_act(struct top *top, uint32_t code)
{
	for (size_t i = 0; i < key_count; i++) {
		if ((keys[i].modes >> top->mode & 1) && has_code(&keys[i], code)) {
			keys[i].act(top);
			return;
		}
	}
}
