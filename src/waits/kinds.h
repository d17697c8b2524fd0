// SPDX-License-Identifier: Apache-2.0
/* Kinds of wait: what the files of waits/ share. */
#pragma once

#include "util/clock.h"
#include "util/text.h"
#include "waits/waits.h"

/* What a kernel stack shows by the functions in it. */
enum kernel_trait {
	KERNEL_DISK = 1 << 0,      /* I/O to a block device, or its file system's journal */
	KERNEL_THROTTLED = 1 << 1, /* too much is written and not yet on disk */
	KERNEL_NFS = 1 << 2,
	KERNEL_SMB = 1 << 3,
	KERNEL_FUSE = 1 << 4,
	KERNEL_LOCK = 1 << 5,  /* a lock of the kernel's own */
	KERNEL_FAULT = 1 << 6, /* a page fault */
	KERNEL_USERFAULT = 1 << 7,
	KERNEL_COREDUMP = 1 << 8,
	KERNEL_VFORK = 1 << 9,
	KERNEL_FROZEN = 1 << 10,
	KERNEL_FIFO = 1 << 11, /* open() of a FIFO */
	KERNEL_WORK = 1 << 12, /* a work item, in a kernel thread */
	KERNEL_EXIT = 1 << 13,
	KERNEL_SCHEDULER = 1 << 14, /* on top of every stack that sleeps */
	KERNEL_MEMORY_HIGH = 1 << 15,
	KERNEL_OOM = 1 << 16,            /* a cgroup's, which kills nobody (memory.oom_control) */
	KERNEL_CGROUP_RECLAIM = 1 << 17, /* memory is freed for a cgroup's limit */
	KERNEL_RECLAIM = 1 << 18,        /* for want of memory */
	KERNEL_ASIDE = 1 << 19,          /* a key that is needed first, whoever needs it */
};

/* One thread's wait in the making. */
struct waiting {
	struct waits *waits;
	const struct process *process;
	const struct thread *thread;
	const struct call *call;
	const struct descriptor *descriptor; /* the call's first argument; NULL: none, or unknown */
	uint64_t kernel;                     /* of enum kernel_trait */

	/* The result, by a kind's explain() */
	const char *word; /* its kind's, unless it says otherwise */
	struct text sentence;
	bool idle; /* its kind's, unless it says otherwise */
	struct holder *holders;
	size_t holder_count;
	bool holders_complete;
};

struct wait_kind {
	const char *word; /* in `kind` of the output */
	/* A rest: it waits for whatever comes, not for something certain that is under way. */
	bool idle;
	enum syscall_class class; /* tried in these calls only; CALL_OTHER: always */
	/* Appends the sentence, and adds holders; false, with nothing said: it is another kind. */
	bool (*explain)(struct waiting *waiting);
};

/* A table of kinds; wait_explain() tries the tables, and their rows, one after the other. */
struct wait_kinds {
	const struct wait_kind *rows;
	size_t count;
};

#define KINDS(rows)                                                                                \
	{                                                                                          \
		(rows), sizeof(rows) / sizeof((rows)[0])                                           \
	}

extern const struct wait_kinds waits_by_state;
extern const struct wait_kinds waits_in_kernel;
extern const struct wait_kinds waits_for_storage;
extern const struct wait_kinds waits_of_kernel;
extern const struct wait_kinds waits_for_time;
extern const struct wait_kinds waits_for_descriptor;
extern const struct wait_kinds waits_of_programs;
extern const struct wait_kinds waits_for_several;
extern const struct wait_kinds waits_for_futex;
extern const struct wait_kinds waits_for_process;
extern const struct wait_kinds waits_for_ipc;
extern const struct wait_kinds waits_for_file;
extern const struct wait_kinds waits_otherwise;

