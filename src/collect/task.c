// SPDX-License-Identifier: Apache-2.0
#include "collect/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "util/memory.h"

/* The longest of a task's files is stack: 64 lines (MAX_STACK_TRACE_DEPTH, fs/proc/base.c) of a
 * symbol of at most 512 bytes (KSYM_NAME_LEN) and its module. */
#define BUFFER_SIZE (64 * 1024)

#define ATTEMPTS 3

int task_reader_directory(struct task_reader *reader)
{
	if (reader->directory < 0)
		reader->directory =
			openat(reader->process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return reader->directory;
}

static int open_task_file(struct task_reader *reader, pid_t tid, const char *file)
{
	char path[64], digits[16];
	char *at = digits + sizeof(digits);

	if (task_reader_directory(reader) < 0)
		return -1;
	/* One of the program's hottest lines: snprintf() would cost as much as the kernel. */
	*--at = '\0';
	do {
		*--at = (char)('0' + tid % 10);
	} while (tid /= 10);
	stpcpy(stpcpy(stpcpy(path, at), "/"), file);
	return openat(reader->directory, path, O_RDONLY | O_CLOEXEC);
}

/* Reads a file of /proc from its begin, at once, as its reader gives it; -1 and errno on failure. */
static ssize_t read_whole(struct task_reader *reader, int fd)
{
	ssize_t length, total = 0;

	if (!reader->buffer)
		reader->buffer = allocate(reader->size);
	do {
		length = pread(fd, reader->buffer + total, reader->size - (size_t)total, total);
		if (length > 0)
			total += length;
		/* A file that ends below a page has been given whole. */
	} while ((length < 0 && errno == EINTR) ||
		 (length > 0 && total >= 4000 && (size_t)total < reader->size));
	return length < 0 ? -1 : total;
}

static ssize_t read_task_file(struct task_reader *reader, pid_t tid, const char *file)
{
	int fd = open_task_file(reader, tid, file);

	if (fd < 0)
		return -1;
	ssize_t length = read_whole(reader, fd);
	int error = errno;
	close(fd);
	errno = error;
	return length;
}

void task_reader_init(struct task_reader *reader, int process, const struct look_request *request,
	struct kernel_stacks *known_stacks, struct scheduler_clock *clock, struct arena *arena)
{
	*reader = (struct task_reader){
		.process = process,
		.directory = -1,
		.sched = -1,
		.kernel_stacks = request->kernel_stacks,
		.user_stacks = request->user_stacks,
		.known_stacks = known_stacks,
		.clock = clock,
		.arena = arena,
		.size = BUFFER_SIZE,
	};
}

void task_reader_deinit(struct task_reader *reader)
{
	close_at(&reader->sched);
	close_at(&reader->directory);
	free(reader->buffer);
}

/* -1: it could not be read. The file stays open: of a thread alone it is read three times. */
static int64_t read_exec_start(struct task_reader *reader, pid_t tid)
{
	int64_t exec_start_ns;

	if (reader->sched < 0 || reader->sched_tid != tid) {
		close_at(&reader->sched);
		reader->sched = open_task_file(reader, tid, "sched");
		reader->sched_tid = tid;
	}
	ssize_t length = reader->sched < 0 ? -1 : read_whole(reader, reader->sched);
	if (length < 0 || !proc_parse_exec_start(reader->buffer, (size_t)length, &exec_start_ns))
		return -1;
	return exec_start_ns;
}

static bool read_stat(struct task_reader *reader, pid_t tid, struct proc_stat *stat)
{
	ssize_t length = read_task_file(reader, tid, "stat");

	return length >= 0 && proc_parse_stat(reader->buffer, (size_t)length, stat);
}

char task_read_state(struct task_reader *reader, pid_t tid)
{
	struct proc_stat stat;

	return read_stat(reader, tid, &stat) ? stat.state : 0;
}

bool task_read_place(struct task_reader *reader, pid_t tid, struct proc_syscall *place)
{
	ssize_t length = read_task_file(reader, tid, "syscall");

	if (length < 0)
		return false;
	errno = EINVAL;
	return proc_parse_syscall(reader->buffer, (size_t)length, place);
}

static bool read_status(struct task_reader *reader, pid_t tid, struct proc_status *status)
{
	ssize_t length = read_task_file(reader, tid, "status");

	return length >= 0 && proc_parse_status(reader->buffer, (size_t)length, status);
}

pid_t task_read_tracer(struct task_reader *reader, pid_t tid)
{
	struct proc_status status;

	return read_status(reader, tid, &status) ? status.tracer : 0;
}

pid_t task_read_namespace_id(struct task_reader *reader, pid_t tid)
{
	struct proc_status status;

	return read_status(reader, tid, &status) ? status.namespace_pid : 0;
}

bool task_is_uninterruptible(const struct task *task)
{
	const struct thread *thread = &task->thread;

	return thread->state == 'D' || (thread->wchan && thread->entry.in_syscall &&
					       strcmp(thread->wchan, "handle_userfault") == 0);
}

bool task_held_still(struct task_reader *reader, const struct task *task)
{
	struct proc_syscall place;

	if (task->thread.ran_at_ns >= 0)
		return read_exec_start(reader, task->thread.tid) == task->thread.ran_at_ns;
	return task->has_place && task_read_place(reader, task->thread.tid, &place) &&
	       proc_syscall_same(&place, &task->place);
}

int task_read_kernel_stack(struct task_reader *reader, pid_t tid, struct kernel_stack **stack)
{
	ssize_t length = read_task_file(reader, tid, "stack");

	*stack = NULL;
	if (length < 0)
		return errno;
	*stack = kernel_stacks_find(reader->known_stacks, reader->buffer, (size_t)length);
	return 0;
}

/* The function that it waits in is the stack's first: both skip those of the scheduler
 * (kernel/sched/core.c, get_wchan(); kernel/stacktrace.c, stack_trace_consume_entry_nosched()). */
static void read_kernel_stack(struct task_reader *reader, struct task *task)
{
	struct thread *thread = &task->thread;

	if (reader->kernel_stacks)
		task->stack_error =
			task_read_kernel_stack(reader, thread->tid, &thread->kernel_stack);
	if (thread->kernel_stack) {
		if (thread->kernel_stack->count)
			thread->wchan = thread->kernel_stack->frames[0].symbol;
		return;
	}
	ssize_t length = read_task_file(reader, thread->tid, "wchan");
	if (length > 0 && !(length == 1 && reader->buffer[0] == '0'))
		thread->wchan = arena_strndup(reader->arena, reader->buffer, (size_t)length);
}

static bool is_gone(int error)
{
	return error == ESRCH || error == ENOENT;
}

/* Since when the task has not run, where that is known. */
static void tell_blocked(const struct task_reader *reader, struct task *task)
{
	if (task->thread.ran_at_ns >= 0)
		task->thread.blocked_ns = scheduler_clock_since(
			reader->clock, task->thread.cpu, task->thread.ran_at_ns);
}

/* One reading. false: the task is gone. */
static bool read_facts(struct task_reader *reader, struct task *task)
{
	struct thread *thread = &task->thread;
	struct proc_stat stat;

	task->has_place = task->settled = false;
	task->syscall_error = task->stack_error = 0;
	thread->entry = (struct syscall_entry){0};
	thread->kernel_stack = NULL;
	thread->wchan = NULL;
	thread->blocked_ns = -1;
	task->thread.ran_at_ns = read_exec_start(reader, thread->tid);
	if (!read_stat(reader, thread->tid, &stat))
		return false;
	thread->state = stat.state;
	thread->cpu = stat.cpu;
	task->is_kernel = stat.flags & PROC_FLAG_KERNEL_THREAD;
	if (!thread->comm || strcmp(thread->comm, stat.comm) != 0)
		thread->comm = arena_strdup(reader->arena, stat.comm);
	if (task_is_dead(task)) {
		task->settled = true;
		tell_blocked(reader, task);
		return true;
	}
	if (task->is_kernel) {
		thread->entry.known = true;
	} else if (task_read_place(reader, thread->tid, &task->place)) {
		task->has_place = !task->place.running;
		thread->entry = task->place.entry;
	} else if (is_gone(errno)) {
		return false;
	} else {
		task->syscall_error = errno;
	}
	if (thread->state == 'R' || (!task->is_kernel && !task->has_place && !task->syscall_error))
		return true;
	read_kernel_stack(reader, task);
	task->settled = task_held_still(reader, task);
	if (task->settled)
		tell_blocked(reader, task);
	return true;
}

bool task_read(struct task_reader *reader, struct task *task)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (!read_facts(reader, task)) {
			task->thread.vanished = true;
			return false;
		}
		if (task->settled || task->thread.state == 'R')
			return true;
	}
	task->thread.kernel_stack = NULL;
	task->thread.wchan = NULL;
	return true;
}
