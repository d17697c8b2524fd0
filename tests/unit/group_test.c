// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/group.h"

static const struct frame read_frame = {.symbol = "read", .module = "/lib/libc.so.6"};
static const struct frame read_again = {.symbol = "read", .module = "/lib/libc.so.6"};
static const struct frame work_frame = {.symbol = "work", .module = "/bin/app"};
static const struct frame *reading[] = {&read_frame, &work_frame};
static const struct frame *reading_again[] = {&read_again, &work_frame};
static const struct frame *working[] = {&work_frame};

static struct user_stack in_read = {.frames = reading, .frame_count = 2};
static struct user_stack also_in_read = {.frames = reading_again, .frame_count = 2};
static struct user_stack in_work = {.frames = working, .frame_count = 1};

static struct wait data_from_a = {.kind = "pipe-read", .sentence = "waits for a"};
static struct wait data_from_b = {.kind = "pipe-read", .sentence = "waits for b"};
static struct wait rest = {.kind = "condition", .sentence = "rests", .idle = true};
static struct wait runs = {.kind = "running", .sentence = "runs"};

static struct thread sample[] = {
	{.tid = 1, .state = 'S', .user_stack = &in_work, .wait = &rest},
	{.tid = 2, .state = 'S', .user_stack = &in_work, .wait = &rest},
	{.tid = 3, .state = 'S', .user_stack = &in_work, .wait = &rest},
	{.tid = 4, .state = 'S', .user_stack = &in_read, .wait = &data_from_a},
	{.tid = 5, .state = 'S', .user_stack = &also_in_read, .wait = &data_from_b},
	{.tid = 6, .state = 'S', .user_stack = &in_read, .wait = &data_from_a},
	{.tid = 7, .state = 'D', .user_stack = &in_read, .wait = &data_from_a},
	{.tid = 8, .state = 'R', .user_stack = &in_work, .wait = &runs},
};
static const struct process process = {.threads = sample, .thread_count = 8};

static void threads_with_the_same_stack_share_a_group_and_the_interesting_come_first(void **state)
{
	(void)state;
	struct arena *arena cleanup_arena = arena_create();
	struct thread_groups groups = group_threads(&process, true, arena);
	static const pid_t first_of[] = {8, 7, 4, 1};
	static const size_t size_of[] = {1, 1, 3, 3};

	assert_int_equal(groups.count, 4);
	for (size_t i = 0; i < groups.count; i++) {
		assert_int_equal(groups.items[i].threads[0]->tid, first_of[i]);
		assert_int_equal(groups.items[i].count, size_of[i]);
	}
	assert_int_equal(groups.items[2].threads[1]->tid, 5);
	assert_int_equal(groups.items[2].threads[2]->tid, 6);
}

static void a_group_tells_whether_all_wait_for_the_same(void **state)
{
	(void)state;
	struct arena *arena cleanup_arena = arena_create();
	struct thread_groups groups = group_threads(&process, true, arena);

	assert_false(groups.items[2].same_wait);
	assert_true(groups.items[3].same_wait);
}

static void apart_each_thread_stands_alone_in_the_same_order(void **state)
{
	(void)state;
	struct arena *arena cleanup_arena = arena_create();
	struct thread_groups groups = group_threads(&process, false, arena);
	static const pid_t order[] = {8, 7, 4, 5, 6, 1, 2, 3};

	assert_int_equal(groups.count, 8);
	for (size_t i = 0; i < groups.count; i++) {
		assert_int_equal(groups.items[i].count, 1);
		assert_int_equal(groups.items[i].threads[0]->tid, order[i]);
	}
}

static void threads_that_rest_in_a_role_share_a_group_wherever_they_are(void **state)
{
	(void)state;
	struct arena *arena cleanup_arena = arena_create();
	struct thread resting[] = {
		{.tid = 1, .state = 'S', .user_stack = &in_work, .wait = &data_from_a},
		{.tid = 2, .state = 'S', .role = "idle", .user_stack = &in_read},
		{.tid = 3, .state = 'S', .role = "idle", .user_stack = &in_work, .wait = &rest},
		{.tid = 4, .state = 'R', .role = "idle", .user_stack = &in_work},
		{.tid = 5, .state = 'S', .role = "monitor", .user_stack = &in_work},
		{.tid = 6, .state = 'S', .role = "idle", .user_stack = &in_read, .goroutine = 7},
	};
	const struct process server = {.threads = resting, .thread_count = 6};
	struct thread_groups groups = group_threads(&server, true, arena);
	static const pid_t first_of[] = {4, 1, 6, 2, 5};

	assert_int_equal(groups.count, 5);
	for (size_t i = 0; i < groups.count; i++) {
		assert_int_equal(groups.items[i].threads[0]->tid, first_of[i]);
		assert_int_equal(groups.items[i].count, i == 3 ? 2 : 1);
	}
	assert_int_equal(groups.items[3].threads[1]->tid, 3);
	assert_int_equal(group_threads(&server, false, arena).count, 6);
}

static void threads_of_goroutines_in_different_states_are_apart(void **state)
{
	(void)state;
	struct arena *arena cleanup_arena = arena_create();
	struct goroutine goroutines[] = {
		{.id = 7, .status = "syscall"},
		{.id = 8, .status = "running"},
		{.id = 9, .status = "syscall"},
	};
	struct thread running[] = {
		{.tid = 1, .state = 'S', .user_stack = &in_work, .goroutine = 7},
		{.tid = 2, .state = 'S', .user_stack = &in_work, .goroutine = 8},
		{.tid = 3, .state = 'S', .user_stack = &in_work, .goroutine = 9},
		{.tid = 4, .state = 'S', .user_stack = &in_work, .goroutine = 99},
		{.tid = 5, .state = 'S', .user_stack = &in_work},
	};
	const struct process server = {.threads = running,
		.thread_count = 5,
		.goroutines = goroutines,
		.goroutine_count = 3};
	struct thread_groups groups = group_threads(&server, true, arena);

	assert_int_equal(groups.count, 4);
	assert_int_equal(groups.items[0].count, 2);
	assert_int_equal(groups.items[0].threads[1]->tid, 3);
}

static void a_process_without_threads_has_no_groups(void **state)
{
	(void)state;
	struct arena *arena cleanup_arena = arena_create();
	const struct process empty = {0};

	assert_int_equal(group_threads(&empty, true, arena).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			threads_with_the_same_stack_share_a_group_and_the_interesting_come_first),
		cmocka_unit_test(a_group_tells_whether_all_wait_for_the_same),
		cmocka_unit_test(apart_each_thread_stands_alone_in_the_same_order),
		cmocka_unit_test(threads_that_rest_in_a_role_share_a_group_wherever_they_are),
		cmocka_unit_test(threads_of_goroutines_in_different_states_are_apart),
		cmocka_unit_test(a_process_without_threads_has_no_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
