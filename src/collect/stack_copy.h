// SPDX-License-Identifier: Apache-2.0
/*
 * Stack copy: the bytes of many threads' stacks, taken with as few calls as can be.
 * The threads must hold still meanwhile; whether they do is the caller's to know.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collect/live_memory.h"
#include "model/mapping.h"
#include "util/arena.h"

/* How much of a stack is copied at most. Beyond that the memory of a thread that holds still can be
 * read when it is needed; that of one that runs can not. */
#define STACK_LIMIT_BLOCKED (64 * 1024)
#define STACK_LIMIT_RUNNING (1024 * 1024)

struct stack_copy {
	uint64_t sp;
	size_t limit; /* copy no more than this, in bytes */
	/*
	 * The thread pointer; 0: not known. C libraries keep a thread's own data at the upper end
	 * of its stack's mapping (glibc 2.36 nptl/allocatestack.c, musl 1.2.3
	 * src/thread/pthread_create.c), where no frame can be.
	 */
	uint64_t thread_pointer;

	/* Filled in. */
	uint64_t start;       /* below sp by the red zone, where that is mapped */
	const uint8_t *bytes; /* in the arena; NULL: nothing could be read */
	size_t length;
	int error; /* an errno value where nothing could be read */
};

/*
 * Copies each stack from its sp up to the end of its mapping, its thread's own data or its limit.
 * *budget, in bytes, is what all copies of a look may take together, and is lowered by what was
 * taken; a copy for which nothing is left has the error ENOBUFS. Those that gave no answer have
 * ETIMEDOUT; in a @hurry, while threads are stopped, that is soon, and it may be tried again.
 */
void stack_copy_all(struct live_memory *memory, const struct mappings *mappings,
	struct stack_copy *copies, size_t count, size_t *budget, bool hurry, struct arena *arena);
