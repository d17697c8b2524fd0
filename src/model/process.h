// SPDX-License-Identifier: Apache-2.0
/*
 * Look: all that one look at the machine found. Plain data that collect/ begins and
 * unwind/, symbolize/ and explain/ fill in; render/ only reads it. Strings that come
 * from a target are raw unless their comment says that they are escaped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/code.h"
#include "model/deadlock.h"
#include "model/descriptor.h"
#include "model/gap.h"
#include "model/goroutine.h"
#include "model/mapping.h"
#include "model/memory.h"
#include "model/registers.h"
#include "model/stack.h"
#include "model/surroundings.h"
#include "model/syscall.h"
#include "model/variables.h"
#include "model/wait.h"

struct arena;
struct guard;

enum kernel_lock_kind {
	KERNEL_LOCK_NONE, /* or not known */
	KERNEL_LOCK_MUTEX,
	KERNEL_LOCK_SEMAPHORE,
	KERNEL_LOCK_READ, /* a read-write semaphore, to read */
	KERNEL_LOCK_WRITE,
};

/* A lock of the kernel's own that a thread sleeps for, as the kernel itself has it. */
struct kernel_lock {
	enum kernel_lock_kind kind;
	pid_t pid, tid; /* who has it, then; 0: not known */
	bool is_read;   /* it is had by readers, of which this was the last to come */
};

/* task_state_array of fs/proc/array.c. */
#define THREAD_STATES "RSDTtZXIP"

struct thread {
	pid_t tid;
	pid_t namespace_tid; /* its own idea of its id (innermost pid namespace); 0: the same, or
				not known */
	const char *comm;
	char state;          /* the kernel's letter, one of THREAD_STATES */
	bool vanished;       /* it ended during the look; what was read until then stands */
	int cpu;             /* where it runs or ran last; -1: not known */
	int64_t blocked_ns;  /* since it last ran; -1: not known, or it runs */
	const char *wchan;   /* NULL: none or not known */
	uint64_t stopped_ns; /* how long the look kept it stopped */

	struct registers registers; /* known == 0: none could be had */
	struct syscall_entry entry;
	uint64_t stack_start; /* the copy's first address: sp, less what lies below it that is in
				 use */
	const uint8_t *stack_bytes; /* NULL: no copy */
	size_t stack_length;
	bool held_still;   /* memory beyond the copy may be read live: the thread was blocked
			      throughout */
	int64_t ran_at_ns; /* when it was last charged for running, by its CPU's own clock: it has
			      not run since if that is the same later; -1: not known */

	struct kernel_stack *kernel_stack; /* NULL: not had */
	struct kernel_lock kernel_lock;
	struct user_stack *user_stack; /* NULL: not had, or none (kernel threads, zombies) */
	struct syscall_call *syscall;  /* NULL: not in one, or not known */
	struct wait *wait;             /* NULL: not known */
	uint64_t goroutine;            /* the one it runs, or is in a call for; 0: none */
	size_t holds_up;  /* how many threads and goroutines wait for it, directly or behind
			     others */
	const char *role; /* what its runtime uses it for: "idle Go scheduler thread"; NULL: not
			     known. Static */
	struct gaps gaps;
};

/* Asked for with --process-info. */
struct process_limit {
	const char *name; /* "Max open files" */
	const char *soft, *hard, *unit;
};

struct process_namespace {
	const char *name; /* "net" */
	uint64_t inode;
};

struct process_info {
	struct process_limit *limits;
	size_t limit_count;
	struct process_namespace *namespaces;
	size_t namespace_count;
	const struct descriptor **descriptors;
	size_t descriptor_count;
};

struct process {
	pid_t pid, ppid;
	pid_t leader; /* the thread whose /proc/TID stands for its memory and files: the main one
			 has neither once it has ended alone; 0: the main one */
	pid_t tracer; /* who traces its first thread that is traced; 0: nobody */
	pid_t namespace_pid; /* its own idea of its pid (innermost pid namespace); 0: not known */
	char state;          /* of its main thread */
	bool is_kernel;      /* a kernel thread */
	bool is_32_bit;      /* runs 32-bit code: its stacks and syscalls are not decoded */
	const char *comm;
	const char **cmdline; /* argument by argument */
	size_t cmdline_count;
	const char *exe, *cwd; /* NULL: unreadable or none */
	uid_t uid;
	int64_t started_at_ns; /* CLOCK_REALTIME; -1: not known */
	int64_t running_ns;    /* since it started; -1: not known */
	const char *runtime;   /* "go1.22.1"; NULL: none known */
	const char *container; /* its id, or NULL */

