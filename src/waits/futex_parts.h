// SPDX-License-Identifier: Apache-2.0
/*
 * Parts of what is known of a futex: which function waits (futex_telling.c), what stands in memory
 * (futex_memory.c) as each library keeps it (futex_glibc.c, futex_musl.c, futex_rust.c), who that
 * is (futex_holder.c), what it is called (futex_names.c), and the sentence (futex.c).
 */
#pragma once

#include "waits/kinds.h"

enum futex_role {
	ROLE_NONE,    /* tells nothing, and ends the search */
	ROLE_PASSING, /* a step on the way into the kernel */
	ROLE_MUTEX,
	ROLE_CONDITION,
	ROLE_READ_LOCK,
	ROLE_WRITE_LOCK,
	ROLE_SEMAPHORE,
	ROLE_BARRIER,
	ROLE_ONCE,
	ROLE_STATIC,
	ROLE_JOIN,
	ROLE_PARK,
	ROLE_FUTURE,
	ROLE_NOTE,
	ROLE_SIGNAL,
};

/* Whose function it is. */
enum futex_maker {
	MAKER_C, /* a C library's: glibc, unless the steps into the kernel are musl's */
	MAKER_MUSL,
	MAKER_CXX,
	MAKER_RUST,
	MAKER_PARKING_LOT, /* the Rust crate, which parks threads on a word of their own */
	MAKER_GO,
};

/* What the functions of user space above the call say. */
struct telling find_telling(struct waiting *waiting);

/*
 * The process's memory as it was when the first futex of it was asked for; a reader for what
 * surrounds futexes. NULL: it can't be read.
 */
const struct memory *futex_memory(struct waiting *waiting);

/* The futex that is waited for, whichever call it is. */
struct futex {
	uint64_t address;
	uint64_t expected;
	uint32_t operation; /* FUTEX_WAIT … */
	bool private;
	bool within; /* only threads of the process have it in their memory */
	bool known;  /* what stands there now: */
	uint32_t word;
};

enum lock_state {
	LOCK_UNKNOWN,    /* nothing tells, or what is there is no such lock */
	LOCK_CHANGING,   /* somebody is letting it go or taking it */
	LOCK_OWNED,      /* by the thread `owner` */
	LOCK_DIED,       /* the thread that had it has ended, as the kernel noted there */
	LOCK_UNRECORDED, /* somebody has it */
	LOCK_READ,       /* `readers` have it */
};

/* A lock as the memory shows it. */
struct lock {
	enum lock_state state;
	uint64_t address; /* of the whole object; 0: not known */
	pid_t owner;      /* an id of the process's own pid namespace */
	uint64_t owner_address;
	uint32_t owner_mask; /* of the bits there that are the id */
	bool uncertain;
	uint32_t readers;
};

struct lock glibc_mutex(const struct memory *memory, const struct futex *futex);
struct lock glibc_rwlock(const struct memory *memory, const struct futex *futex, bool to_write);
struct lock musl_mutex(const struct memory *memory, const struct futex *futex);
struct lock musl_rwlock(const struct memory *memory, const struct futex *futex);
struct lock rust_mutex(const struct futex *futex);
struct lock rust_rwlock(const struct memory *memory, const struct futex *futex, bool to_write);
/* Any lock that is taken by FUTEX_LOCK_PI: what stands there is between it and the kernel. */
struct lock pi_lock(const struct futex *futex);

/* A barrier: how many have come, and in glibc where it is, and of how many. false: not known. */
bool glibc_barrier(const struct memory *memory, const struct futex *futex, uint64_t *address,
	uint32_t *come, uint32_t *count);
bool musl_barrier(const struct memory *memory, const struct futex *futex, uint32_t *come);

/* A condition variable whose futex is waited for, and the mutex that is to be taken then. */
struct condition {
	uint64_t address, mutex;
};

/* By what pthread_cond_wait() has on its stack, of which @length bytes are at @stack. */
bool glibc_condition(const struct memory *memory, const uint8_t *stack, size_t length,
	const struct futex *futex, struct condition *condition);

/* Whether the futex is what musl waits for in a semaphore, a condition variable, pthread_once(). */
bool musl_semaphore(const struct memory *memory, const struct futex *futex);
bool musl_condition(const struct futex *futex);
bool musl_once(const struct futex *futex);

/* The id of the joined thread; 0: not known. */
pid_t musl_joined(const struct memory *memory, const struct futex *futex, uint64_t *address);

/* "queue_lock in app.c (0x55d0c4f2a0c0)", or the address alone where no variable covers it. */
void say_object(struct waiting *waiting, uint64_t address);
/* " (futex 0x55d0c4f2a0c0)", or " (ready in app.c, futex 0x55d0c4f2a0c0)". */
void say_futex(struct waiting *waiting, const struct futex *futex);
/* "static variable instance()::it (futex 0x…)", by the name of what guards its initialization. */
void say_guarded(struct waiting *waiting, const struct futex *futex);

/* Adds who holds the lock, as @text says, or says why nobody is known to. */
void add_lock_holder(struct waiting *waiting, const struct futex *futex, const struct lock *lock,
	const char *text);
/* Adds the thread that is joined, whose @tid stands at @address; false: the process has none such.
 */
bool add_joined(struct waiting *waiting, pid_t tid, uint64_t address);
/* Adds any other thread of the process, where none but these can end the wait. */
void add_others(struct waiting *waiting, const struct futex *futex);
/* The thread of the process that calls itself @tid; NULL: it was not looked at. */
const struct thread *find_thread(const struct waiting *waiting, pid_t tid);

#define HEX(value) ((unsigned long long)(value))
