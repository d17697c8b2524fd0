// SPDX-License-Identifier: Apache-2.0
/* Looks with stops at processes in motion: that get signals, run, start and end threads, exec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "live_view.h"

static volatile uint64_t marker;

#define SIGNALS 3000

struct counters {
	atomic_int received, sent;
};
static struct counters *counters;

static void count_signal(int number)
{
	(void)number;
	counters->received++;
}

static void count_signals(const struct target *target)
{
	struct timespec moment = {.tv_nsec = 100 * 1000};

	signal(SIGRTMIN, count_signal);
	target_ready(target);
	/* In a syscall, and between syscalls. */
	for (;;) {
		for (int i = 0; i < 20000; i++)
			marker = marker + 1;
		nanosleep(&moment, NULL);
	}
}

static pid_t receiver;

static void send_signals(const struct target *target)
{
	target_ready(target);
	while (counters->sent < SIGNALS) {
		if (sigqueue(receiver, SIGRTMIN, (union sigval){0}) == 0)
			counters->sent++;
		else
			sched_yield();
	}
	_exit(0);
}

static void no_signal_is_lost(void **state)
{
	static const struct timespec pause = {.tv_nsec = 1000 * 1000};
	struct view view;

	(void)state;
	counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(counters, MAP_FAILED);
	struct target target = target_start(count_signals);
	receiver = target.pid;
	struct target sender = target_start(send_signals);
	while (counters->sent < SIGNALS) {
		view_take(&view, target.pid, STOP_AUTO);
		assert_int_equal(only_process(&view)->thread_count, 1);
		view_end(&view);
	}
	for (int i = 0; i < 5000 && counters->received < SIGNALS; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(counters->received, SIGNALS);
	target_end(&sender);
	target_end(&target);
	munmap(counters, 4096);
}

/* Two waits in turn, with very different stacks in the kernel. */
static void hurry_on(const struct target *target)
{
	struct timespec moment = {.tv_nsec = 30 * 1000};
	struct pollfd file = {.fd = target->hold, .events = POLLIN};

	target_ready(target);
	for (;;) {
		nanosleep(&moment, NULL);
		ppoll(&file, 1, &moment, NULL);
	}
}

static bool kernel_stack_has(const struct kernel_stack *stack, const char *part)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (stack->frames[i].symbol && strstr(stack->frames[i].symbol, part))
			return true;
	}
	return false;
}

static void stacks_of_a_thread_in_a_hurry_are_of_one_moment(void **state)
{
	struct target target = target_start(hurry_on);
	size_t with_stack = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct view view;

		view_take(&view, target.pid, i % 2 ? STOP_AUTO : STOP_NEVER);
		const struct thread *thread = first_thread(&view);
		if (thread->kernel_stack && thread->kernel_stack->count &&
			thread->entry.in_syscall) {
			bool polls = thread->entry.number == SYS_ppoll;

			assert_int_equal(kernel_stack_has(thread->kernel_stack, "poll"), polls);
			assert_int_equal(
				kernel_stack_has(thread->kernel_stack, "nanosleep"), !polls);
			with_stack++;
		}
		view_end(&view);
	}
	if (geteuid() == 0)
		assert_true(with_stack > 0);
	target_end(&target);
}

static void *come_and_go(void *argument)
{
	return argument;
}

static void churn(const struct target *target)
{
	target_ready(target);
	for (;;) {
		pthread_t threads[8];

		for (int i = 0; i < 8; i++) {
			if (pthread_create(&threads[i], NULL, come_and_go, NULL) != 0)
				_exit(1);
		}
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
	}
}

static void threads_that_come_and_go(void **state)
{
	struct target target = target_start(churn);

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct view view;

		view_take(&view, target.pid, STOP_AUTO);
		const struct process *process = only_process(&view);
		for (size_t j = 0; j < process->thread_count; j++) {
			const struct thread *thread = &process->threads[j];

			if (thread->vanished)
				assert_non_null(gap_of(thread, STAGE_THREAD));
		}
		view_end(&view);
	}
	assert_int_not_equal(target_state(target.pid), 't');
	target_end(&target);
}

static void execute_again(const struct target *target)
{
	static const char *const arguments[] = {"ptrace_test", "execute-again", NULL};

	if (target)
		target_ready(target);
	execv("/proc/self/exe", (char *const *)arguments);
	_exit(1);
}

static void program_that_is_replaced_all_the_time(void **state)
{
	struct target target = target_start(execute_again);

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct view view;

		view_take(&view, target.pid, STOP_AUTO);
		assert_true(view.look.process_count == 1 || view.look.gaps.first);
		view_end(&view);
	}
	assert_int_not_equal(target_state(target.pid), 0);
	assert_int_not_equal(target_state(target.pid), 't');
	target_end(&target);
}
int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_signal_is_lost),
		cmocka_unit_test(stacks_of_a_thread_in_a_hurry_are_of_one_moment),
		cmocka_unit_test(threads_that_come_and_go),
		cmocka_unit_test(program_that_is_replaced_all_the_time),
	};

	if (count > 1 && strcmp(arguments[1], "execute-again") == 0)
		execute_again(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