	struct thread *threads; /* main thread first, then by rising id */
	size_t thread_count;
	struct user_stack **user_stacks; /* by unwind/: the different ones of its threads; those
					    whose stacks are alike share one */
	size_t user_stack_count;
	struct goroutine
		*goroutines; /* by rising id, the runtime's own among them; NULL: not sought */
	size_t goroutine_count;
	size_t goroutines_left_out; /* the runtime's own, which were not asked for */
	/*
	 * There was a moment at which all goroutines were parked or in calls, where they were seen,
	 * and nothing can let one go on but they, and what its own wait names: no timer is pending,
	 * no thread is there that the runtime does not know. The runtime's own do not count.
	 */
	bool tasks_closed;
	const char *tasks_open; /* why not, in words, static; NULL: nothing was looked for */
	struct mappings mappings;
	struct code *code;           /* what a language's runtime knows of its code, by runtimes/;
					      NULL: nothing */
	const struct memory *memory; /* owned by the collector; NULL: may not be read */
	struct descriptors *descriptors;   /* owned by the collector; never NULL */
	struct variable_names *variables;  /* by symbolize/; NULL: none can be named */
	struct surroundings *surroundings; /* owned by the collector; NULL: nothing is known */
	struct guard *guard; /* for calls that its files or its memory may never answer; owned by
				the collector; NULL: they are safe */
	/* Whether a thread that held still does so to this moment; by the collector. NULL: nothing
	 * can move it. */
	bool (*still_there)(const struct process *process, const struct thread *thread);
	/* Has still_there() count from now for a thread that was stopped, once it is back in its
	 * call; false: it is not. Set where that is. */
	bool (*settle)(const struct process *process, struct thread *thread);
	/*
	 * Whether the process has a thread of this id at this moment, be it among `threads` or not;
	 * by the collector. NULL: it has no others.
	 */
	bool (*has_thread)(const struct process *process, pid_t tid);
	/*
	 * Looks at the threads once more, each stopped for the copy: those for which that went well
	 * have new facts, all of that moment, and are kept at the front; their number. By the
	 * collector; NULL: they may not be stopped.
	 */
	size_t (*look_again)(struct process *process, struct thread **threads, size_t count,
		struct arena *arena);
	bool is_stuck; /* its address space gave no answer: what needs that must not be read */
	struct process_info *info; /* NULL unless asked for */
	struct gaps gaps;
};

/* The thread of that id among those of @process, or NULL. */
struct thread *thread_find(const struct process *process, pid_t tid);

static inline bool thread_is_alive(const struct thread *thread)
{
	return !thread->vanished && thread->state != 'Z' && thread->state != 'X';
}

/* The goroutine of that id among those of @process, or NULL. */
struct goroutine *goroutine_find(const struct process *process, uint64_t id);

/* The goroutine that @thread runs, where it is among those of @process; NULL: none known. */
const struct goroutine *goroutine_of(const struct process *process, const struct thread *thread);

/* A thread that others wait for. */
struct blocker {
	const struct process *process;
	const struct thread *thread;
	size_t holds_up;
};

struct look {
	struct arena *arena; /* owns everything below */
	int64_t taken_at_ns; /* CLOCK_REALTIME */
	const char *kernel;  /* uname's release */
	struct process **processes;
	size_t process_count;
	bool partial; /* not all threads of the processes were asked for */
	/* Processes that are waited for and were not asked for: not shown for themselves. */
	struct process **related;
	size_t related_count;
	bool goroutines_tied;        /* holders or deadlocks lead to some of them */
	struct deadlock **deadlocks; /* the certain ones first */
	size_t deadlock_count;
	/* The threads that hold up the most and wait for nobody that is known themselves. */
	struct blocker *blockers;
	size_t blocker_count;
	struct gaps gaps;
};
