// SPDX-License-Identifier: Apache-2.0
/*
 * Guard: calls that may never return, made in a thread that can be done without.
 *
 * Memory that nobody delivers (userfaultfd, a file system whose server is gone) and locks that a
 * stuck thread holds make a system call wait in a way that only the end of the calling process
 * ends. A guard knows nothing of what is called. One thread is kept for all calls; one that
 * does not come back is left behind, and the next call gets a new thread.
 */
#pragma once

#include <stdint.h>

#include "util/error.h"

struct guard;

struct watch;

/*
 * A guard; its thread is started when it is needed. The caller owns it, and uses it from one thread
 * at a time: under a @watch, which may be NULL and is borrowed, from the watched one.
 */
struct guard *guard_create(struct watch *watch);

/* Has it be patient again, after what it has waited in vain. */
void guard_forgive(struct guard *guard);

/* Ends the guard, and has its thread end soon, but for those left behind; NULL is allowed. */
void guard_destroy(struct guard *guard);

/*
 * Calls call(@argument) and waits for it to return, @patience_ns in all; less where this guard has
 * waited in vain for long. Without a @guard it is called directly; under a watch too, and a call
 * that does not return in time does not return at all. A call that could run but gets
 * no CPU is given some more time.
 *
 * Where it fails, and the error's number is ETIMEDOUT if it was for lack of an answer, @argument
 * is the guard's: the call may come back at any time, so nothing that it leads to may be freed or
 * used but what the call has finished with, and said so by an atomic variable. When it comes
 * back after all, forget(@argument) is called in its thread, to free what nobody else uses.
 */
struct error guard_call(struct guard *guard, void (*call)(void *argument),
	void (*forget)(void *argument), void *argument, int64_t patience_ns);

/* The same, but in the guard's thread in any case: who calls must go on in time. */
struct error guard_call_apart(struct guard *guard, void (*call)(void *argument),
	void (*forget)(void *argument), void *argument, int64_t patience_ns);
