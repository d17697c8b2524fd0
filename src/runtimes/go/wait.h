// SPDX-License-Identifier: Apache-2.0
/*
 * Waits of goroutines: what each one that is parked is parked on, as the runtime's own lists have
 * it, and a sentence for that.
 *
 * A goroutine that waits for channels has a sudog in the queue of each (src/runtime/chan.go,
 * select.go); one that waits for a semaphore, on which package sync rests, has one in a tree
 * (sema.go); one that waits for a descriptor stands in its pollDesc (netpoll.go). What is found is
 * taken for its wait only where both ends fit together: the goroutine that leads to it, and what
 * leads back to the goroutine. Who holds a lock or will send to a channel the runtime doesn't
 * record: wait_holders.c says what can be known, wait_likely.c what is likely.
 *
 * Waits that read alike are one, and so is what is read of a channel that many wait for.
 */
#pragma once

#include "runtimes/go/go.h"
#include "runtimes/go/goroutines.h"

struct go_waits;

/* A goroutine of a batch, whose g and stack were copied, in and what it waits for, out. */
struct go_waiter {
	struct go_raw raw;
	const char *reason; /* the runtime's word; NULL: it doesn't wait */
	const struct user_stack *stack;
	uint32_t wait; /* out: its number plus one; 0: not known */
};

/* @now_ns is CLOCK_MONOTONIC's; what is found becomes the arena's of @go. */
struct go_waits *go_waits_create(struct go_process *go, int64_t now_ns);
void go_waits_destroy(struct go_waits *waits);

/*
 * Fills in what the goroutines wait for. That holds if they are found to have held still from when
 * they were copied until after this call.
 */
void go_waits_read(struct go_waits *waits, struct go_waiter *waiters, size_t count);

/*
 * The wait of that number plus one, for one more goroutine; NULL for 0. It is empty until
 * go_waits_finish().
 */
struct wait *go_waits_take(struct go_waits *waits, uint32_t wait);

/*
 * Keeps a goroutine that held still, with the stack @stack and that wait, as one that may be found
 * to be the one who ends another's.
 */
void go_waits_keep(struct go_waits *waits, const struct go_raw *raw, const struct user_stack *stack,
	uint32_t wait);

/* Writes the sentences, and who can end the waits, once all goroutines were read. */
void go_waits_finish(struct go_waits *waits);
