// SPDX-License-Identifier: Apache-2.0
#include "top_fixture.h"

#include "top/columns.h"
#include "top/rows.h"

struct scene {
	struct look *look;
	struct arena *arena;
	struct row_settings settings;
	struct rows rows;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->look = look_create();
	scene->arena = arena_create();
	add_plights(scene->look);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	look_destroy(scene->look);
	arena_destroy(scene->arena);
	free(scene);
	return 0;
}

static void assert_threads(struct scene *scene, const pid_t *tids, size_t count)
{
	scene->rows = rows_build(scene->look, NULL, &scene->settings, scene->arena);
	assert_int_equal(scene->rows.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(scene->rows.items[i].thread->tid, tids[i]);
}

#define ASSERT_THREADS(scene, ...)                                                                 \
	assert_threads(scene, (const pid_t[]){__VA_ARGS__},                                        \
		sizeof((pid_t[]){__VA_ARGS__}) / sizeof(pid_t))

static void what_hurts_most_stands_first(void **state)
{
	struct scene *scene = *state;

	ASSERT_THREADS(scene, RUNNING, STUCK, HELD, WAITING, HOLDING, RESTING);
	assert_int_equal(scene->rows.threads, PLIGHTS);
	assert_int_equal(scene->rows.pains[PAIN_WAITING], 2);
	assert_int_equal(scene->rows.pains[PAIN_RESTING], 1);
}

static void assert_cell(struct scene *scene, enum column_id column, pid_t tid, const char *expected)
{
	struct text text cleanup_text = {0};
	const struct thread *thread = thread_of(scene->look, tid);
	struct row row = {.look = scene->look,
		.process = scene->look->processes[0],
		.thread = thread,
		.threads = &thread,
		.count = 1};

	column_table[column].append(&text, &row);
	assert_string_equal(text.bytes ? text.bytes : "", expected);
}

static void deadlocked_threads_stand_first_and_of_others_who_holds_up_the_most(void **state)
{
	struct scene *scene = *state;
	static const struct deadlock deadlock;

	thread_of(scene->look, HELD)->wait->deadlock = &deadlock;
	thread_of(scene->look, HOLDING)->holds_up = 2; /* though WAITING has waited longer */
	ASSERT_THREADS(scene, HELD, RUNNING, STUCK, HOLDING, WAITING, RESTING);
	assert_cell(scene, COLUMN_WAITERS, HOLDING, "2");
	assert_cell(scene, COLUMN_WAITERS, WAITING, "");
}

static void who_waits_for_any_thread_of_its_own_process_is_held_up_by_nobody_in_particular(
	void **state)
{
	struct scene *scene = *state;

	set_holder(scene->look, thread_of(scene->look, HELD), RESTING, 0);
	assert_int_equal(
		thread_pain(scene->look->processes[0], thread_of(scene->look, HELD)), PAIN_WAITING);
}

static void the_longest_in_its_wait_stands_first_and_reversed_last_but_before_the_resting(
	void **state)
{
	struct scene *scene = *state;

	scene->settings.reversed = true;
	ASSERT_THREADS(scene, HOLDING, WAITING, HELD, STUCK, RUNNING, RESTING);
}

static void rows_are_sorted_by_a_column_and_those_with_nothing_there_come_last(void **state)
{
	struct scene *scene = *state;

	scene->settings.sort = &column_table[COLUMN_TID];
	ASSERT_THREADS(scene, RUNNING, STUCK, HELD, HOLDING, WAITING, RESTING);
	scene->settings.sort = &column_table[COLUMN_COMM];
	ASSERT_THREADS(scene, RUNNING, STUCK, HELD, WAITING, HOLDING, RESTING);
	scene->settings.sort = &column_table[COLUMN_HOLDER];
	ASSERT_THREADS(scene, HELD, RUNNING, STUCK, WAITING, HOLDING, RESTING);
}

static void those_that_rest_can_be_hidden_and_are_counted(void **state)
{
	struct scene *scene = *state;

	scene->settings.hides_resting = true;
	ASSERT_THREADS(scene, RUNNING, STUCK, HELD, WAITING, HOLDING);
	assert_int_equal(scene->rows.hidden, 1);
	assert_int_equal(scene->rows.threads, PLIGHTS);
}

static void a_filter_finds_text_in_any_cell_in_whatever_case(void **state)
{
	struct scene *scene = *state;

	scene->settings.filter = "MUTEX";
	ASSERT_THREADS(scene, HELD);
	scene->settings.filter = "worker"; /* its own name, and on whom the other waits */
	ASSERT_THREADS(scene, HELD, HOLDING);
	scene->settings.filter = "nowhere";
	assert_threads(scene, NULL, 0);
	assert_int_equal(scene->rows.threads, 0);
}

static void threads_are_chosen_by_state_and_by_user(void **state)
{
	struct scene *scene = *state;

	scene->settings.states = "DR";
	ASSERT_THREADS(scene, RUNNING, STUCK);
	scene->settings.states = "";
	scene->settings.of_one_user = true;
	scene->settings.uid = 0;
	assert_threads(scene, NULL, 0);
	scene->settings.uid = 1000;
	ASSERT_THREADS(scene, RUNNING, STUCK, HELD, WAITING, HOLDING, RESTING);
}

static void for_a_process_stands_the_thread_that_hurts_most(void **state)
{
	struct scene *scene = *state;

	add_process(scene->look, 7, "calm", 3);
	scene->settings.kind = ROWS_PROCESSES;
	ASSERT_THREADS(scene, RUNNING, 7);
	assert_int_equal(scene->rows.items[0].count, PLIGHTS);
	assert_int_equal(scene->rows.items[1].count, 3);
	scene->settings.states = "D";
	ASSERT_THREADS(scene, STUCK);
	assert_int_equal(scene->rows.items[0].count, 1);
}

static void threads_with_the_same_stack_share_a_row(void **state)
{
	struct scene *scene = *state;

	add_process(scene->look, 7, "calm", 3);
	scene->settings.kind = ROWS_STACKS;
	ASSERT_THREADS(scene, RUNNING, STUCK, HELD, 7, WAITING, HOLDING, RESTING);
	assert_int_equal(scene->rows.items[3].count, 3); /* the larger first */
	scene->settings.filter = "mutex"; /* the other threads are no part of any row */
	ASSERT_THREADS(scene, HELD);
	assert_ptr_equal(scene->rows.items[0].process, scene->look->processes[0]);
}

static void a_row_tells_what_changed_of_the_thread_that_stands_for_it(void **state)
{
	struct scene *scene = *state;
	struct facts *before = facts_create(scene->look, NULL), *after;
	struct rows rows;

	assert_false(
		rows_build(scene->look, before, &scene->settings, scene->arena).items[0].is_new);
	add_process(scene->look, 7, "new", 2);
	thread_of(scene->look, HELD)->state = 'D';
	after = facts_create(scene->look, before);
	scene->settings.kind = ROWS_PROCESSES;
	rows = rows_build(scene->look, after, &scene->settings, scene->arena);
	assert_int_equal(rows.count, 2);
	assert_false(rows.items[0].is_new);
	assert_true(rows.items[1].is_new);
	scene->settings.kind = ROWS_THREADS;
	scene->settings.states = "D";
	rows = rows_build(scene->look, after, &scene->settings, scene->arena);
	assert_int_equal(rows.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(!!(rows.items[i].changed & 1u << FACET_STATE),
			rows.items[i].thread->tid == HELD);
	facts_destroy(before);
	facts_destroy(after);
}

static void cells_tell_what_they_are_named_for(void **state)
{
	struct scene *scene = *state;

	set_accept_call(scene->look, thread_of(scene->look, RESTING));
	set_kernel_stack(scene->look, thread_of(scene->look, RESTING));
	set_user_stack(
		scene->look, thread_of(scene->look, RESTING), server_frames, SERVER_FRAME_COUNT);
	assert_cell(scene, COLUMN_SYSCALL, RESTING, "accept");
	assert_cell(scene, COLUMN_KERNEL, RESTING, "inet_csk_accept");
	assert_cell(scene, COLUMN_USER, RESTING, "wait_for_client"); /* and not libc's accept */
	assert_cell(scene, COLUMN_TIME, RESTING, "11.8 s");
	assert_cell(scene, COLUMN_TIME, WAITING, "1:00:00");
	assert_cell(scene, COLUMN_TIME, RUNNING, "");
	assert_cell(scene, COLUMN_WAIT, HELD, "mutex 0x10");
	assert_cell(scene, COLUMN_HOLDER, HELD, "thread 104 \"worker\"");
	assert_cell(scene, COLUMN_HOLDER, RESTING, "");
	thread_of(scene->look, HELD)->wait->holders[0] =
		(struct holder){.pid = 4711, .uncertain = true, .text = "the other end"};
	assert_cell(scene, COLUMN_HOLDER, HELD, "pid 4711 ?");
	set_user_stack(scene->look, thread_of(scene->look, HELD), &server_frames[4], 1);
	assert_cell(scene, COLUMN_USER, HELD, "[accept] ?");
	thread_of(scene->look, WAITING)->blocked_ns = 90 * NS_PER_SECOND;
	assert_cell(scene, COLUMN_TIME, WAITING, "1:30");
}

static void every_cell_of_a_hostile_thread_is_escaped(void **state)
{
	struct scene *scene = *state;
	struct process *process = add_hostile(scene->look);
	const struct thread *thread = &process->threads[0];
	struct row row = {.look = scene->look,
		.process = process,
		.thread = thread,
		.threads = &thread,
		.count = 1};

	for (int i = 0; i < COLUMNS; i++) {
		struct text text cleanup_text = {0};

		column_table[i].append(&text, &row);
		for (size_t j = 0; j < text.length; j++)
			assert_true((unsigned char)text.bytes[j] >= ' ' && text.bytes[j] != 0x7f);
	}
	process->threads[0].state = '\033';
	assert_int_equal(
		rows_build(scene->look, NULL, &scene->settings, scene->arena).count, PLIGHTS + 1);
}

static void columns_are_read_from_a_list(void **state)
{
	(void)state;
	struct column_list list;
	const char *word;
	size_t length;

	assert_true(columns_parse("wait,pid", &list, &word, &length));
	assert_int_equal(list.count, 2);
	assert_ptr_equal(list.items[0], &column_table[COLUMN_WAIT]);
	assert_false(columns_parse("pid,nonsense,tid", &list, &word, &length));
	assert_memory_equal(word, "nonsense", length);
	assert_false(columns_parse("pid,pid", &list, &word, &length));
	assert_false(columns_parse("pid,", &list, &word, &length));
	assert_false(columns_parse("", &list, &word, &length));
	assert_int_equal(length, 0);
}

static void columns_are_shown_hidden_and_moved(void **state)
{
	(void)state;
	struct column_list list;
	const char *word;
	size_t length;

	columns_parse("pid,tid", &list, &word, &length);
	columns_toggle(&list, &column_table[COLUMN_WAIT]);
	columns_move(&list, &column_table[COLUMN_WAIT], -1);
	assert_ptr_equal(list.items[1], &column_table[COLUMN_WAIT]);
	columns_move(&list, &column_table[COLUMN_PID], -1); /* it is the first */
	columns_move(&list, &column_table[COLUMN_TID], 1);  /* it is the last */
	assert_ptr_equal(list.items[0], &column_table[COLUMN_PID]);
	columns_toggle(&list, &column_table[COLUMN_PID]);
	columns_toggle(&list, &column_table[COLUMN_TID]);
	columns_toggle(&list, &column_table[COLUMN_WAIT]); /* the last one stays */
	assert_int_equal(list.count, 1);
}

static void columns_fit_every_width_and_fill_it_as_far_as_they_want(void **state)
{
	(void)state;
	struct column_list list;
	unsigned widths[COLUMNS];

	columns_default(&list);
	for (unsigned width = 1; width < 400; width++) {
		for (size_t first = 0; first < list.count; first++) {
			size_t count = columns_lay_out(&list, ROWS_THREADS, first, width, widths);
			unsigned total = 0;

			assert_true(count >= 1 && first + count <= list.count);
			for (size_t i = 0; i < count; i++) {
				assert_true(
					widths[i] >= 1 && widths[i] <= list.items[first + i]->most);
				total += widths[i] + (i > 0);
			}
			assert_true(total <= width);
		}
	}
	assert_int_equal(columns_lay_out(&list, ROWS_THREADS, 0, 300, widths), list.count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_hurts_most_stands_first),
		TEST(deadlocked_threads_stand_first_and_of_others_who_holds_up_the_most),
		TEST(who_waits_for_any_thread_of_its_own_process_is_held_up_by_nobody_in_particular),
		TEST(the_longest_in_its_wait_stands_first_and_reversed_last_but_before_the_resting),
		TEST(rows_are_sorted_by_a_column_and_those_with_nothing_there_come_last),
		TEST(those_that_rest_can_be_hidden_and_are_counted),
		TEST(a_filter_finds_text_in_any_cell_in_whatever_case),
		TEST(threads_are_chosen_by_state_and_by_user),
		TEST(for_a_process_stands_the_thread_that_hurts_most),
		TEST(threads_with_the_same_stack_share_a_row),
		TEST(a_row_tells_what_changed_of_the_thread_that_stands_for_it),
		TEST(cells_tell_what_they_are_named_for),
		TEST(every_cell_of_a_hostile_thread_is_escaped),
		cmocka_unit_test(columns_are_read_from_a_list),
		cmocka_unit_test(columns_are_shown_hidden_and_moved),
		cmocka_unit_test(columns_fit_every_width_and_fill_it_as_far_as_they_want),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
