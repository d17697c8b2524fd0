// SPDX-License-Identifier: Apache-2.0
/*
 * Generation: a process as one look found it. Threads that have not moved carry over from one to
 * the next with all that is known of them, and keep the memory alive that this is in. It knows
 * nothing of how one looks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "collect/collector.h"
#include "model/process.h"

/* What was found at once: an arena. */
struct finding {
	struct arena *arena;
	size_t thread_count;
	unsigned references; /* by generations */
};

struct generation {
	struct process *process; /* in the first finding's arena */
	const struct collector *collector;
	int64_t taken_ns; /* CLOCK_MONOTONIC */
	unsigned references;
	struct finding **findings; /* heap: where its threads are; the first is its own */
	size_t finding_count;
	unsigned char *finding_of; /* of threads: which of these; in the first's arena */
};

/* The process, all in @arena, which it takes over; the caller has the only reference. */
struct generation *generation_create(
	struct arena *arena, struct process *process, const struct collector *collector);

struct generation *generation_reference(struct generation *generation);
void generation_release(struct generation *generation); /* NULL is allowed */

/*
 * Whether so many threads of the process, found anew, may be joined by those that have not moved.
 * Else all have to be looked at again: what is kept for those that carry over would become too
 * much.
 */
bool generation_may_carry(const struct generation *generation, size_t moved);

/*
 * Adds to @generation the threads of @last for which @carries is true, by their place there. @last
 * is of the same process.
 */
void generation_carry(
	struct generation *generation, const struct generation *last, const bool *carries);
