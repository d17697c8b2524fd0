// SPDX-License-Identifier: Apache-2.0
/*
 * Unwinder: from registers and memory to the addresses of a stack. It does no I/O
 * and knows no symbols.
 */
#pragma once

#include "arch/arch.h"
#include "elf/modules.h"
#include "model/memory.h"
#include "model/process.h"

/*
 * The stack of a thread with these registers, in @arena: at most @max_frames addresses, the
 * innermost first, and why it ended. Rows of CFI are cached in the modules' images.
 */
struct user_stack *unwind_stack(const struct arch *arch, struct modules *modules,
	const struct registers *registers, const struct memory *memory, size_t max_frames,
	struct arena *arena);

/*
 * Unwinds every thread of @process that has registers: thread->user_stack. Reads the thread's copy
 * first, and the process's memory beyond it only where the thread held still.
 */
void unwind_process(
	struct process *process, struct modules *modules, size_t max_frames, struct arena *arena);

/* The same of some of its threads: process->user_stacks are theirs alone then. */
void unwind_threads(struct process *process, struct thread *const *threads, size_t count,
	struct modules *modules, size_t max_frames, struct arena *arena);
