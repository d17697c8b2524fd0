// SPDX-License-Identifier: Apache-2.0
/*
 * Code: what a language's runtime knows of the process's code that no ELF file and no DWARF says.
 * Whoever makes one embeds this struct at the start of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"
#include "model/registers.h"
#include "model/stack.h"

enum code_outcome {
	CODE_FOREIGN,       /* it knows nothing of that code */
	CODE_STEPPED,       /* the registers are the caller's */
	CODE_SIGNAL_RETURN, /* it is what a signal handler returns to */
	CODE_OUTERMOST,     /* there is no caller */
	CODE_UNREADABLE,    /* memory that is needed can't be read: missing_address, or reason */
	CODE_NOT_KNOWN,     /* the caller can't be known: reason */
};

/* A step from a frame to its caller's. What it keeps must be zero when a stack begins. */
struct code_step {
	const struct memory *memory;
	struct registers *registers; /* in: the frame's; out: its caller's, of CODE_STEPPED */
	bool at_instruction;      /* in: the pc is no return address; out: so is the caller's pc */
	bool switched;            /* out: the caller's frame is on another stack */
	uint64_t missing_address; /* out */
	const char *reason;       /* out; lives as long as the look */
	uint64_t other_stack;     /* kept: where the stack that was left goes on; 0: nowhere */
	unsigned switch_count;    /* kept */
};

struct code {
	const void *runtime; /* whose it is, for runtimes/ alone */

	enum code_outcome (*step)(const struct code *code, struct code_step *step);

	/*
	 * The frames that stand for the address, in *frames, the innermost first, and how many;
	 * 0: it knows nothing of that code. They live as long as the look.
	 */
	size_t (*name)(
		const struct code *code, struct code_address address, const struct frame **frames);
};
