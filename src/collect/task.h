// SPDX-License-Identifier: Apache-2.0
/*
 * Task: what /proc tells of one thread, read without disturbing it. It knows nothing of
 * user stacks: who wants those has collected the facts first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/collector.h"
#include "collect/kernel_stack.h"
#include "collect/proc.h"
#include "collect/scheduler_clock.h"
#include "model/process.h"

/* Reads tasks of one process. */
struct task_reader {
	int process;                     /* /proc/PID, borrowed */
	int directory;                   /* /proc/PID/task; -1: nothing was read yet */
	int sched; /* the file of that name of the thread @sched_tid; -1: none is open */
	pid_t sched_tid;
	bool kernel_stacks, user_stacks; /* as the request has it */
	struct kernel_stacks *known_stacks;
	struct arena *arena;
	struct scheduler_clock *clock;
	size_t size; /* of the buffer */
	char *buffer;
};

/* A thread of the model, and what is needed to look at it. */
struct task {
	struct thread thread;
	bool is_kernel;
	/* Where it was blocked before anything was done to it: unknown where `refused` says why. */
	bool has_place;
	struct proc_syscall place;
	/* It did not run while the facts were read: they are of one moment. */
	bool settled;
	int stack_error, syscall_error; /* errno values; 0: it could be read */
	/* How it went with the registers and the stack's copy. */
	enum task_outcome {
		TASK_PENDING,
		TASK_COPIED,
		TASK_RUNS,       /* and was not stopped */
		TASK_REFUSED,    /* `error` tells */
		TASK_MOVING,     /* each time it was looked at, it had gone on */
		TASK_NOT_NATIVE, /* 32-bit code */
	} outcome;
	int error;     /* an errno value; where it was copied: why its stack was not */
	pid_t tracer;  /* somebody traces it already */
	bool was_late; /* it did not stop in time */
	bool unread;   /* its stack gave no answer while it was stopped */
	bool moved;    /* between the reading of its facts and its stop, each time */
	/* What the last stop found, to know a syscall that it made the kernel restart. */
	struct syscall_entry stopped_entry;
	uint64_t stopped_sp;
	bool was_at_place; /* the stop found it where its facts have it */
};

/* @process is the directory /proc/PID, which must stay open. */
void task_reader_init(struct task_reader *reader, int process, const struct look_request *request,
	struct kernel_stacks *known_stacks, struct scheduler_clock *clock, struct arena *arena);
void task_reader_deinit(struct task_reader *reader);

/* /proc/PID/task, the reader's own; -1 and errno: it can't be opened. */
int task_reader_directory(struct task_reader *reader);

/*
 * Fills in the facts: comm, state, cpu, blocked_ns, wchan, entry, kernel_stack. A task that
 * runs while it is read is read again, three times at most; what can't be trusted then
 * (the kernel stack) is left out. false: it is gone, and `vanished` is set.
 */
bool task_read(struct task_reader *reader, struct task *task);

/*
 * The words for the task's kernel stack, shared with all that read alike; NULL where there are
 * none. An errno value, 0 where it could be read.
 */
int task_read_kernel_stack(struct task_reader *reader, pid_t tid, struct kernel_stack **stack);

/* The state of the task alone; 0: it is gone. */
char task_read_state(struct task_reader *reader, pid_t tid);

/* Whether the task has not run since its facts were read. */
bool task_held_still(struct task_reader *reader, const struct task *task);

/* Where the task is blocked now; false: that could not be read, and errno tells why. */
bool task_read_place(struct task_reader *reader, pid_t tid, struct proc_syscall *place);

/* Who traces the task; 0: nobody. */
pid_t task_read_tracer(struct task_reader *reader, pid_t tid);

/* The task's own idea of its id, in its innermost pid namespace; 0: not known. */
pid_t task_read_namespace_id(struct task_reader *reader, pid_t tid);

/*
 * Whether it sleeps so that a tracer can't stop it, or must not try to: a system call that waits
 * for a page of userfaultfd's would go round in circles on its CPU from then on, since the signal
 * is pending but does not end the wait (mm/memory.c and fs/userfaultfd.c: the wait is
 * interruptible; include/linux/sched/signal.h, fault_signal_pending(): only user mode gives it up).
 */
bool task_is_uninterruptible(const struct task *task);

static inline bool task_is_dead(const struct task *task)
{
	return task->thread.vanished || task->thread.state == 'Z' || task->thread.state == 'X';
}

/* Whether it has a user mode, alive. */
static inline bool task_has_user_stack(const struct task *task)
{
	return !task->is_kernel && !task_is_dead(task);
}
