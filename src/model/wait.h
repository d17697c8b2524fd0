// SPDX-License-Identifier: Apache-2.0
/* Wait: what a thread or goroutine waits for, in one sentence, and on whom. By explain/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct deadlock;
struct goroutine;
struct process;
struct thread;

/* How sure it is that a wait hangs on its holder. */
enum sureness {
	SURE_MAY,  /* it can end the wait, as others may be able to: who has the other end open */
	SURE_OWNS, /* none but it can: it has the lock, it is the thread that is joined */
};

/*
 * What in the waiter's memory says who the holder is. It is read once more when all is known: who
 * is not named there any more is not claimed.
 */
struct proof {
	uint64_t address; /* in the waiter's process, of 4 bytes; 0: nothing to read again */
	uint32_t mask;    /* of the bits that tell */
	uint32_t value;   /* they were */
};

/* Somebody that is waited on. */
struct holder {
	pid_t pid;          /* 0: not known yet, the process of `tid` */
	pid_t tid;          /* 0: any thread of the process, or a goroutine */
	uint64_t goroutine; /* of that process; 0: none, or not known */
	enum sureness sureness;
	struct proof proof;
	bool uncertain;   /* a guess: marked "?" */
	bool likely;      /* a guess to which the program's code leaves little else */
	bool unseen;      /* nobody that a look could be taken at: another machine; pid is 0 */
	const char *text; /* "holds the mutex", "the other end of the pipe"; escaped */

	/* By explain/graph.h: who that is, as far as a look was taken at it. */
	const struct process *process;
	const struct thread *thread; /* of a process with one thread, or with one that does not
					rest, that one */
	const struct goroutine *task;
};

struct wait {
	const char *kind;     /* a word of docs/waits.md: "socket-accept". Static */
	const char *text;     /* JSON's: "a client to connect to TCP 127.0.0.1:8080"; escaped */
	const char *sentence; /* for people: "waits for a client to connect to …"; escaped */
	bool idle; /* a normal rest: a pool's thread, an event loop, an empty accept queue */
	struct holder *holders;
	size_t holder_count;
	/*
	 * Nobody but the holders can end it, nor does time: if none of them ever goes on, it never
	 * ends. A signal is not thought of.
	 */
	bool holders_complete;
	/*
	 * Nobody can end it, ever, and often that is meant: `select {}`. It has no holders, and
	 * holders_complete is not set.
	 */
	bool endless;

	/* By explain/graph.h. */
	const struct holder *followed; /* the one holder with which the chain goes on; NULL: it ends
					  here */
	bool changed;                  /* who holds it was another one a moment later */
	bool owner_ended;              /* memory names an owner that is there no more */
	const struct deadlock *deadlock; /* it is a part of that, or waits behind it; NULL: none */
};