/* Words: they append to the sentence. Names that come from the target are escaped. */
void say(struct waiting *waiting, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_escaped(struct waiting *waiting, const char *string);
/* The file's path, or what else the descriptor is, or "descriptor 3". */
void say_descriptor(struct waiting *waiting, int fd);
/* "3<TCP …>" */
void say_number_and_descriptor(struct waiting *waiting, int fd);
/* The processes at the descriptor's other end after @preposition (" from"): " from cat (pid 7) and
 * 2 more".
 */
void say_peers(
	struct waiting *waiting, const char *preposition, const struct descriptor *descriptor);
/* The call and what it works on: "fsync of /var/log/x". */
void say_call(struct waiting *waiting);
/* What is being done in the kernel, ": " and the call with its object, or ": a page fault". */
void say_purpose(struct waiting *waiting);
/* The call's parameter of that name as syscalls/ decodes it. */
void say_argument(struct waiting *waiting, const char *name);
/* ", at most 4.2 s more", where the call has a timeout. */
void say_timeout(struct waiting *waiting);

/* The value of the call's parameter of that name; 0 when it has none. */
uint64_t call_value(const struct waiting *waiting, const char *name);

/*
 * Adds somebody that is waited on; @tid 0: any thread of the process. @text is static or in the
 * arena. Gives it, for what else is known of it; NULL: there are too many already.
 */
struct holder *add_holder(
	struct waiting *waiting, enum sureness sureness, pid_t pid, pid_t tid, const char *text);
/* Adds the processes at the descriptor's other end; these are all, unless some are not known. */
void add_peers(struct waiting *waiting, const struct descriptor *descriptor, const char *text);
/* Adds all of @parties, and whether these are all. */
void add_parties(struct waiting *waiting, const struct parties *parties, const char *text);
/* Adds the remote end of a socket of which nobody on this machine is known to be at it, as
 * "10.0.0.7:5432 (TCP)" with @more after it; nothing where it has none, or is of this host. */
void add_remote(struct waiting *waiting, const struct descriptor *descriptor, const char *more);
/*
 * The same, but for the process itself where its waiting thread is its only one: that can't end its
 * own wait. What others may do stands open to any process, so that they are never all.
 */
void add_users(struct waiting *waiting, const struct parties *parties, const char *text);
/* Adds who has the other end of a terminal. */
void add_masters(struct waiting *waiting, const struct descriptor *descriptor);
/* The one file system that the call's descriptor or paths lie on whose type begins with @type, as
 * far as that can be told without asking it. */
bool find_file_system(const struct waiting *waiting, const char *type, struct file_system *found);
/* Whether the name of its type begins so; "" is every type. */
bool is_of_type(const struct file_system *found, const char *type);
/* Says that nobody but the holders can end the wait: true unless the call has a timeout. */
void holders_are_all(struct waiting *waiting);

/* Whether process ids in the target's memory and registers mean what they mean here. */
bool same_pid_namespace(const struct waiting *waiting);

/* Time that is left: false where there is no limit, or none can be told. Nanoseconds. */
bool time_left(struct waiting *waiting, int64_t *left);
/* The same for an absolute time of @clock at @address. */
bool time_left_until(struct waiting *waiting, uint64_t address, clockid_t clock, int64_t *left);

/* Whether it is up to one certain party to make the descriptor ready: whoever is at its other end.
 */
bool is_certain_party(const struct descriptor *descriptor);

/* Where in a cache of struct waits a stack has its place. */
static inline size_t stack_slot(const void *stack)
{
	return ((uintptr_t)stack >> 4) % STACK_CACHE;
}

/* What the kernel stack of @thread shows, wchan standing in for it where it could not be had. */
uint64_t kernel_traits(struct waits *waits, const struct thread *thread);
/* Whether @function, which gcc may have given a suffix as ".isra.0", is what @pattern names; one
 * that ends with * names all that begin so. */
bool kernel_function_is(const char *function, const char *pattern);
/* The innermost kernel function without any of @traits, or NULL. */
const char *kernel_function(const struct thread *thread, uint64_t traits);
