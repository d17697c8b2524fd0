// SPDX-License-Identifier: Apache-2.0
/* Looks at live processes, with stops and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "live_view.h"

static volatile uint64_t marker = 0x1234;

static void block_in_read(const struct target *target)
{
	volatile uint64_t on_stack = 0xfeedfacecafebeef;
	char byte;

	marker = 0xabcdef;
	target_ready(target);
	if (read(target->hold, &byte, 1) < 0)
		on_stack = 0;
	_exit((int)on_stack);
}

static bool holds_word(const struct thread *thread, uint64_t word)
{
	return memmem(thread->stack_bytes, thread->stack_length, &word, sizeof(word));
}

static void expect_blocked_in_read(const struct thread *thread, const struct target *target)
{
	assert_int_equal(thread->tid, target->pid);
	assert_int_equal(thread->state, 'S');
	assert_true(thread->entry.known && thread->entry.in_syscall);
	assert_int_equal(thread->entry.number, SYS_read);
	assert_int_equal(thread->entry.arguments[2], 1);
	assert_true(thread->blocked_ns >= 0);
	assert_true(thread->stack_start <= sp_of(thread));
	assert_true(thread->stack_start + thread->stack_length > sp_of(thread));
	assert_true(holds_word(thread, 0xfeedfacecafebeef));
	assert_true(thread->held_still);
	assert_null(gap_of(thread, STAGE_USER_STACK));
	if (!gap_of(thread, STAGE_KERNEL_STACK)) {
		assert_true(thread->kernel_stack->count >= 3);
		assert_non_null(strstr(thread->wchan, "pipe"));
	}
}

static void blocked_thread_is_stopped_and_goes_on(void **state)
{
	struct target target = target_start(block_in_read);
	struct view view;
	uint64_t value = 0;

	(void)state;
	target_await(target.pid, 'S');
	view_take(&view, target.pid, STOP_AUTO);
	const struct process *process = only_process(&view);
	const struct thread *thread = first_thread(&view);
	expect_blocked_in_read(thread, &target);
	assert_string_equal(view.collector->name, "ptrace");
	assert_int_equal(thread->registers.known, (UINT64_C(1) << arch_native->register_count) - 1);
	assert_true(thread->stopped_ns > 0);
	assert_int_equal(process->state, 'S');
	assert_int_equal(process->ppid, getpid());
	assert_true(process->running_ns >= 0);
	assert_true(process->mappings.count > 5);
	assert_non_null(strstr(process->exe, "ptrace_test"));
	/* Parent and child are at the same addresses. */
	assert_true(
		memory_read(process->memory, (uint64_t)(uintptr_t)&marker, &value, sizeof(value)));
	assert_int_equal(value, 0xabcdef);
	assert_int_equal(process->memory->read(process->memory, 16, &value, sizeof(value)), 0);
	view_end(&view);
	target_await(target.pid, 'S');
	assert_int_equal(write(target.hold, "x", 1), 1);
	target_end(&target);
}

static void blocked_thread_is_not_stopped_if_it_must_not_be(void **state)
{
	struct target target = target_start(block_in_read);
	struct view view;

	(void)state;
	target_await(target.pid, 'S');
	view_take(&view, target.pid, STOP_NEVER);
	const struct thread *thread = first_thread(&view);
	assert_string_equal(view.collector->name, "passive");
	expect_blocked_in_read(thread, &target);
	assert_int_equal(thread->stopped_ns, 0);
	assert_int_equal(thread->registers.known,
		UINT64_C(1) << arch_native->sp | UINT64_C(1) << arch_native->pc);
	view_end(&view);
	target_end(&target);
}

static void spin(const struct target *target)
{
	target_ready(target);
	for (;;)
		marker = marker + 1;
}

static void running_thread_is_stopped(void **state)
{
	struct target target = target_start(spin);
	struct view view;

	(void)state;
	view_take(&view, target.pid, STOP_AUTO);
	const struct thread *thread = first_thread(&view);
	assert_int_equal(thread->state, 'R');
	assert_true(thread->entry.known ? !thread->entry.in_syscall : true);
	assert_null(thread->kernel_stack);
	assert_int_equal(thread->blocked_ns, -1);
	assert_false(thread->held_still);
	assert_true(thread->stack_length > 0);
	const struct mapping *mapping = mappings_find(
		&only_process(&view)->mappings, thread->registers.value[arch_native->pc]);
	assert_true(mapping && mapping->executable);
	assert_null(gap_of(thread, STAGE_USER_STACK));
	view_end(&view);
	target_await(target.pid, 'R');
	target_end(&target);
}

