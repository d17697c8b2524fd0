// SPDX-License-Identifier: Apache-2.0
/* The live view without a terminal: keys and looks in, what would be shown out. */
#include "top_fixture.h"

#include <dirent.h>
#include <json-c/json.h>
#include <unistd.h>

#include "top/keys.h"
#include "top/pages.h"
#include "top/prompts.h"
#include "top/state.h"

struct scene {
	struct options options;
	struct top top;
	struct look *look, *next;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->options.render = all_options;
	scene->look = look_create();
	scene->next = look_create();
	add_plights(scene->look);
	add_plights(scene->next);
	scene->next->taken_at_ns += NS_PER_SECOND;
	top_init(&scene->top, &scene->options, NULL);
	top_take_look(&scene->top, scene->look);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	top_deinit(&scene->top);
	look_destroy(scene->look);
	look_destroy(scene->next);
	free(scene);
	return 0;
}

static void type(struct top *top, const char *text)
{
	for (; *text; text++)
		top_take_key(top, (unsigned char)*text);
}

static pid_t selected(const struct top *top)
{
	const struct row *row = top_selected(top);

	return row ? row->thread->tid : 0;
}

static void the_selection_stays_on_its_thread_when_the_order_changes(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "jj");
	assert_int_equal(selected(top), HELD);
	thread_of(scene->next, HELD)->state =
		'R'; /* two run now, and it by the lower pid is later */
	thread_of(scene->next, WAITING)->state = 'R';
	top_take_look(top, scene->next);
	assert_int_equal(selected(top), HELD);
	top_take_key(top, KEY_CODE_END);
	assert_int_equal(selected(top), RESTING);
	type(top, "r");
	assert_int_equal(selected(top), RESTING);
}

static void who_has_not_moved_sees_what_hurts_most_at_each_look(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	assert_int_equal(selected(top), RUNNING);
	thread_of(scene->next, RUNNING)->state = 'S';
	top_take_look(top, scene->next);
	assert_int_equal(selected(top), STUCK);
	type(top, "jk"); /* back at the first */
	thread_of(scene->look, RUNNING)->state = 'R';
	top_take_look(top, scene->look);
	assert_int_equal(selected(top), RUNNING);
}

static void where_the_selected_thread_has_ended_its_place_is_selected(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	top_take_key(top, KEY_CODE_END);
	type(top, "k");
	assert_int_equal(selected(top), HOLDING);
	scene->next->processes[0]->thread_count = HOLDING - RESTING;
	top_take_look(top, scene->next);
	assert_int_equal(top->rows.count, 4);
	assert_int_equal(selected(top), RESTING); /* the last there is now */
	scene->look->process_count = 0;
	top_take_look(top, scene->look);
	assert_int_equal(selected(top), 0);
	assert_int_equal(top->facts->ended, 4);
}

static void the_selected_row_is_on_the_screen(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	top_resize(top, 80, TOP_HEAD_LINES + TOP_FOOT_LINES + 2);
	for (int i = 0; i < 10; i++) {
		top_take_key(top, i < 5 ? KEY_CODE_DOWN : KEY_CODE_PAGE_UP);
		assert_true(top->selected >= top->first_row);
		assert_true(top->selected < top->first_row + 2);
	}
	top_resize(top, 1, 1);
	assert_true(top->selected >= top->first_row);
	top_take_key(top, KEY_CODE_END);
	assert_int_equal(top->first_row, PLIGHTS - 1);
	top_resize(top, 80, 24);
	assert_int_equal(top->first_row, 0);
}

static void a_filter_works_while_it_is_typed_and_escape_takes_it_back(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "/mutex");
	assert_int_equal(top->rows.count, 1);
	top_take_key(top, KEY_CODE_BACKSPACE);
	type(top, "?q"); /* keys are letters here */
	assert_int_equal(top->rows.count, 0);
	assert_false(top->ended);
	top_take_key(top, KEY_CODE_ESCAPE);
	assert_int_equal(top->rows.count, PLIGHTS);
	type(top, "/worker");
	top_take_key(top, KEY_CODE_ENTER);
	assert_null(top->prompt);
	top_take_look(top, scene->next);
	assert_int_equal(top->rows.count, 2);
	type(top, "a");
	assert_int_equal(top->rows.count, PLIGHTS);
}

static void a_typed_character_of_several_bytes_is_erased_whole(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "/a");
	top_take_key(top, 0xe9);
	top_take_key(top, 0x20ac);
	top_take_key(top, 0x1f600);
	top_take_key(top, 0x202e); /* would reorder the line */
	assert_string_equal(top->prompt_text.bytes, "aé€\xf0\x9f\x98\x80");
	top_take_key(top, KEY_CODE_BACKSPACE);
	top_take_key(top, 0x7f);
	assert_string_equal(top->prompt_text.bytes, "aé");
	top_take_key(top, CONTROL('u'));
	assert_string_equal(top->prompt_text.bytes, "");
	top_take_key(top, KEY_CODE_BACKSPACE);
	for (int i = 0; i < 1000; i++)
		top_take_key(top, 'x');
	assert_true(top->prompt_text.length < 1000);
}

