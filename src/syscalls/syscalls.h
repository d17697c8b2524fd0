// SPDX-License-Identifier: Apache-2.0
/*
 * Syscalls: what a call in flight is and how its arguments read. It knows each call's
 * signature; what a thread waits for in it is the business of waits/.
 *
 * To add a call: one row in the table of its family (io.c, sockets.c, …). Rows go by name, so
 * one serves every architecture; the numbers come from arch->syscall_names. To add a family: a
 * file with its rows, and its line in table.c.
 */
#pragma once

#include "arch/arch.h"
#include "model/process.h"
#include "syscalls/argument.h"

/* What a call does, as far as waits/ tells calls apart. */
enum syscall_class {
	CALL_OTHER,
	CALL_READ,  /* from the descriptor that is its first argument */
	CALL_WRITE, /* to it */
	CALL_ACCEPT,
	CALL_CONNECT,
	CALL_POLL,
	CALL_SELECT,
	CALL_EPOLL,
	CALL_SLEEP,
	CALL_FUTEX,
	CALL_CHILD,
	CALL_SIGNAL,
	CALL_LOCK, /* flock and fcntl */
	CALL_OPEN,
	CALL_POSIX_QUEUE,
	CALL_SYSV_QUEUE,
	CALL_SYSV_SEMAPHORE,
	CALL_AIO,
	CALL_IO_URING,
	CALL_SYNC,
	CALL_MOUNT,
	CALL_IOCTL,
	CALL_COPY, /* from one descriptor to another */
	CALL_CLONE,
	CALL_PTRACE,
	CALL_EXIT,
};

struct syscall_row {
	const char *name;
	enum syscall_class class;
	struct parameter parameters[SYSCALL_ARGUMENTS]; /* up to the first without a name */
	/* How many of the parameters these arguments give a meaning to; NULL: all. */
	size_t (*used)(const uint64_t *arguments);
};

/* The row of that name, or NULL: a call that is shown by its bare arguments. */
const struct syscall_row *syscall_row_find(const char *name);

/* The name that the architecture gives the number, or NULL. */
const char *syscall_name(const struct arch *arch, long number);

/*
 * The call in flight, in effect: for restart_syscall the one that it resumes, whose arguments
 * still stand in the registers.
 */
struct call {
	const struct syscall_row *row; /* NULL: none is in flight, or it has no row */
	const char *name;              /* of what is in effect; NULL: none, or not known */
	const uint64_t *arguments;
	bool resumed; /* by restart_syscall */
};

/* The position of the parameter with that name, or -1. */
int call_parameter(const struct call *call, const char *name);

/*
 * Which call @thread is in. @row is the row of thread->entry.number, as the caller may have kept it
 * from another thread; what restart_syscall resumes is told by the kernel stack or wchan.
 */
struct call call_find(
	const struct arch *arch, const struct syscall_row *row, const struct thread *thread);

/*
 * The call of @thread with its arguments decoded from the target's memory and descriptors, in
 * @arena; NULL when it is in none, or that is not known.
 */
struct syscall_call *syscall_decode(const struct arch *arch, const struct call *call,
	const struct process *process, const struct thread *thread, struct arena *arena);
