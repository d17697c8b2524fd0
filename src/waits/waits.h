// SPDX-License-Identifier: Apache-2.0
/*
 * Waits: what a thread waits for, in one sentence, and on whom. It knows the syscall in flight,
 * the kernel's functions, the functions of user space above the call, and the descriptors. What
 * none of them tells is not claimed.
 *
 * To add a kind of wait: one row in the table of its file, and its line in docs/waits.md.
 */
#pragma once

#include <time.h>

#include "model/process.h"
#include "syscalls/syscalls.h"
#include "util/text.h"

#define STACK_CACHE 64

/* What the functions of user space above a futex call say; see futex_parts.h. */
struct telling {
	int maker;      /* enum futex_maker */
	int role;       /* enum futex_role */
	bool uncertain; /* by a frame that is a guess: what memory holds has to agree */
};

/* What the waits of one process have in common. Zeroed but for the first three. */
struct waits {
	const struct process *process;
	struct arena *arena;
	int64_t (*clock)(clockid_t clock); /* the present reading, in nanoseconds */

	/* What the kernel stacks seen last show; threads that block alike share a stack. */
	struct {
		const struct kernel_stack *stack;
		uint64_t traits;
	} cache[STACK_CACHE];

	/* The same for user stacks, which are shared as well. */
	struct {
		const struct user_stack *stack;
		struct telling telling;
	} tellings[STACK_CACHE];

	struct futex_memory *futexes; /* what surrounds the futexes that are waited for */
};

/*
 * What @thread waits for, in the arena, when @call is what it is in; NULL when its state is not
 * known.
 */
struct wait *wait_explain(
	struct waits *waits, const struct thread *thread, const struct call *call);

/*
 * What whoever makes the call of @row on the descriptor @fd waits for, be it a thread or a task
 * that a runtime parks until the descriptor is ready; in the arena.
 */
struct wait *wait_explain_descriptor(struct waits *waits, const struct syscall_row *row, int fd);

/*
 * Appends "sleeps until 14:03:22, 4.2 s left", or "at most" so much; @now_ns is CLOCK_REALTIME's.
 */
void wait_append_sleep(struct text *sentence, int64_t now_ns, int64_t left_ns, bool at_most);

/* The sentence without what JSON's text leaves out: "waits for ". */
const char *wait_text(const char *sentence);

/* The words of all kinds, in the order in which they are tried; @index from 0; NULL past the last.
 */
const char *wait_kind_word(size_t index);
