// SPDX-License-Identifier: Apache-2.0
/* Looks again and again at a process whose threads move when they are told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cli/repeat.h"
#include "target.h"

#define WORKERS 8

/* What a worker is told by a byte on its pipe. */
enum order { GO_HERE = 'h', GO_THERE = 't', END = 'e', EXECUTE = 'x', MULTIPLY = 'm', LOCK = 'l' };

static int pipes[WORKERS][2];
static char locked[] = "/tmp/repeat_test.XXXXXX"; /* a file, by the tests */
static int answers[2]; /* a byte for each order that was followed, before the worker waits again */

static void answer(void)
{
	if (write(answers[1], "", 1) != 1)
		abort();
}

__attribute__((noinline)) static char wait_here(int fd)
{
	char order = 0;

	if (read(fd, &order, 1) != 1)
		pause();
	return order;
}

__attribute__((noinline)) static char wait_there(int fd)
{
	struct pollfd poll_fd = {fd, POLLIN, 0};
	char order = 0;

	if (poll(&poll_fd, 1, -1) != 1 || read(fd, &order, 1) != 1)
		pause();
	return order;
}

static void *rest(void *argument)
{
	(void)argument;
	answer();
	for (;;)
		pause();
	return NULL;
}

static void *work(void *argument)
{
	int fd = pipes[(intptr_t)argument][0];
	char order = GO_HERE;

	for (;;) {
		pthread_t thread;

		if (order != MULTIPLY)
			answer();
		order = order == GO_THERE ? wait_there(fd) : wait_here(fd);
		if (order == END)
			syscall(SYS_exit, 0);
		if (order == EXECUTE)
			execl("/bin/sleep", "sleep", "1000", NULL);
		if (order == LOCK)
			flock(open(locked, O_RDWR | O_CLOEXEC), LOCK_EX);
		if (order == MULTIPLY)
			pthread_create(&thread, NULL, rest, NULL);
	}
	return NULL;
}

static void start_workers(const struct target *target)
{
	pthread_t thread;

	prctl(PR_SET_NAME, "workers");
	for (intptr_t i = 0; i < WORKERS; i++)
		pthread_create(&thread, NULL, work, (void *)i);
	target_ready(target);
	for (;;)
		pause();
}

struct setting {
	struct target target;
	struct options options;
	struct repeat *repeat;
	char pid[16];
	char *words[3];
};

static void await_answer(void)
{
	char byte;

	assert_int_equal(read(answers[0], &byte, 1), 1);
}

/* How many threads the process has if all of them sleep; 0: one does not, or is about to end. */
static size_t count_sleeping(pid_t pid)
{
	char path[64], state[64];
	size_t count = 0, all = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	assert_non_null(tasks);
	for (struct dirent *entry; (entry = readdir(tasks));) {
		if (entry->d_name[0] == '.')
			continue;
		all++;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/syscall", pid, entry->d_name);
		FILE *file = fopen(path, "r");
		if (file && fgets(state, sizeof(state), file) && strncmp(state, "running", 7) != 0)
			count++;
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return count == all ? count : 0;
}

/* Until there are so many threads, and all sleep. */
static void await_sleep(pid_t pid, size_t threads)
{
	while (count_sleeping(pid) != threads)
		sched_yield();
}

static void tell(size_t worker, char order)
{
	assert_int_equal(write(pipes[worker][1], &order, 1), 1);
	if (order != END && order != EXECUTE && order != LOCK)
		await_answer();
}

static void begin(struct setting *setting, bool kinds_only)
{
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pipe(pipes[i]), 0);
	assert_int_equal(pipe(answers), 0);
	setting->target = target_start(start_workers);
	for (size_t i = 0; i < WORKERS; i++)
		await_answer();
	snprintf(setting->pid, sizeof(setting->pid), "%d", setting->target.pid);
	setting->words[0] = (char *)"whystuck";
	setting->words[1] = setting->pid;
	assert_int_equal(
		options_parse(&command_show, &setting->options, 2, setting->words), OPTIONS_LOOK);
	setting->options.kinds_only = kinds_only;
	setting->repeat = repeat_create(&setting->options);
	await_sleep(setting->target.pid, WORKERS + 1);
}

