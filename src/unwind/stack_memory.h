// SPDX-License-Identifier: Apache-2.0
/*
 * Stack memory: how the unwinder reads a thread's memory. The copy of its stack, taken when
 * its registers were, comes first. What has changed since must not be mixed with it: beyond the
 * copy, memory that may be written is read only if the thread held still.
 */
#pragma once

#include "elf/modules.h"
#include "model/memory.h"
#include "model/process.h"

struct stack_memory {
	struct memory memory;
	uint64_t start;
	const uint8_t *bytes;
	size_t length;
	const struct memory *beyond; /* may be NULL */
	struct modules *modules;
	bool held_still;
	uint64_t sp;
	bool *went_beyond; /* set once what was read rests on the thread's holding still to now */
};

/* A reader for @thread of @process; it borrows all of them. */
struct stack_memory stack_memory_of(const struct process *process, const struct thread *thread,
	struct modules *modules, uint64_t sp, bool *went_beyond);
