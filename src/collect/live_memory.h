// SPDX-License-Identifier: Apache-2.0
/*
 * Live memory: the address space of a running process, as a `struct memory`.
 *
 * Memory may give no answer, ever: a page that nobody delivers (userfaultfd, a file system whose
 * server is gone), a lock that a stuck thread of the process holds. So all reading goes through a
 * guard, and a process that has used up its patience is read no more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/memory.h"
#include "model/process.h"
#include "util/arena.h"
#include "util/guard.h"

/* A range that is to be read. */
struct piece {
	uint64_t address;
	size_t length;
	uint8_t *to;

	/* Filled in. */
	size_t got; /* bytes from its start */
	int error;  /* an errno value where nothing could be read */
};

/* A thread's stack as it was copied, which needs no reading any more. */
struct known_range {
	uint64_t start;
	const uint8_t *bytes;
	size_t length;
};

struct live_memory {
	struct memory memory;
	struct process *process; /* is_stuck once the patience is used up */
	struct arena *arena;
	pid_t pid;
	int directory; /* /proc/PID, borrowed */
	struct guard *guard;
	int64_t proved_ns; /* CLOCK_MONOTONIC: when its mmap_lock was free last */

	struct known_range *known; /* heap, by rising start */
	size_t known_count;
	uint8_t *page; /* heap: what was read last for a small range, to serve its neighbours */
	uint64_t page_start;
	size_t page_length; /* 0: there is none */
};

/* The thread @pid stands for the process's memory; @directory is /proc/PID of it. */
void live_memory_init(struct live_memory *memory, struct process *process, pid_t pid, int directory,
	struct guard *guard, struct arena *arena);
void live_memory_deinit(struct live_memory *memory);

/*
 * Reads all pieces with as few calls as can be. They lie in heap memory, which on false must never
 * be freed: no answer came in time, the pieces that were read until then are good, and the
 * others have the error ETIMEDOUT. In a @hurry that time is short, and it may be tried again.
 */
bool live_memory_gather(struct live_memory *memory, struct piece *pieces, size_t count, bool hurry);

/*
 * Tells that the mmap_lock was just free, since something was read for which the kernel takes it in
 * a way that the end of this program ends.
 */
void live_memory_believe(struct live_memory *memory);

/* Has nothing read any more, since the process's lock or memory gave no answer elsewhere. */
void live_memory_give_up(struct live_memory *memory);

/* Has what lies in the copies of the process's stacks read from there. */
void live_memory_use_copies(struct live_memory *memory);