static void running_thread_may_not_be_stopped(void **state)
{
	struct target target = target_start(spin);
	struct view view;

	(void)state;
	view_take(&view, target.pid, STOP_NEVER);
	const struct thread *thread = first_thread(&view);
	assert_int_equal(thread->state, 'R');
	assert_int_equal(thread->registers.known, 0);
	assert_non_null(strstr(gap_of(thread, STAGE_USER_STACK), "--stop=auto"));
	view_end(&view);
	target_end(&target);
}

static void process_stopped_by_a_signal_stays_stopped(void **state)
{
	struct target target = target_start(block_in_read);
	struct view view;
	int status;

	(void)state;
	target_await(target.pid, 'S');
	kill(target.pid, SIGSTOP);
	target_await(target.pid, 'T');
	for (int i = 0; i < 20; i++) {
		view_take(&view, target.pid, STOP_AUTO);
		const struct thread *thread = first_thread(&view);
		assert_int_equal(thread->state, 'T');
		assert_int_equal(thread->entry.number, SYS_read);
		assert_true(holds_word(thread, 0xfeedfacecafebeef));
		view_end(&view);
		target_await(target.pid, 'T');
	}
	kill(target.pid, SIGCONT);
	target_await(target.pid, 'S');
	/* It reads what is written and ends, as it would have without all this. */
	assert_int_equal(write(target.hold, "x", 1), 1);
	assert_int_equal(waitpid(target.pid, &status, 0), target.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0xef);
	close(target.hold);
}

static pid_t traced;

static void trace_another(const struct target *target)
{
	int status;

	if (ptrace(PTRACE_SEIZE, traced, NULL, NULL) < 0)
		_exit(1);
	target_ready(target);
	waitpid(traced, &status, __WALL);
	_exit(0);
}

static void thread_that_another_traces(void **state)
{
	struct target target = target_start(block_in_read);
	struct view view;
	char pid[16];

	(void)state;
	target_await(target.pid, 'S');
	traced = target.pid;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	struct target tracer = target_start(trace_another);
	view_take(&view, target.pid, STOP_AUTO);
	const struct thread *thread = first_thread(&view);
	snprintf(pid, sizeof(pid), "%d", tracer.pid);
	assert_non_null(strstr(gap_of(thread, STAGE_USER_STACK), pid));
	assert_non_null(strstr(gap_of(thread, STAGE_USER_STACK), "ptrace_test"));
	assert_int_equal(only_process(&view)->tracer, tracer.pid);
	assert_int_equal(thread->stopped_ns, 0);
	assert_int_equal(thread->entry.number, SYS_read);
	assert_true(holds_word(thread, 0xfeedfacecafebeef));
	view_end(&view);
	target_end(&tracer);
	target_end(&target);
}

static void end_at_once(const struct target *target)
{
	target_ready(target);
	_exit(0);
}

static void zombie_has_facts_and_no_gap(void **state)
{
	struct target target = target_start(end_at_once);
	struct view view;

	(void)state;
	target_await(target.pid, 'Z');
	for (enum stop_policy stop = STOP_AUTO; stop <= STOP_ALWAYS; stop++) {
		view_take(&view, target.pid, stop);
		const struct thread *thread = first_thread(&view);
		assert_int_equal(thread->state, 'Z');
		assert_null(thread->gaps.first);
		assert_null(only_process(&view)->gaps.first);
		assert_null(thread->kernel_stack);
		assert_int_equal(thread->registers.known, 0);
		view_end(&view);
	}
	target_end(&target);
}

static void kernel_thread_has_a_kernel_stack_alone(void **state)
{
	struct view view;

	(void)state;
	if (target_state(2) == 0)
		skip(); /* in a pid namespace of its own */
	view_take(&view, 2, STOP_AUTO);
	const struct thread *thread = first_thread(&view);
	assert_true(only_process(&view)->is_kernel);
	assert_string_equal(thread->comm, "kthreadd");
	assert_null(gap_of(thread, STAGE_USER_STACK));
	assert_int_equal(thread->registers.known, 0);
	assert_true(thread->entry.known && !thread->entry.in_syscall);
	if (!gap_of(thread, STAGE_KERNEL_STACK))
		assert_true(thread->kernel_stack->count > 0);
	view_end(&view);
}

static void process_that_is_gone(void **state)
{
	struct target target = target_start(end_at_once);
	struct view view;

	(void)state;
	target_end(&target);
	view_take(&view, target.pid, STOP_AUTO);
	assert_int_equal(view.look.process_count, 0);
	assert_non_null(strstr(view.look.gaps.first->reason, "ended during the look"));
	view_end(&view);
}

/* Its parent, the target, is in uninterruptible sleep until this is over. */
static void block_in_vfork(const struct target *target)
{
	if (syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		target_ready(target);
		for (;;)
			pause();
	}
	_exit(0);
}

