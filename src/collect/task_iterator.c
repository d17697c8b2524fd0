// SPDX-License-Identifier: Apache-2.0
#include "collect/task_iterator.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tasks.lskel.h"
#include "util/file.h"
#include "util/memory.h"

struct task_iterator {
	struct tasks *program;
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
	tasks__destroy(iterator->program);
	free(iterator);
}

/* A descriptor whose reading runs the program over the tasks of @pid, or over all for 0. */
static int open_pass(const struct task_iterator *iterator, pid_t pid)
{
	union bpf_iter_link_info filter = {.task.pid = (unsigned)pid};
	union bpf_attr attributes = {0};

	attributes.link_create.prog_fd = (unsigned)iterator->program->progs.tasks.prog_fd;
	attributes.link_create.attach_type = BPF_TRACE_ITER;
	if (pid) {
		attributes.link_create.iter_info = (uintptr_t)&filter;
		attributes.link_create.iter_info_len = sizeof(filter);
	}
	int link cleanup_close =
		(int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));
	if (link < 0)
		return -1;
	memset(&attributes, 0, sizeof(attributes));
	attributes.iter_create.link_fd = (unsigned)link;
	return (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attributes, sizeof(attributes));
}

struct error task_iterator_create(struct task_iterator **iterator)
{
	*iterator = NULL;
	struct tasks *program = tasks__open_and_load();
	if (!program)
		return refused(errno);
	struct task_iterator *created = allocate_zeroed(1, sizeof(*created));
	created->program = program;

	/* 5.14 to 6.0 load the program and refuse to walk a single process. */
	int fd cleanup_close = open_pass(created, getpid());
	if (fd < 0) {
		struct error error = refused(errno);

		task_iterator_destroy(created);
		return error;
	}
	*iterator = created;
	return NO_ERROR;
}

struct error task_iterator_pass(struct task_iterator *iterator, pid_t pid, struct text *records)
{
	char buffer[32 * 1024]; /* what the kernel hands out at most: kernel/bpf/bpf_iter.c */

	text_clear(records);
	int fd cleanup_close = open_pass(iterator, pid);
	if (fd < 0)
		return refused(errno);
	for (;;) {
		ssize_t length = read(fd, buffer, sizeof(buffer));

		if (length == 0)
			return NO_ERROR;
		if (length > 0)
			text_append_bytes(records, buffer, (size_t)length);
		else if (errno != EINTR && errno != EAGAIN)
			return refused(errno);
	}
}

const struct task_record *task_record_next(
	const struct text *records, const struct task_record *record)
{
	size_t at = record ? (size_t)((const char *)record - records->bytes) + record->size : 0;

	if (at + offsetof(struct task_record, frames) > records->length)
		return NULL;
	return (const struct task_record *)(records->bytes + at);
}

size_t task_record_frame_count(const struct task_record *record)
{
	return (record->size - offsetof(struct task_record, frames)) / sizeof(record->frames[0]);
}
