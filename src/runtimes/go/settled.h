// SPDX-License-Identifier: Apache-2.0
/*
 * Settled: whether there was a moment at which none of a process's goroutines was at work, and
 * nothing but they could let one of them go on. As the runtime looks for deadlocks (src/runtime/
 * proc.go, checkdead()), finalizers are not thought of.
 */
#pragma once

#include "runtimes/go/go.h"

/* What is kept of the goroutines while they are read, to see if they are all the same later. */
struct go_settling {
	uint64_t *marks; /* heap: of each in allgs, by its place */
	const char *why; /* they are not settled, in words, static; NULL: nothing says so yet */
};

/* The part of a g that tells whether its goroutine has run: from its field `m` on. */
#define GO_SETTLING_SIZE 160

/* A mark of the goroutine by that part of its g: another one where it has run since. Never 0. */
uint64_t go_settling_mark(const struct go_layout *layout, const uint8_t *part);

/* One more goroutine: whether it, one of the program's own, may be at work, or soon by itself. */
void go_settling_add(struct go_settling *settling, const struct goroutine *goroutine);

/*
 * Once all @count goroutines of allgs at @pointers were read, and the threads joined with them:
 * sets process->tasks_closed, or says why not.
 */
void go_settling_finish(struct go_settling *settling, struct go_process *go,
	const uint64_t *pointers, size_t count);