static void end(struct setting *setting)
{
	repeat_destroy(setting->repeat);
	options_deinit(&setting->options);
	target_end(&setting->target);
	for (size_t i = 0; i < WORKERS; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	close(answers[0]);
	close(answers[1]);
}

static const struct process *next_process(struct setting *setting)
{
	const struct look *look = repeat_next(setting->repeat);

	assert_int_equal(look->process_count, 1);
	return look->processes[0];
}

static bool stands_in(const struct thread *thread, const char *function)
{
	const struct user_stack *stack = thread->user_stack;

	for (size_t i = 0; stack && i < stack->frame_count; i++) {
		if (stack->frames[i]->symbol && strcmp(stack->frames[i]->symbol, function) == 0)
			return true;
	}
	return false;
}

static size_t count_in(const struct process *process, const char *function)
{
	size_t count = 0;

	for (size_t i = 0; i < process->thread_count; i++)
		count += stands_in(&process->threads[i], function);
	return count;
}

static void what_has_not_moved_is_not_looked_at_again(void **state)
{
	struct setting setting;

	(void)state;
	begin(&setting, true);
	const struct process *first = next_process(&setting);
	assert_int_equal(first->thread_count, WORKERS + 1);
	assert_ptr_equal(next_process(&setting), first);
	assert_ptr_equal(next_process(&setting), first);
	assert_int_equal(count_in(first, "wait_here"), WORKERS);
	assert_string_equal(first->threads[1].wait->kind, "pipe-read");
	end(&setting);
}

static void only_the_thread_that_moved_is_looked_at_again(void **state)
{
	struct setting setting;

	(void)state;
	begin(&setting, true);
	const struct process *first = next_process(&setting);
	tell(3, GO_THERE);
	await_sleep(setting.target.pid, WORKERS + 1);
	const struct process *second = next_process(&setting);
	assert_ptr_not_equal(first, second);
	assert_int_equal(second->thread_count, WORKERS + 1);
	assert_int_equal(count_in(second, "wait_there"), 1);
	for (size_t i = 0; i < second->thread_count; i++) {
		const struct thread *before = &first->threads[i], *now = &second->threads[i];

		assert_int_equal(before->tid, now->tid);
		assert_string_equal(before->comm, now->comm);
		if (stands_in(now, "wait_there"))
			assert_ptr_not_equal(before->user_stack, now->user_stack);
		else
			assert_ptr_equal(before->user_stack, now->user_stack);
	}
	end(&setting);
}

static void threads_come_and_go(void **state)
{
	struct setting setting;

	(void)state;
	begin(&setting, true);
	next_process(&setting);
	tell(0, MULTIPLY);
	await_sleep(setting.target.pid, WORKERS + 2);
	const struct process *process = next_process(&setting);
	assert_int_equal(process->thread_count, WORKERS + 2);
	assert_int_equal(count_in(process, "rest"), 1);
	tell(1, END);
	await_sleep(setting.target.pid, WORKERS + 1);
	process = next_process(&setting);
	assert_int_equal(process->thread_count, WORKERS + 1);
	assert_int_equal(count_in(process, "wait_here"), WORKERS - 1);
	assert_int_equal(process->threads[0].tid, process->pid);
	end(&setting);
}

static bool sleeps(const struct process *process)
{
	const struct wait *wait = process->threads[0].wait;

	return process->thread_count == 1 && strcmp(process->comm, "sleep") == 0 && wait &&
	       strcmp(wait->kind, "sleep") == 0;
}

static void another_program_is_executed(void **state)
{
	struct setting setting;
	const struct process *process;

	(void)state;
	begin(&setting, true);
	next_process(&setting);
	tell(5, EXECUTE);
	/* it has to load its libraries first */
	do {
		process = next_process(&setting);
	} while (!sleeps(process));
	assert_int_equal(count_in(process, "wait_here"), 0);
	end(&setting);
}

static void an_ended_process_is_not_there(void **state)
{
	struct setting setting;

	(void)state;
	begin(&setting, true);
	next_process(&setting);
	siginfo_t info;
	kill(setting.target.pid, SIGKILL);
	waitid(P_PID, (id_t)setting.target.pid, &info, WEXITED | WNOWAIT);
	const struct look *look = repeat_next(setting.repeat);
	/* its zombie, until its parent has taken notice */
	assert_true(look->process_count == 0 || look->processes[0]->threads[0].state == 'Z');
	target_end(&setting.target);
	look = repeat_next(setting.repeat);
	assert_int_equal(look->process_count, 0);
	repeat_destroy(setting.repeat);
	options_deinit(&setting.options);
}

static void waits_are_told_as_they_are_now(void **state)
{
	struct setting setting;

	(void)state;
	begin(&setting, false);
	const struct process *first = next_process(&setting);
	assert_non_null(first->threads[1].syscall);
	assert_string_equal(first->threads[1].wait->kind, "pipe-read");
	const struct process *second = next_process(&setting);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(first->threads[1].user_stack, second->threads[1].user_stack);
	assert_true(second->threads[1].blocked_ns > first->threads[1].blocked_ns);
	assert_string_equal(first->threads[1].wait->sentence, second->threads[1].wait->sentence);
	assert_string_equal(first->threads[1].syscall->text, second->threads[1].syscall->text);
	end(&setting);
}

/* Who has the lock is found at each look, of what has not moved too. */
static void holders_are_told_as_they_are_now(void **state)
{
	struct setting setting;
	const struct process *process;
	const struct wait *wait;
	int fd = mkstemp(locked);

	(void)state;
	close(fd); /* what the target inherits would have the lock as well */
	begin(&setting, false);
	fd = open(locked, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	tell(2, LOCK);
	do {
		process = next_process(&setting);
		wait = process->threads[3].wait;
	} while (!wait || strcmp(wait->kind, "file-lock") != 0);
	const struct user_stack *stack = process->threads[3].user_stack;
	process = next_process(&setting);
	wait = process->threads[3].wait;
	assert_ptr_equal(process->threads[3].user_stack, stack);
	assert_string_equal(wait->kind, "file-lock");
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, getpid());
	end(&setting);
	close(fd);
	unlink(locked);
}

/* Each look finds another worker moved: what is kept for the others must not pile up. */
static void memory_stays_bounded(void **state)
{
	enum { SETTLED = 150, LOOKS = 900 };
	struct setting setting;
	size_t settled = 0;

	(void)state;
	begin(&setting, true);
	for (int i = 0; i < LOOKS; i++) {
		tell((size_t)i % WORKERS, i / WORKERS % 2 ? GO_HERE : GO_THERE);
		next_process(&setting);
		if (i >= SETTLED && i < 2 * SETTLED && mallinfo2().uordblks > settled)
			settled = mallinfo2().uordblks;
	}
	size_t used = mallinfo2().uordblks;
	assert_true(used <= settled + settled / 4);
	end(&setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_not_moved_is_not_looked_at_again),
		cmocka_unit_test(only_the_thread_that_moved_is_looked_at_again),
		cmocka_unit_test(threads_come_and_go),
		cmocka_unit_test(another_program_is_executed),
		cmocka_unit_test(an_ended_process_is_not_there),
		cmocka_unit_test(waits_are_told_as_they_are_now),
		cmocka_unit_test(holders_are_told_as_they_are_now),
		cmocka_unit_test(memory_stays_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
