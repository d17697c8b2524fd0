// SPDX-License-Identifier: Apache-2.0
/* How long ago a thread went to sleep, whatever CPU's clock tells it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <sys/mman.h>

#include "collect/collector.h"
#include "collect/ways.h"
#include "target.h"
#include "util/clock.h"

#define TOLERANCE_NS (5 * NS_PER_MS)

static struct {
	int cpu;
	int64_t slept_at_ns;
} * shared;

static void sleep_on_cpu(const struct target *target)
{
	cpu_set_t only;
	char byte;

	CPU_ZERO(&only);
	CPU_SET(shared->cpu, &only);
	if (sched_setaffinity(0, sizeof(only), &only) < 0)
		_exit(1);
	target_ready(target);
	shared->slept_at_ns = clock_ns(CLOCK_MONOTONIC);
	_exit((int)read(target->hold, &byte, 1));
}

static int64_t blocked_ns(const struct collector *collector, pid_t pid, int cpu)
{
	const struct look_request request = {
		.pids = &pid, .pid_count = 1, .kernel_stacks = true, .user_stacks = true};
	struct look look = {.arena = arena_create()};

	assert_null(collector->collect(&request, &look).reason);
	assert_int_equal(look.process_count, 1);
	const struct thread *thread = &look.processes[0]->threads[0];
	assert_int_equal(thread->cpu, cpu);
	int64_t blocked = thread->blocked_ns;
	collector->release(&look);
	arena_destroy(look.arena);
	return blocked;
}

static void expect_time_of_sleep(const struct collector *collector, int cpu)
{
	shared->cpu = cpu;
	struct target target = target_start(sleep_on_cpu);
	target_await(target.pid, 'S');

	int64_t least = clock_ns(CLOCK_MONOTONIC) - shared->slept_at_ns;
	int64_t told = blocked_ns(collector, target.pid, cpu);
	int64_t most = clock_ns(CLOCK_MONOTONIC) - shared->slept_at_ns;
	assert_true(told >= least - TOLERANCE_NS);
	assert_true(told <= most + TOLERANCE_NS);
	target_end(&target);
}

static void threads_of_every_cpu_sleep_as_long_as_they_do(void **state)
{
	cpu_set_t mine;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t still;

		if (!CPU_ISSET(cpu, &mine))
			continue;
		expect_time_of_sleep(&collector_passive, cpu);
		assert_int_equal(sched_getaffinity(0, sizeof(still), &still), 0);
		assert_true(CPU_EQUAL(&mine, &still));
	}
}

/* Where one may not go, another CPU's clock has to do. */
static void cpus_out_of_reach_have_a_time_all_the_same(void **state)
{
	cpu_set_t mine, one;
	int first = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	if (CPU_COUNT(&mine) < 2)
		skip();
	while (!CPU_ISSET(first, &mine))
		first++;
	int second = first + 1;
	while (!CPU_ISSET(second, &mine))
		second++;
	shared->cpu = second;
	struct target target = target_start(sleep_on_cpu);
	target_await(target.pid, 'S');
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_true(blocked_ns(&collector_passive, target.pid, second) >= 0);
	assert_int_equal(sched_setaffinity(0, sizeof(mine), &mine), 0);
	target_end(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_of_every_cpu_sleep_as_long_as_they_do),
		cmocka_unit_test(cpus_out_of_reach_have_a_time_all_the_same),
	};

	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
