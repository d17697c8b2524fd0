// SPDX-License-Identifier: Apache-2.0
/*
 * Facts: what of each thread of a look is remembered until the next one, and what has changed
 * since. They borrow nothing: the look that they are of may be gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process.h"

/* What a change is told of. */
enum facet {
	FACET_STATE,
	FACET_TIME, /* it has run in between */
	FACET_WAIT,
	FACET_HOLDER,
	FACET_SYSCALL,
	FACET_KERNEL,
	FACET_USER,
	FACETS,
};

struct thread_facts {
	pid_t pid, tid;
	int64_t blocked_ns;
	uint32_t prints[FACETS]; /* equal where the facets read the same */
	uint32_t changed;        /* bits by facet: not as it was */
	bool is_new;             /* it was not in the look before */
};

struct facts {
	struct thread_facts *items; /* by rising pid, then tid */
	size_t count;
	size_t ended; /* were in the look before, and are not any more */
	int64_t taken_at_ns;
};

/* The facts of the look, compared with those of the one before; NULL: there was none. On the
 * heap. */
struct facts *facts_create(const struct look *look, const struct facts *before);

/* NULL is allowed. */
void facts_destroy(struct facts *facts);

/* Those of the thread; NULL: none. NULL for @facts is allowed. */
const struct thread_facts *facts_find(const struct facts *facts, pid_t pid, pid_t tid);

/* How many threads of the process are in them. */
size_t facts_count_threads(const struct facts *facts, pid_t pid);

/* The same number for sentences that differ in nothing but how long something takes or took. */
uint32_t sentence_print(const char *sentence);
