// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/selection.h"
#include "explain/goroutines.h"
#include "goroutine_fixture.h"

static void the_largest_group_stands_first_then_the_lowest_id(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);
	static const uint64_t first_of[] = {20, 7, 8, 9, 10, 11, 12};

	(void)state;
	for (size_t i = 1; i <= 6; i++) {
		char *reason = arena_printf(look->arena, "reason %zu", i);

		process->goroutines[i].wait_reason = reason;
	}
	struct goroutine_groups groups = group_goroutines(process, true, look->arena);
	assert_int_equal(groups.count, 7);
	for (size_t i = 0; i < groups.count; i++)
		assert_int_equal(groups.items[i].goroutines[0]->id, first_of[i]);
	assert_int_equal(groups.items[0].goroutines[1]->id, 22);
	assert_int_equal(groups.on_thread_count, 1);
	assert_int_equal(groups.on_threads[0]->id, 1);
	look_destroy(look);
}

static void words_are_the_same_by_what_they_say(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	for (size_t i = 1; i <= 6; i++)
		process->goroutines[i].wait_reason = arena_strdup(look->arena, "chan receive");
	assert_int_equal(group_goroutines(process, true, look->arena).count, 2);
	look_destroy(look);
}

static void what_reads_differently_is_apart(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutines[1].status = "runnable";
	process->goroutines[2].locked = true;
	process->goroutines[3].uncertain = true;
	process->goroutines[4].creator = &go_accept;
	gaps_add(&process->goroutines[5].gaps, look->arena, STAGE_GOROUTINE, "it moved");
	process->goroutines[6].stack = NULL;
	assert_int_equal(group_goroutines(process, true, look->arena).count, 7);
	look_destroy(look);
}

static void a_group_knows_what_all_of_it_have_alike(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);
	struct goroutine_groups groups = group_goroutines(process, true, look->arena);

	(void)state;
	assert_int_equal(groups.items[0].shortest_ns, 2 * MINUTE);
	assert_int_equal(groups.items[0].longest_ns, 12 * MINUTE);
	assert_true(groups.items[0].all_waits_known && groups.items[0].same_wait &&
		    groups.items[0].same_creator_id);
	assert_int_equal(groups.items[1].longest_ns, -1);
	assert_false(groups.items[1].all_waits_known);

	process->goroutines[6].creator_id = 99;
	process->goroutines[6].wait = make_wait(look, "channel-receive", "a value");
	groups = group_goroutines(process, true, look->arena);
	assert_false(groups.items[0].same_wait);
	assert_false(groups.items[0].same_creator_id);
	look_destroy(look);
}

static void a_thread_that_has_no_stack_hides_none(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->threads[0].user_stack = NULL;
	struct goroutine_groups groups = group_goroutines(process, true, look->arena);
	assert_int_equal(groups.on_thread_count, 0);
	assert_int_equal(groups.count, 3);
	look_destroy(look);
}

static void many_different_stacks_are_as_many_groups(void **state)
{
	enum { COUNT = 100000 };
	struct look *look = look_create();
	struct process *process = add_go_server(look);
	struct user_stack *stacks = arena_new(look->arena, struct user_stack, COUNT);

	(void)state;
	process->goroutines = arena_new(look->arena, struct goroutine, 2 * COUNT);
	process->goroutine_count = 2 * COUNT;
	process->threads[0].goroutine = 0;
	for (size_t i = 0; i < 2 * COUNT; i++)
		process->goroutines[i] =
			waiting_goroutine(i + 1, &stacks[i % COUNT], "select", (int64_t)i);
	struct goroutine_groups groups = group_goroutines(process, true, look->arena);
	assert_int_equal(groups.count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(groups.items[i].count, 2);
		assert_int_equal(groups.items[i].goroutines[0]->id, i + 1);
		assert_int_equal(groups.items[i].goroutines[1]->id, i + 1 + COUNT);
	}
	look_destroy(look);
}

static void the_runtimes_own_are_left_out_and_counted(void **state)
{
	struct options options = {.goroutines = GOROUTINES_ALL};
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutines_left_out = 0;
	process->goroutines[2].is_system = process->goroutines[3].is_system = true;
	selection_of_goroutines(&options, look);
	assert_int_equal(process->goroutine_count, 7);
	assert_int_equal(process->goroutines_left_out, 2);
	assert_int_equal(process->goroutines[2].id, 10);
	assert_int_equal(process->thread_count, 5);

	process->goroutines[2].is_system = true;
	options.render.runtime_frames = true;
	selection_of_goroutines(&options, look);
	assert_int_equal(process->goroutine_count, 7);
	assert_null(look->gaps.first);
	look_destroy(look);
}

static void ids_choose_goroutines_and_their_threads(void **state)
{
	uint64_t ids[] = {20, 1, 77};
	struct options options = {
		.goroutines = GOROUTINES_ALL, .goroutine_ids = ids, .goroutine_count = 3};
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutines_left_out = 0;
	selection_of_goroutines(&options, look);
	assert_int_equal(process->goroutine_count, 2);
	assert_int_equal(process->goroutines[0].id, 1);
	assert_int_equal(process->goroutines[1].id, 20);
	assert_int_equal(process->goroutines_left_out, 0);
	assert_int_equal(process->thread_count, 1);
	assert_int_equal(process->threads[0].tid, 4242);
	assert_string_equal(look->gaps.first->reason, "goroutine 77: none of the targets has it");
	assert_null(look->gaps.first->next);
	look_destroy(look);
}

static void of_threads_only_what_they_run(void **state)
{
	struct options options = {.goroutines = GOROUTINES_OF_THREADS};
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	selection_of_goroutines(&options, look);
	assert_int_equal(process->goroutine_count, 1);
	assert_int_equal(process->goroutines[0].id, 1);
	assert_int_equal(process->thread_count, 5);
	look_destroy(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_group_stands_first_then_the_lowest_id),
		cmocka_unit_test(words_are_the_same_by_what_they_say),
		cmocka_unit_test(what_reads_differently_is_apart),
		cmocka_unit_test(a_group_knows_what_all_of_it_have_alike),
		cmocka_unit_test(a_thread_that_has_no_stack_hides_none),
		cmocka_unit_test(many_different_stacks_are_as_many_groups),
		cmocka_unit_test(the_runtimes_own_are_left_out_and_counted),
		cmocka_unit_test(ids_choose_goroutines_and_their_threads),
		cmocka_unit_test(of_threads_only_what_they_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
