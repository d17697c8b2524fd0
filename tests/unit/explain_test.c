// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "explain/explain.h"
#include "fake_target.h"

static void each_thread_gets_its_call_and_its_wait(void **state)
{
	struct fake_target target;
	struct thread threads[] = {
		{.tid = 1, .state = 'S', .blocked_ns = -1},
		{.tid = 2, .state = 'R', .cpu = 1, .blocked_ns = -1},
		{.tid = 3, .state = 'S', .blocked_ns = -1},
		{.tid = 4, .vanished = true},
	};
	struct syscall_entry entry = {.known = true, .in_syscall = true, .arguments = {3}};

	(void)state;
	fake_init(&target);
	target.process.threads = threads;
	target.process.thread_count = array_length(threads);
	entry.number = fake_number(&fake_arch, "accept");
	threads[0].entry = entry;
	entry.number = fake_number(&fake_arch, "fsync");
	threads[2].entry = entry;
	explain_process(&fake_arch, &target.process, target.arena);

	assert_string_equal(threads[0].syscall->name, "accept");
	assert_string_equal(threads[0].wait->kind, "socket-accept");
	assert_null(threads[1].syscall);
	assert_string_equal(threads[1].wait->sentence, "runs on CPU 1");
	assert_string_equal(threads[2].syscall->text, "fsync(3)");
	assert_string_equal(threads[2].wait->text, "the disk: fsync of descriptor 3");
	assert_null(threads[3].syscall);
	assert_null(threads[3].wait);
	fake_deinit(&target);
}

static void numbers_out_of_range_are_shown_as_numbers(void **state)
{
	static const long numbers[] = {-1, INT64_MIN, INT64_MAX, 100000};
	struct fake_target target;

	(void)state;
	fake_init(&target);
	for (size_t i = 0; i < array_length(numbers); i++) {
		target.thread.entry = (struct syscall_entry){
			.known = true, .in_syscall = true, .number = numbers[i]};
		explain_process(&fake_arch, &target.process, target.arena);
		assert_null(target.thread.syscall->name);
		assert_int_equal(target.thread.syscall->number, numbers[i]);
		assert_int_equal(target.thread.syscall->argument_count, SYSCALL_ARGUMENTS);
		assert_string_equal(target.thread.wait->kind, "unknown");
	}
	fake_deinit(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thread_gets_its_call_and_its_wait),
		cmocka_unit_test(numbers_out_of_range_are_shown_as_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
