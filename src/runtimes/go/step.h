// SPDX-License-Identifier: Apache-2.0
/*
 * Step: from a frame of Go's to its caller, by the size of the frame that pclntab has for each
 * address, as the runtime's own traceback does it (src/runtime/traceback.go).
 */
#pragma once

#include "runtimes/go/go.h"
#include "runtimes/go/places.h"

/* A frame on a goroutine's stack. */
struct go_cursor {
	uint64_t pc, sp;
	uint64_t link; /* the return address, where a register has it; 0: it does not */
	bool at_instruction, innermost;
};

/* From the frame at *@cursor, whose place is @place, to its caller's on the same stack. */
enum code_outcome go_step(const struct go_process *go, const struct go_place *place,
	const struct memory *memory, struct go_cursor *cursor, uint64_t *missing_address);

/*
 * code->step() of model/code.h: also across the stacks of a thread, which are its scheduler's, its
 * goroutine's, and that of C.
 */
enum code_outcome go_code_step(const struct code *code, struct code_step *step);