static void states_and_users_are_checked(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "SQ");
	top_take_key(top, KEY_CODE_ENTER);
	assert_non_null(top->prompt);
	assert_true(top->message.length);
	top_take_key(top, KEY_CODE_BACKSPACE);
	type(top, "D");
	top_take_key(top, KEY_CODE_ENTER);
	assert_int_equal(selected(top), STUCK);
	type(top, "aunobody-of-that-name");
	top_take_key(top, KEY_CODE_ENTER);
	assert_non_null(top->prompt);
	top_take_key(top, CONTROL('u'));
	type(top, "4294967296");
	top_take_key(top, KEY_CODE_ENTER);
	assert_non_null(top->prompt);
	top_take_key(top, CONTROL('u'));
	type(top, "root");
	top_take_key(top, KEY_CODE_ENTER);
	assert_int_equal(top->rows.count, 0);
	type(top, "u1000");
	top_take_key(top, KEY_CODE_ENTER);
	assert_int_equal(top->rows.count, PLIGHTS);
}

static void the_interval_is_typed_in_seconds(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "d");
	assert_string_equal(top->prompt_text.bytes, "1");
	type(top, ".25");
	top_take_key(top, KEY_CODE_ENTER);
	assert_int_equal(top->interval_ns, 1250 * NS_PER_MS);
	type(top, "d");
	assert_string_equal(top->prompt_text.bytes, "1.25");
	for (const char *const *wrong = (const char *const[]){"", ".", "0.05", "3601", "1e3", "-1",
		     "1.2.3", "99999999999999999999", NULL};
		*wrong; wrong++) {
		top_take_key(top, CONTROL('u'));
		type(top, *wrong);
		top_take_key(top, KEY_CODE_ENTER);
		assert_non_null(top->prompt);
	}
	assert_int_equal(top->interval_ns, 1250 * NS_PER_MS);
}

static void a_page_follows_its_thread_and_keeps_what_was_last_when_it_ends(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "jj");
	top_take_key(top, KEY_CODE_ENTER);
	assert_int_equal(top->mode, MODE_PAGE);
	assert_non_null(strstr(top->page_text.bytes, "waits for mutex 0x10"));
	set_wait(scene->next, thread_of(scene->next, HELD), "mutex", "mutex 0x99", false);
	top_take_look(top, scene->next);
	assert_non_null(strstr(top->page_text.bytes, "waits for mutex 0x99"));
	scene->look->processes[0]->thread_count = 2;
	top_take_look(top, scene->look);
	assert_true(top->page_ended);
	assert_non_null(strstr(top->page_text.bytes, "waits for mutex 0x99"));
	type(top, "q");
	assert_int_equal(top->mode, MODE_ROWS);
	assert_false(top->ended);
	type(top, "q");
	assert_true(top->ended);
}

static void the_page_of_who_waits_goes_both_ways(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;
	const char *onward, *waiter;

	type(top, "jjw");
	assert_int_equal(top->page_tid, HELD);
	onward = strstr(top->page_text.bytes, "worker");
	assert_non_null(onward);
	assert_non_null(strstr(onward, "waits for data on 3<pipe:[7]>"));
	type(top, "qjjw");
	assert_int_equal(top->page_tid, HOLDING);
	waiter = strstr(top->page_text.bytes, "on it wait");
	assert_non_null(strstr(waiter, "thread 103"));
	assert_non_null(strstr(waiter, "mutex 0x10"));
}

static void a_ring_of_waits_is_said_to_be_one(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	set_wait(scene->next, thread_of(scene->next, HOLDING), "mutex", "mutex 0x20", false);
	set_holder(scene->next, thread_of(scene->next, HOLDING), RESTING, HELD);
	top_take_look(top, scene->next);
	type(top, "jjw");
	assert_non_null(strstr(top->page_text.bytes, "a ring"));
}

static void a_page_is_scrolled_no_further_than_its_last_line(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "?");
	top_take_key(top, KEY_CODE_END);
	assert_int_equal(top->page_first + top_body_height(top), top->page_line_count);
	top_take_key(top, KEY_CODE_PAGE_DOWN);
	assert_int_equal(top->page_first + top_body_height(top), top->page_line_count);
	top_resize(top, 200, 200);
	assert_int_equal(top->page_first, 0);
}

static void the_help_has_every_key(void **state)
{
	struct scene *scene = *state;

	type(&scene->top, "?");
	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].summary)
			assert_non_null(strstr(scene->top.page_text.bytes, keys[i].summary));
		assert_int_equal(!keys[i].summary, !keys[i].shown);
	}
}

static void no_key_has_two_meanings_in_one_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < key_count; i++) {
		for (size_t j = i + 1; j < key_count; j++) {
			for (size_t k = 0; keys[i].codes[k] && (keys[i].modes & keys[j].modes);
				k++) {
				for (size_t l = 0; l < 4; l++)
					assert_int_not_equal(keys[i].codes[k], keys[j].codes[l]);
			}
		}
	}
}

