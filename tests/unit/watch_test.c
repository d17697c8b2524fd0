// SPDX-License-Identifier: Apache-2.0
/* Calls that are watched: made by who asks, and given up where they do not return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/file.h"
#include "util/watch.h"

#define PATIENCE_NS (10 * NS_PER_MS)

static void note_thread(void *argument)
{
	*(pid_t *)argument = gettid();
}

static void never(void *argument)
{
	(void)argument;
	abort();
}

static void calls_are_made_by_who_asks(void **state)
{
	struct watch *watch = watch_create(never, NULL);

	(void)state;
	assert_non_null(watch);
	for (int i = 0; i < 100; i++) {
		pid_t caller = 0;

		watch_call(watch, note_thread, &caller, PATIENCE_NS);
		assert_int_equal(caller, gettid());
	}
	watch_destroy(watch);
	watch_destroy(NULL);
}

/* A thread that is given up, and what it and its replacement do. */
struct scene {
	int release[2], replaced[2];
	atomic_int tid;
	atomic_bool returned;
};

static void wait_for_release(void *argument)
{
	struct scene *scene = argument;
	char byte;

	if (read(scene->release[0], &byte, 1) != 1)
		abort();
}

static void replace(void *argument)
{
	struct scene *scene = argument;

	assert_int_not_equal(gettid(), scene->tid);
	assert_int_equal(write(scene->replaced[1], "x", 1), 1);
}

static void *get_stuck(void *argument)
{
	struct scene *scene = argument;
	struct watch *watch = watch_create(replace, scene);

	atomic_store(&scene->tid, gettid());
	watch_call(watch, wait_for_release, scene, PATIENCE_NS);
	atomic_store(&scene->returned, true);
	return NULL;
}

static bool pauses(pid_t tid)
{
	struct text text cleanup_text = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	return !failed(file_read(AT_FDCWD, path, 4096, &text)) &&
	       strtol(text.bytes, NULL, 10) == SYS_pause;
}

static void call_that_does_not_return_is_given_up(void **state)
{
	static struct scene scene; /* the thread never ends */
	pthread_t thread;
	char byte;

	(void)state;
	assert_int_equal(pipe2(scene.release, O_CLOEXEC), 0);
	assert_int_equal(pipe2(scene.replaced, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, get_stuck, &scene), 0);
	assert_int_equal(read(scene.replaced[0], &byte, 1), 1);
	/* It comes back after all, to nobody. */
	assert_int_equal(write(scene.release[1], "x", 1), 1);
	while (!pauses(scene.tid))
		sched_yield();
	assert_false(scene.returned);
}

static void call_that_takes_its_time_returns(void **state)
{
	static struct scene scene;
	struct watch *watch = watch_create(never, NULL);

	(void)state;
	assert_non_null(watch);
	assert_int_equal(pipe2(scene.release, O_CLOEXEC), 0);
	assert_int_equal(write(scene.release[1], "x", 1), 1);
	watch_call(watch, wait_for_release, &scene, 10 * NS_PER_SECOND);
	watch_destroy(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_made_by_who_asks),
		cmocka_unit_test(call_that_does_not_return_is_given_up),
		cmocka_unit_test(call_that_takes_its_time_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
