// SPDX-License-Identifier: Apache-2.0
/* The graph of waits on made-up looks: who waits for whom is written down, not collected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "explain/graph.h"
#include "model/chain.h"
#include "util/arena.h"

#define PROCESSES 4
#define THREADS 1200

/* A look in the making: processes of which each thread rests until it is told to wait. */
struct scene {
	struct look look;
	struct process processes[PROCESSES];
	struct process *list[PROCESSES];
};

static void begin(struct scene *scene, size_t processes, size_t threads)
{
	*scene = (struct scene){.look = {.arena = arena_create()}};
	scene->look.processes = scene->list;
	scene->look.process_count = processes;
	for (size_t i = 0; i < processes; i++) {
		struct process *process = &scene->processes[i];

		scene->list[i] = process;
		*process = (struct process){.pid = 100 * (pid_t)(i + 1),
			.comm = "app",
			.threads = arena_new(scene->look.arena, struct thread, threads),
			.thread_count = threads};
		for (size_t j = 0; j < threads; j++)
			process->threads[j] = (struct thread){.tid = process->pid + (pid_t)j,
				.state = 'S',
				.wait = arena_new(scene->look.arena, struct wait, 1)};
		for (size_t j = 0; j < threads; j++)
			*process->threads[j].wait =
				(struct wait){.kind = "x", .sentence = "waits for x", .text = "x"};
	}
}

static void end(struct scene *scene)
{
	arena_destroy(scene->look.arena);
}

static struct thread *thread_of(struct scene *scene, pid_t tid)
{
	for (size_t i = 0; i < scene->look.process_count; i++) {
		struct process *process = scene->list[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			if (process->threads[j].tid == tid)
				return &process->threads[j];
		}
	}
	fail();
	return NULL;
}

static struct holder *add(
	struct scene *scene, pid_t waiter, enum sureness sureness, pid_t pid, pid_t tid)
{
	enum { MOST = 4 };
	struct wait *wait = thread_of(scene, waiter)->wait;

	if (!wait->holders)
		wait->holders = arena_new(scene->look.arena, struct holder, MOST);
	assert_true(wait->holder_count < MOST);
	wait->holders[wait->holder_count] =
		(struct holder){.pid = pid, .tid = tid, .sureness = sureness, .text = "holds it"};
	wait->holders_complete = true;
	return &wait->holders[wait->holder_count++];
}

/* The thread @waiter waits for what @owner of the first process has. */
static void owned_by(struct scene *scene, pid_t waiter, pid_t owner)
{
	add(scene, waiter, SURE_OWNS, owner / 100 * 100, owner);
}

static void two_threads_that_own_what_the_other_wants(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 4);
	owned_by(&scene, 101, 102);
	owned_by(&scene, 102, 101);
	owned_by(&scene, 103, 101);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 1);
	const struct deadlock *deadlock = scene.look.deadlocks[0];
	assert_true(deadlock->certain && deadlock->is_ring);
	assert_int_equal(deadlock->count, 2);
	assert_int_equal(deadlock->members[0].thread->tid, 101);
	assert_int_equal(deadlock->members[1].thread->tid, 102);
	assert_string_equal(deadlock->members[0].text, "waits for x, held by thread 102");
	assert_int_equal(deadlock->behind, 1);
	assert_ptr_equal(thread_of(&scene, 103)->wait->deadlock, deadlock);
	assert_null(thread_of(&scene, 100)->wait->deadlock);
	end(&scene);
}

static void a_ring_stands_in_the_order_of_its_waits(void **state)
{
	static const pid_t order[] = {101, 104, 102, 105, 103};
	struct scene scene;

	(void)state;
	begin(&scene, 1, 6);
	for (size_t i = 0; i < 5; i++)
		owned_by(&scene, order[i], order[(i + 1) % 5]);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 1);
	assert_int_equal(scene.look.deadlocks[0]->count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(scene.look.deadlocks[0]->members[i].thread->tid, order[i]);
	end(&scene);
}

static void a_ring_with_one_that_runs_is_none(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 3);
	owned_by(&scene, 101, 102);
	owned_by(&scene, 102, 101);
	thread_of(&scene, 102)->state = 'R';
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 0);
	end(&scene);
}

static void a_ring_with_a_way_out_is_none(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 4);
	owned_by(&scene, 101, 102);
	add(&scene, 102, SURE_MAY, 100, 101);
	add(&scene, 102, SURE_MAY, 100, 103); /* which waits for whatever comes */
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 0);
	end(&scene);
}

static void a_wait_that_time_ends_is_none(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 3);
	owned_by(&scene, 101, 102);
	owned_by(&scene, 102, 101);
	thread_of(&scene, 101)->wait->holders_complete = false;
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 0);
	end(&scene);
}

static void one_that_wants_what_it_has_itself(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 2);
	owned_by(&scene, 101, 101);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 1);
	assert_int_equal(scene.look.deadlocks[0]->count, 1);
	end(&scene);
}

