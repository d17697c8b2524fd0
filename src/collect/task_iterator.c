// SPDX-License-Identifier: Apache-2.0
#include "collect/task_iterator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/bpf_walk.h"
#include "tasks.lskel.h"
#include "util/file.h"
#include "util/memory.h"

struct task_iterator {
	struct tasks *program;
	/* What walks the process that was walked last: it is walked twice as a rule. */
	int link;      /* -1: none */
	pid_t process; /* its id */
};

/* Why the kernel refused, in words that tell what would help. */
static struct error refused(int number)
{
	struct error error = error_errno(number);

	if (number == EPERM)
		error.reason = "needs CAP_BPF and CAP_PERFMON: run with sudo";
	else if (number == EACCES) /* not for want of rights: they are asked for first */
		error.reason = "the kernel's BPF verifier or a security module refuses the program";
	else if (number == EINVAL) /* helpers that a lockdown for confidentiality takes away */
		error.reason = "the kernel refuses the program: it is locked down or has no BTF";
	else if (number == E2BIG || number == ENOSYS || number == ENOENT || number == ESRCH)
		/* E2BIG: it knows less of union bpf_attr, before 5.14, or of bpf_iter_link_info */
		error.reason = "this kernel has no BPF task iterator for one process (6.1 has)";
	return error;
}

void task_iterator_destroy(struct task_iterator *iterator)
{
	if (!iterator)
		return;
	close_at(&iterator->link);
	tasks__destroy(iterator->program);
	free(iterator);
}

/* What leads the program over one task, over those of a process, or, without either, over all. */
static int create_link(const struct task_iterator *iterator, pid_t process, pid_t thread)
{
	const int program = iterator->program->progs.tasks.prog_fd;
	union bpf_iter_link_info filter = {0};

	/* The kernel takes one of the two: kernel/bpf/task_iter.c, bpf_iter_attach_task(). */
	if (thread)
		filter.task.tid = (unsigned)thread;
	else
		filter.task.pid = (unsigned)process;
	return bpf_walk_link(program, thread || process ? &filter : NULL);
}

static int open_walk(struct task_iterator *iterator, pid_t process, pid_t thread)
{
	if (thread || !process) {
		int link cleanup_close = create_link(iterator, process, thread);

		return link < 0 ? -1 : bpf_walk_open(link);
	}
	if (iterator->link < 0 || iterator->process != process) {
		close_at(&iterator->link);
		iterator->link = create_link(iterator, process, 0);
		iterator->process = process;
	}
	return iterator->link < 0 ? -1 : bpf_walk_open(iterator->link);
}

struct error task_iterator_create(struct task_iterator **iterator)
{
	*iterator = NULL;
	if (!bpf_walk_has_our_ids())
		return error_because("this is not the initial pid namespace");
	struct tasks *program = tasks__open_and_load();
	if (!program)
		return refused(errno);
	struct task_iterator *created = allocate_zeroed(1, sizeof(*created));
	created->program = program;
	created->link = -1;

	/* 5.14 to 6.0 load the program and refuse to walk a single process. */
	int fd cleanup_close = open_walk(created, getpid(), 0);
	if (fd < 0) {
		struct error error = refused(errno);

		task_iterator_destroy(created);
		return error;
	}
	*iterator = created;
	return NO_ERROR;
}

static struct error read_walk(
	struct task_iterator *iterator, pid_t process, pid_t thread, struct task_records *records)
{
	records->length = 0;
	int fd cleanup_close = open_walk(iterator, process, thread);
	if (fd < 0)
		return refused(errno);
	for (;;) {
		if (records->capacity - records->length < BPF_WALK_READ_SIZE) {
			records->capacity = 2 * records->capacity + BPF_WALK_READ_SIZE;
			records->bytes = reallocate(records->bytes, records->capacity, 1);
		}
		ssize_t length = read(fd, records->bytes + records->length, BPF_WALK_READ_SIZE);

		if (length == 0)
			return NO_ERROR;
		if (length < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (length < 0)
			return refused(errno);
		records->length += (size_t)length;
		/* A reading ends early where a record finds no room, or after a million tasks
		 * (bpf_seq_read()); whether any are missing then shows by their number. */
		if (process && (size_t)length + sizeof(struct task_record) <= BPF_WALK_READ_SIZE)
			return NO_ERROR;
	}
}

struct error task_iterator_pass(struct task_iterator *iterator, struct task_walk walk,
	const struct task_filter *filter, struct task_records *records)
{
	struct tasks__bss *shared = iterator->program->bss;

	pid_t process = walk.first_process == walk.last_process ? walk.first_process : 0;

	shared->filter = *filter;
	shared->filter.first_process = (unsigned)walk.first_process;
	shared->filter.last_process = (unsigned)walk.last_process;
	shared->filter.thread = (unsigned)walk.thread;
	shared->walked = (struct task_walked){0};
	struct error error = read_walk(iterator, process, walk.thread, records);
	/* Before 6.12 and its backports a walk of one thread finds main threads alone:
	 * kernel/bpf/task_iter.c, task_seq_get_next(). */
	if (!failed(error) && walk.thread && !shared->walked.tasks)
		error = read_walk(iterator, process, 0, records);
	/*
	 * The walk of a process ends early where the thread at which a reading paused is gone
	 * (task_group_seq_get_next()); that of all goes on with the next.
	 */
	else if (!failed(error) && process && !walk.thread &&
		 shared->walked.tasks < shared->walked.threads)
		error = read_walk(iterator, 0, 0, records);
	return error;
}

size_t task_iterator_walked(const struct task_iterator *iterator)
{
	return iterator->program->bss->walked.tasks;
}

const struct task_record *task_record_next(
	const struct task_records *records, const struct task_record *record)
{
	size_t at = record ? (size_t)((const char *)record - records->bytes) + record->size : 0;

	if (at + offsetof(struct task_record, frames) > records->length)
		return NULL;
	return (const struct task_record *)(records->bytes + at);
}

const struct task_mark *task_marks(const struct task_records *records, size_t *count)
{
	*count = records->length / sizeof(struct task_mark);
	return (const struct task_mark *)records->bytes;
}

void task_records_deinit(struct task_records *records)
{
	free(records->bytes);
}

size_t task_record_frame_count(const struct task_record *record)
{
	return (record->size - offsetof(struct task_record, frames)) / sizeof(record->frames[0]);
}