static void thread_in_uninterruptible_sleep_is_not_stopped(void **state)
{
	struct target target = target_start(block_in_vfork);
	struct view view;

	(void)state;
	target_await(target.pid, 'D');
	view_take(&view, target.pid, STOP_AUTO);
	const struct thread *thread = first_thread(&view);
	assert_int_equal(thread->state, 'D');
	assert_int_equal(thread->stopped_ns, 0);
	assert_int_equal(thread->entry.number, SYS_clone);
	assert_true(thread->stack_length > 0);
	assert_true(thread->registers.known);
	assert_null(gap_of(thread, STAGE_USER_STACK));
	view_end(&view);
	target_end(&target);
}

#define THREADS 50

static void *block_in_some_way(void *argument)
{
	const struct target *target = argument;
	static atomic_int turn;
	struct timespec day = {.tv_sec = 86400};
	struct pollfd file = {.fd = target->hold, .events = POLLIN};
	char byte;

	switch (turn++ % 4) {
	case 0:
		return read(target->hold, &byte, 1) < 0 ? argument : NULL;
	case 1:
		return nanosleep(&day, NULL) < 0 ? argument : NULL;
	case 2:
		return poll(&file, 1, -1) < 0 ? argument : NULL;
	default:
		for (;;)
			syscall(SYS_futex, &marker, FUTEX_WAIT, (int)marker, NULL);
	}
}

static void start_threads(const struct target *target)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&thread, &attributes, block_in_some_way, (void *)target) != 0)
			_exit(1);
	}
}

static void block_many(const struct target *target)
{
	start_threads(target);
	target_ready(target);
	for (;;)
		pause();
}

/* Calls @act for each thread of the process; their number. */
static size_t each_thread(pid_t pid, void (*act)(pid_t tid))
{
	struct view view;
	size_t count;

	view_request(
		&view, &(struct look_request){.pids = &pid, .pid_count = 1, .stop = STOP_NEVER});
	const struct process *process = only_process(&view);
	count = process->thread_count;
	for (size_t i = 0; i < count && act; i++)
		act(process->threads[i].tid);
	view_end(&view);
	return count;
}

static void await_sleep(pid_t tid)
{
	target_await(tid, 'S');
}

static bool all_held_still(const struct process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		if (!process->threads[i].held_still)
			return false;
	}
	return true;
}

/* Stacks of the same functions are one. A thread that was not stopped may stand in others than one
 * whose call was restarted. */
static void share_if_equal(const struct kernel_stack *one, const struct kernel_stack *other)
{
	if (!one || !other || one->count != other->count)
		return;
	for (size_t i = 0; i < one->count; i++) {
		if (strcmp(one->frames[i].symbol, other->frames[i].symbol) != 0 ||
			one->frames[i].offset != other->frames[i].offset)
			return;
	}
	assert_ptr_equal(one, other);
}

static void many_threads(void **state)
{
	struct target target = target_start(block_many);
	struct view view;

	(void)state;
	each_thread(target.pid, await_sleep);
	/* On a busy machine a thread may not be back in its wait when that is looked for. */
	for (int attempt = 0; attempt < 200; attempt++) {
		if (attempt)
			view_end(&view);
		view_take(&view, target.pid, STOP_AUTO);
		if (all_held_still(only_process(&view)))
			break;
	}
	const struct process *process = only_process(&view);
	assert_int_equal(process->thread_count, THREADS + 1);
	assert_int_equal(process->threads[0].tid, target.pid);
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];

		assert_int_equal(thread->state, 'S');
		assert_true(thread->entry.in_syscall);
		assert_true(thread->stack_length > 0);
		assert_true(thread->held_still);
		assert_null(gap_of(thread, STAGE_USER_STACK));
		if (i > 1) /* the main thread stands first, and ids begin again some time */
			assert_true(thread->tid > process->threads[i - 1].tid);
		for (size_t j = 1; j < i; j++)
			share_if_equal(thread->kernel_stack, process->threads[j].kernel_stack);
	}
	view_end(&view);
	target_end(&target);
}

static void only_the_threads_that_were_asked_for(void **state)
{
	struct target target = target_start(block_many);
	struct view view;

	(void)state;
	each_thread(target.pid, await_sleep);
	struct look_request request = {.pids = &target.pid,
		.pid_count = 1,
		.tids = &target.pid,
		.tid_count = 1,
		.user_stacks = true};
	view_request(&view, &request);
	assert_int_equal(only_process(&view)->thread_count, 1);
	assert_int_equal(first_thread(&view)->tid, target.pid);
	assert_null(first_thread(&view)->kernel_stack);
	view_end(&view);
	request.tid_count = 0;
	request.states = "DR";
	view_request(&view, &request);
	assert_int_equal(view.look.process_count, 0);
	view_end(&view);
	request.states = "DS";
	view_request(&view, &request);
	assert_int_equal(only_process(&view)->thread_count, THREADS + 1);
	view_end(&view);
	target_end(&target);
}