static void columns_and_order_are_chosen_from_lists(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	type(top, "c ");
	assert_false(columns_have(&top->columns, &column_table[COLUMN_PID]));
	type(top, "j>q");
	assert_ptr_equal(top->columns.items[1], &column_table[COLUMN_TID]);
	type(top, "ojj");
	top_take_key(top, KEY_CODE_ENTER);
	assert_int_equal(top->mode, MODE_ROWS);
	assert_ptr_equal(top->settings.sort, &column_table[COLUMN_TID]);
	type(top, "<");
	assert_ptr_equal(top->settings.sort, &column_table[COLUMN_COMM]);
	type(top, "<<");
	assert_null(top->settings.sort);
	type(top, "c");
	for (int i = 0; i < 20; i++)
		type(top, " j");
	assert_true(top->columns.count >= 1);
}

/* How many files the working directory has. */
static int count_files(void)
{
	DIR *directory = opendir(".");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

static void a_look_is_saved_and_nothing_overwritten(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;
	char directory[] = "/tmp/top_state_test.XXXXXX", name[128];
	struct json_object *saved;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	type(top, "s");
	assert_int_equal(sscanf(top->message.bytes, "saved as %127s", name), 1);
	saved = json_object_from_file(name);
	assert_int_equal(json_object_get_int(json_object_object_get(saved, "schema")), 1);
	json_object_put(saved);
	type(top, "ss");
	assert_int_equal(count_files(), 3);
	type(top, "j");
	assert_int_equal(top->message.length, 0);
	assert_int_equal(system("rm whystuck-*.json"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* Every key in every place, again and again: nothing crashes, nothing leaves the screen. */
static void any_keys_in_any_order_do_no_harm(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;
	struct look *empty = look_create();
	uint32_t random = 1;

	for (int i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		uint32_t key = random >> 16 & 0xff;

		if (key > 0x7f)
			key = KEYS_BEYOND_UNICODE + key % 12;
		if (key == 's')
			continue; /* writes files */
		top_take_key(top, key);
		if (i % 7 == 0)
			top_take_look(top, i % 3 == 0   ? empty
					   : i % 3 == 1 ? scene->look
							: scene->next);
		if (i % 11 == 0)
			top_resize(top, random >> 8 & 0xff, random >> 20 & 0x3f);
		assert_true(top->selected < top->rows.count || !top->rows.count);
		assert_true(top->page_first < top->page_line_count || !top->page_first);
		assert_true(top->columns.count >= 1);
	}
	top_take_look(top, scene->look);
	look_destroy(empty);
}

static void before_the_first_look_keys_do_no_harm(void **state)
{
	struct scene *scene = *state;
	struct top top;

	top_init(&top, &scene->options, NULL);
	for (uint32_t key = 1; key < 0x80; key++)
		top_take_key(&top, key);
	for (uint32_t key = KEYS_BEYOND_UNICODE; key < KEYS_BEYOND_UNICODE + 20; key++) {
		top_take_key(&top, key);
		type(&top, "w");
	}
	top_resize(&top, 20, 5);
	top_deinit(&top);
}

static void hostile_names_reach_no_page_raw(void **state)
{
	struct scene *scene = *state;
	struct top *top = &scene->top;

	scene->next->process_count = 0;
	add_hostile(scene->next);
	top_take_look(top, scene->next);
	for (const char *page = "\rwg"; *page; page++) {
		top_take_key(top, *page == '\r' ? KEY_CODE_ENTER : (uint32_t)*page);
		for (const char *at = top->page_text.bytes; *at;) {
			enum style style;
			size_t length = page_style_at(at, &style);

			assert_true(length || *at == '\n' || (unsigned char)*at >= ' ');
			at += length ? length : 1;
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_selection_stays_on_its_thread_when_the_order_changes),
		TEST(who_has_not_moved_sees_what_hurts_most_at_each_look),
		TEST(where_the_selected_thread_has_ended_its_place_is_selected),
		TEST(the_selected_row_is_on_the_screen),
		TEST(a_filter_works_while_it_is_typed_and_escape_takes_it_back),
		TEST(a_typed_character_of_several_bytes_is_erased_whole),
		TEST(states_and_users_are_checked),
		TEST(the_interval_is_typed_in_seconds),
		TEST(a_page_follows_its_thread_and_keeps_what_was_last_when_it_ends),
		TEST(the_page_of_who_waits_goes_both_ways),
		TEST(a_ring_of_waits_is_said_to_be_one),
		TEST(a_page_is_scrolled_no_further_than_its_last_line),
		TEST(the_help_has_every_key),
		cmocka_unit_test(no_key_has_two_meanings_in_one_place),
		TEST(columns_and_order_are_chosen_from_lists),
		TEST(a_look_is_saved_and_nothing_overwritten),
		TEST(any_keys_in_any_order_do_no_harm),
		TEST(before_the_first_look_keys_do_no_harm),
		TEST(hostile_names_reach_no_page_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