/* Processes of one thread each that may end each other's wait, as over two pipes. */
static void processes_that_may_is_but_possible(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 2, 1);
	add(&scene, 100, SURE_MAY, 200, 0);
	add(&scene, 200, SURE_MAY, 100, 0);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 1);
	assert_false(scene.look.deadlocks[0]->certain);
	assert_int_equal(scene.look.deadlocks[0]->count, 2);
	assert_ptr_equal(thread_of(&scene, 100)->wait->followed->thread, thread_of(&scene, 200));
	end(&scene);
}

static void a_process_with_a_thread_that_can_go_on_is_no_part_of_one(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 2, 2);
	add(&scene, 100, SURE_MAY, 200, 0);
	add(&scene, 200, SURE_MAY, 100, 0);
	owned_by(&scene, 201, 200); /* of the other's threads all are stuck, of the first's not */
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 0);
	end(&scene);
}

static void all_threads_of_a_process_wait_for_any_other(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 3);
	for (pid_t tid = 100; tid < 103; tid++)
		add(&scene, tid, SURE_MAY, 100, 0);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 1);
	assert_int_equal(scene.look.deadlocks[0]->count, 3);
	assert_false(scene.look.deadlocks[0]->certain);
	end(&scene);
}

static void who_is_not_known_can_go_on(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 2);
	owned_by(&scene, 101, 999);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 0);
	end(&scene);
}

static bool has_moved(const struct process *process, const struct thread *thread)
{
	(void)process;
	return thread->tid != 102;
}

static void a_thread_that_ran_meanwhile_makes_it_none(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 3);
	owned_by(&scene, 101, 102);
	owned_by(&scene, 102, 101);
	scene.processes[0].still_there = has_moved;
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 0);
	assert_null(thread_of(&scene, 101)->wait->deadlock);
	end(&scene);
}

/* Memory in which every word is 101. */
static size_t read_101(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const uint32_t value = 101;

	(void)memory;
	(void)address;
	assert_int_equal(length, sizeof(value));
	memcpy(to, &value, sizeof(value));
	return length;
}

static void an_owner_that_is_another_one_now_is_left_out(void **state)
{
	static const struct memory memory = {.read = read_101};
	struct scene scene;

	(void)state;
	begin(&scene, 1, 4);
	scene.processes[0].memory = &memory;
	add(&scene, 102, SURE_OWNS, 100, 101)->proof = (struct proof){0x1000, UINT32_MAX, 101};
	add(&scene, 103, SURE_OWNS, 100, 102)->proof = (struct proof){0x1000, UINT32_MAX, 102};
	graph_explain(&scene.look);
	assert_int_equal(thread_of(&scene, 102)->wait->holder_count, 1);
	assert_int_equal(thread_of(&scene, 103)->wait->holder_count, 0);
	assert_true(thread_of(&scene, 103)->wait->changed);
	assert_false(thread_of(&scene, 102)->wait->changed);
	end(&scene);
}

static void an_owner_elsewhere_must_map_the_same_word(void **state)
{
	static const struct memory memory = {.read = read_101};
	struct mapping mine = {
		.start = 0x1000, .end = 0x2000, .device = 5, .inode = 6, .shared = true};
	struct mapping same = {
		.start = 0x7000, .end = 0x8000, .device = 5, .inode = 6, .shared = true};
	struct mapping other = {
		.start = 0x7000, .end = 0x8000, .device = 5, .inode = 7, .shared = true};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene scene;

		begin(&scene, 2, 1);
		scene.processes[0].memory = &memory;
		scene.processes[0].mappings = (struct mappings){&mine, 1};
		scene.processes[1].mappings = (struct mappings){i ? &other : &same, 1};
		add(&scene, 100, SURE_OWNS, 200, 200)->proof =
			(struct proof){0x1800, UINT32_MAX, 101};
		graph_explain(&scene.look);
		assert_int_equal(thread_of(&scene, 100)->wait->holder_count, i ? 0 : 1);
		end(&scene);
	}
}

static void chains_lead_to_the_root_that_holds_up_all(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 5);
	owned_by(&scene, 101, 102);
	owned_by(&scene, 102, 103);
	owned_by(&scene, 104, 102);
	graph_explain(&scene.look);
	struct chain chain = {.wait = thread_of(&scene, 101)->wait};
	assert_int_equal(chain_next(&chain)->tid, 102);
	assert_int_equal(chain_next(&chain)->tid, 103);
	assert_null(chain_next(&chain));
	assert_false(chain.returns);
	assert_int_equal(thread_of(&scene, 103)->holds_up, 3);
	assert_int_equal(thread_of(&scene, 102)->holds_up, 2);
	assert_int_equal(scene.look.blocker_count, 1);
	assert_int_equal(scene.look.blockers[0].thread->tid, 103);
	end(&scene);
}

