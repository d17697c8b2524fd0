// SPDX-License-Identifier: Apache-2.0
/* Walks tasks by the BPF program, where it can be had: else its tests are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#ifdef HAVE_BPF
#include <pthread.h>
#include <sys/syscall.h>

#include "collect/task_iterator.h"
#include "target.h"

#define THREADS 300

static const struct task_filter whole = {.states = UINT32_MAX};
static const struct task_filter brief = {.states = UINT32_MAX, .brief = true};

static struct task_iterator *iterator_or_skip(void)
{
	struct task_iterator *iterator;
	struct error error = task_iterator_create(&iterator);

	if (failed(error)) {
		print_message("skipped: %s\n", error.reason);
		skip();
	}
	return iterator;
}

static void *rest(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

static void start_threads(const struct target *target)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (int i = 1; i < THREADS; i++) {
		if (pthread_create(&thread, &attributes, rest, NULL))
			abort();
	}
	target_ready(target);
	rest(NULL);
}

static struct task_walk walk_of(const struct target *target)
{
	return (struct task_walk){target->pid, target->pid, 0};
}

static void all_threads_of_a_process_each_once(void **state)
{
	struct task_iterator *iterator = iterator_or_skip();
	struct target target = target_start(start_threads);
	struct task_records records = {0};
	size_t count = 0;
	__u32 last = 0;

	(void)state;
	assert_false(failed(task_iterator_pass(iterator, walk_of(&target), &whole, &records)));
	for (const struct task_record *record = NULL; (record = task_record_next(&records, record));
		count++) {
		assert_int_equal(record->mark.pid, target.pid);
		assert_true(record->mark.tid != last);
		assert_true(task_record_frame_count(record) <= TASK_RECORD_FRAMES);
		assert_string_equal(record->comm, "task_iterator_t");
		last = record->mark.tid;
	}
	assert_int_equal(count, THREADS);
	target_end(&target);
	task_records_deinit(&records);
	task_iterator_destroy(iterator);
}

static void marks_tell_who_slept(void **state)
{
	struct task_iterator *iterator = iterator_or_skip();
	struct target target = target_start(start_threads);
	struct task_records before = {0}, after = {0};
	size_t count, again;

	(void)state;
	target_await(target.pid, 'S');
	assert_false(failed(task_iterator_pass(iterator, walk_of(&target), &brief, &before)));
	assert_false(failed(task_iterator_pass(iterator, walk_of(&target), &brief, &after)));
	const struct task_mark *one = task_marks(&before, &count);
	const struct task_mark *other = task_marks(&after, &again);
	assert_int_equal(count, THREADS);
	assert_int_equal(again, THREADS);
	assert_int_equal(one->tid, target.pid);
	assert_int_equal(TASK_STATE_LETTERS[one->state], 'S');
	assert_memory_equal(one, other, sizeof(*one));
	target_end(&target);
	task_records_deinit(&before);
	task_records_deinit(&after);
	task_iterator_destroy(iterator);
}

static void one_thread_alone(void **state)
{
	struct task_iterator *iterator = iterator_or_skip();
	struct target target = target_start(start_threads);
	struct task_walk walk = walk_of(&target);
	struct task_records records = {0};
	size_t count;

	(void)state;
	assert_false(failed(task_iterator_pass(iterator, walk, &brief, &records)));
	walk.thread = (pid_t)task_marks(&records, &count)[count - 1].tid;
	assert_int_not_equal(walk.thread, target.pid);
	assert_false(failed(task_iterator_pass(iterator, walk, &whole, &records)));
	const struct task_record *record = task_record_next(&records, NULL);
	assert_non_null(record);
	assert_int_equal(record->mark.tid, walk.thread);
	assert_null(task_record_next(&records, record));
	target_end(&target);
	task_records_deinit(&records);
	task_iterator_destroy(iterator);
}

static void only_what_the_filter_wants(void **state)
{
	struct task_iterator *iterator = iterator_or_skip();
	struct target target = target_start(start_threads);
	struct task_filter zombies = {.states = 1U << 6}, own = brief;
	struct task_records records = {0};
	struct task_walk all = {0, INT32_MAX, 0};
	size_t count, kernel_threads = 0;

	(void)state;
	assert_false(failed(task_iterator_pass(iterator, walk_of(&target), &zombies, &records)));
	assert_null(task_record_next(&records, NULL));
	assert_false(failed(task_iterator_pass(iterator, all, &whole, &records)));
	for (const struct task_record *record = NULL;
		(record = task_record_next(&records, record));)
		kernel_threads += (record->flags & PROC_FLAG_KERNEL_THREAD) != 0;
	assert_true(kernel_threads > 0);
	own.brief = false;
	own.no_kernel_threads = true;
	assert_false(failed(task_iterator_pass(iterator, all, &own, &records)));
	count = 0;
	for (const struct task_record *record = NULL;
		(record = task_record_next(&records, record));) {
		assert_false(record->flags & PROC_FLAG_KERNEL_THREAD);
		count += record->mark.pid == (__u32)target.pid;
	}
	assert_int_equal(count, THREADS);
	target_end(&target);
	assert_false(failed(task_iterator_pass(iterator, walk_of(&target), &whole, &records)));
	assert_null(task_record_next(&records, NULL));
	task_records_deinit(&records);
	task_iterator_destroy(iterator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_threads_of_a_process_each_once),
		cmocka_unit_test(marks_tell_who_slept),
		cmocka_unit_test(one_thread_alone),
		cmocka_unit_test(only_what_the_filter_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return 0;
}
#endif
