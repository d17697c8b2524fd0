// SPDX-License-Identifier: Apache-2.0
/* Calls that return, calls that do not, and what comes after them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/file.h"
#include "util/guard.h"

#define LONG_NS (10 * NS_PER_SECOND)
#define SHORT_NS (20 * NS_PER_MS)

struct note {
	pid_t thread;
	int calls;
};

static void note_call(void *argument)
{
	struct note *note = argument;

	note->thread = gettid();
	note->calls++;
}

static void no_forgetting(void *argument)
{
	(void)argument;
	abort();
}

static void calls_are_made_in_one_other_thread(void **state)
{
	struct guard *guard = guard_create(NULL);
	struct note note = {0};

	(void)state;
	assert_null(guard_call(guard, note_call, no_forgetting, &note, LONG_NS).reason);
	pid_t first = note.thread;
	assert_int_not_equal(first, gettid());
	for (int i = 0; i < 100; i++)
		assert_null(guard_call(guard, note_call, no_forgetting, &note, LONG_NS).reason);
	assert_int_equal(note.thread, first);
	assert_int_equal(note.calls, 101);
	guard_destroy(guard);
}

static void without_a_guard_calls_are_made_directly(void **state)
{
	struct note note = {0};

	(void)state;
	assert_null(guard_call(NULL, note_call, no_forgetting, &note, LONG_NS).reason);
	assert_int_equal(note.thread, gettid());
	guard_destroy(NULL);
}

struct wait {
	int pipe[2];
	char byte;
};

static void wait_for_pipe(void *argument)
{
	struct wait *wait = argument;

	if (read(wait->pipe[0], &wait->byte, 1) != 1)
		wait->byte = 0;
}

/* Gives back what it read, so that the test can see that it came back. */
static void answer(void *argument)
{
	struct wait *wait = argument;

	if (write(wait->pipe[1], &wait->byte, 1) != 1)
		abort();
	free(wait);
}

static void call_that_does_not_return_is_left_behind(void **state)
{
	struct guard *guard = guard_create(NULL);
	struct wait *wait = malloc(sizeof(*wait));
	struct note note = {0};
	int ask[2], tell[2];
	char byte = 0;

	(void)state;
	assert_non_null(wait);
	assert_int_equal(pipe2(ask, O_CLOEXEC), 0);
	assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	*wait = (struct wait){.pipe = {ask[0], tell[1]}};
	int64_t begin = clock_ns(CLOCK_MONOTONIC);
	struct error error = guard_call(guard, wait_for_pipe, answer, wait, SHORT_NS);
	int64_t took = clock_ns(CLOCK_MONOTONIC) - begin;
	assert_int_equal(error.number, ETIMEDOUT);
	assert_true(took >= SHORT_NS && took < LONG_NS);
	assert_null(guard_call(guard, note_call, no_forgetting, &note, LONG_NS).reason);
	assert_int_equal(note.calls, 1);
	guard_destroy(guard);
	/* It comes back after all, when the guard is no more. */
	assert_int_equal(write(ask[1], "x", 1), 1);
	assert_int_equal(read(tell[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	for (int i = 0; i < 2; i++) {
		close(ask[i]);
		close(tell[i]);
	}
}

/* A call that computes is not stuck: it is waited for beyond its time. */
static void compute(void *argument)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + 2 * SHORT_NS;

	while (clock_ns(CLOCK_MONOTONIC) < end)
		*(volatile int *)argument += 1;
}

static void call_that_runs_is_given_more_time(void **state)
{
	struct guard *guard = guard_create(NULL);
	int turns = 0;

	(void)state;
	assert_null(guard_call(guard, compute, no_forgetting, &turns, SHORT_NS).reason);
	assert_true(turns > 0);
	guard_destroy(guard);
}

static void files_are_read_under_guard(void **state)
{
	struct guard *guard = guard_create(NULL);
	struct text content cleanup_text = {0};

	(void)state;
	text_append(&content, "what was there before");
	assert_null(file_read_guarded(guard, LONG_NS, AT_FDCWD, "/proc/self/comm", 100, &content)
			    .reason);
	assert_string_equal(content.bytes, "guard_test\n");
	assert_int_equal(
		file_read_guarded(guard, LONG_NS, AT_FDCWD, "/proc/self/none", 100, &content)
			.number,
		ENOENT);
	guard_destroy(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_made_in_one_other_thread),
		cmocka_unit_test(without_a_guard_calls_are_made_directly),
		cmocka_unit_test(call_that_does_not_return_is_left_behind),
		cmocka_unit_test(call_that_runs_is_given_more_time),
		cmocka_unit_test(files_are_read_under_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