static void of_several_that_may_no_one_is_followed(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 3, 1);
	add(&scene, 100, SURE_MAY, 200, 0);
	add(&scene, 100, SURE_MAY, 300, 0);
	graph_explain(&scene.look);
	assert_null(thread_of(&scene, 100)->wait->followed);
	end(&scene);
}

static pid_t one_of_300(pid_t tid)
{
	return tid == 301 ? 300 : 0;
}

static void processes_that_are_waited_for_and_not_there_are_missing(void **state)
{
	struct scene scene;
	pid_t pids[4];

	(void)state;
	begin(&scene, 2, 2);
	add(&scene, 100, SURE_MAY, 200, 0);
	add(&scene, 101, SURE_OWNS, 0, 301);
	add(&scene, 200, SURE_MAY, 400, 0);
	add(&scene, 201, SURE_MAY, 500, 0);
	thread_of(&scene, 201)->wait->idle = true;
	assert_int_equal(graph_missing(&scene.look, scene.list, 2, true, one_of_300, pids, 4), 2);
	assert_int_equal(pids[0], 300);
	assert_int_equal(pids[1], 400);
	assert_int_equal(thread_of(&scene, 101)->wait->holders[0].pid, 300);
	assert_int_equal(graph_missing(&scene.look, scene.list, 2, true, one_of_300, pids, 1), 1);
	end(&scene);
}

/* Whether a thread is stuck for ever, by trying all the ways that it may take. */
static bool leads_out(const bool edges[8][8], const bool *free_now, int from, unsigned seen)
{
	bool any = false;

	if (free_now[from])
		return true;
	for (int to = 0; to < 8; to++) {
		if (!edges[from][to])
			continue;
		any = true;
		if (!(seen >> to & 1) && leads_out(edges, free_now, to, seen | 1U << to))
			return true;
	}
	return !any;
}

/* Random graphs against that. */
static void who_is_stuck_is_what_trying_all_ways_gives(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		bool edges[8][8] = {{false}}, free_now[8] = {false};
		struct scene scene;

		begin(&scene, 1, 9);
		for (int i = 0; i < 8; i++) {
			random = random * 1664525 + 1013904223;
			int count = (int)(random >> 24) % 3;

			free_now[i] = (random >> 16) % 8 == 0;
			if (free_now[i])
				thread_of(&scene, 101 + i)->state = 'R';
			for (int j = 0; j < count; j++) {
				random = random * 1664525 + 1013904223;
				int to = (int)(random >> 24) % 8;

				if (!edges[i][to])
					add(&scene, 101 + i, SURE_OWNS, 100, 101 + to);
				edges[i][to] = true;
			}
		}
		graph_explain(&scene.look);
		for (int i = 0; i < 8; i++) {
			bool stuck = !leads_out(edges, free_now, i, 1U << i);

			assert_int_equal(!!thread_of(&scene, 101 + i)->wait->deadlock, stuck);
		}
		end(&scene);
	}
}

static void a_thousand_in_one_line(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, THREADS);
	for (pid_t tid = 100; tid < 100 + THREADS - 1; tid++)
		add(&scene, tid, SURE_OWNS, 100, tid + 1);
	add(&scene, 100 + THREADS - 1, SURE_OWNS, 100, 100 + THREADS - 2);
	graph_explain(&scene.look);
	assert_int_equal(scene.look.deadlock_count, 1);
	assert_int_equal(scene.look.deadlocks[0]->count, 2);
	assert_int_equal(scene.look.deadlocks[0]->behind, THREADS - 2);
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads_that_own_what_the_other_wants),
		cmocka_unit_test(a_ring_stands_in_the_order_of_its_waits),
		cmocka_unit_test(a_ring_with_one_that_runs_is_none),
		cmocka_unit_test(a_ring_with_a_way_out_is_none),
		cmocka_unit_test(a_wait_that_time_ends_is_none),
		cmocka_unit_test(one_that_wants_what_it_has_itself),
		cmocka_unit_test(processes_that_may_is_but_possible),
		cmocka_unit_test(a_process_with_a_thread_that_can_go_on_is_no_part_of_one),
		cmocka_unit_test(all_threads_of_a_process_wait_for_any_other),
		cmocka_unit_test(who_is_not_known_can_go_on),
		cmocka_unit_test(a_thread_that_ran_meanwhile_makes_it_none),
		cmocka_unit_test(an_owner_that_is_another_one_now_is_left_out),
		cmocka_unit_test(an_owner_elsewhere_must_map_the_same_word),
		cmocka_unit_test(chains_lead_to_the_root_that_holds_up_all),
		cmocka_unit_test(of_several_that_may_no_one_is_followed),
		cmocka_unit_test(processes_that_are_waited_for_and_not_there_are_missing),
		cmocka_unit_test(who_is_stuck_is_what_trying_all_ways_gives),
		cmocka_unit_test(a_thousand_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