static void *read_later(void *argument)
{
	const struct target *target = argument;
	char byte;

	/* Until the main thread has ended. */
	target_await(getpid(), 'Z');
	target_ready(target);
	return read(target->hold, &byte, 1) < 0 ? argument : NULL;
}

static void end_the_main_thread(const struct target *target)
{
	static struct target copy;
	pthread_t thread;

	copy = *target;
	marker = 0xabcdef;
	if (pthread_create(&thread, NULL, read_later, &copy) != 0)
		_exit(1);
	pthread_exit(NULL);
}

static void process_whose_main_thread_has_ended(void **state)
{
	struct target target = target_start(end_the_main_thread);
	uint64_t value = 0;
	struct view view;

	(void)state;
	view_take(&view, target.pid, STOP_AUTO);
	const struct process *process = only_process(&view);
	assert_int_equal(process->thread_count, 2);
	assert_int_equal(process->threads[0].state, 'Z');
	assert_true(process->threads[1].stack_length > 0);
	assert_true(process->mappings.count > 5);
	assert_non_null(process->exe);
	assert_true(
		memory_read(process->memory, (uint64_t)(uintptr_t)&marker, &value, sizeof(value)));
	assert_int_equal(value, 0xabcdef);
	view_end(&view);
	target_end(&target);
}

static void look_for_ever(const struct target *target)
{
	target_ready(target);
	for (;;) {
		struct view view;

		view_take(&view, traced, STOP_AUTO);
		view_end(&view);
	}
}

static void expect_untouched(pid_t tid)
{
	char state = target_state(tid);

	if (state != 'S' && state != 'R' && state != 'D')
		fail_msg("thread %d was left in state '%c'", tid, state);
}

static void looker_is_killed_at_any_moment(void **state)
{
	struct target target = target_start(block_many);
	unsigned seed = 1;

	(void)state;
	traced = target.pid;
	each_thread(target.pid, await_sleep);
	for (int i = 0; i < 300; i++) {
		struct target looker = target_start(look_for_ever);
		struct timespec moment = {.tv_nsec = rand_r(&seed) % 4000 * 1000};

		nanosleep(&moment, NULL);
		target_end(&looker);
		assert_int_equal(each_thread(target.pid, expect_untouched), THREADS + 1);
	}
	each_thread(target.pid, await_sleep);
	target_end(&target);
}

static void look_unprivileged(const struct target *target)
{
	struct view view;

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		_exit(1);
	view_take(&view, traced, STOP_AUTO);
	const struct thread *thread = first_thread(&view);
	const char *kernel = gap_of(thread, STAGE_KERNEL_STACK);
	const char *user = gap_of(thread, STAGE_USER_STACK);
	if (thread->state != 'S' || thread->registers.known || !kernel || !user ||
		!strstr(kernel, "CAP_SYS_ADMIN") || !strstr(user, "sudo") ||
		!strstr(user, "CAP_SYS_PTRACE") || thread->entry.known)
		_exit(1);
	view_end(&view);
	target_ready(target);
	_exit(0);
}

static void process_that_one_may_not_look_at(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	struct target target = target_start(block_in_read);
	target_await(target.pid, 'S');
	traced = target.pid;
	/* It is ready when all it saw was as it should be. */
	struct target looker = target_start(look_unprivileged);
	target_end(&looker);
	target_end(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocked_thread_is_stopped_and_goes_on),
		cmocka_unit_test(blocked_thread_is_not_stopped_if_it_must_not_be),
		cmocka_unit_test(running_thread_is_stopped),
		cmocka_unit_test(running_thread_may_not_be_stopped),
		cmocka_unit_test(process_stopped_by_a_signal_stays_stopped),
		cmocka_unit_test(thread_that_another_traces),
		cmocka_unit_test(zombie_has_facts_and_no_gap),
		cmocka_unit_test(kernel_thread_has_a_kernel_stack_alone),
		cmocka_unit_test(process_that_is_gone),
		cmocka_unit_test(thread_in_uninterruptible_sleep_is_not_stopped),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(only_the_threads_that_were_asked_for),
		cmocka_unit_test(process_whose_main_thread_has_ended),
		cmocka_unit_test(looker_is_killed_at_any_moment),
		cmocka_unit_test(process_that_one_may_not_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
