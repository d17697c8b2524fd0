// SPDX-License-Identifier: Apache-2.0
/*
 * Goroutines: what allgs leads to, read in batches while the process runs on.
 *
 * Nothing keeps a goroutine from moving while it is read. So of each its struct g is read, then
 * its stack, then its g again: where that has changed it is read anew, and where it never holds
 * still that is said.
 */
#pragma once

#include "runtimes/go/go.h"

/* A goroutine that was read and held still meanwhile. */
struct go_raw {
	uint64_t address;     /* of its g */
	const uint8_t *bytes; /* the g, layout->g.size of it */
	uint32_t status;      /* enum go_status, without GO_SCAN */
	uint64_t machine;     /* its m: the thread that it is with; 0: none */
	uint64_t sp;          /* where it goes on; 0: its registers are in its thread */
	const uint8_t *stack; /* a copy of its stack from sp on */
	size_t stack_length;
};

/* The goroutines of the model while there are more to come. */
struct go_list {
	struct goroutine *items; /* heap */
	size_t count, capacity;
};

/*
 * Fills in process->goroutines, with stacks of at most @max_frames addresses; what can't be read is
 * a gap of the goroutine, or of the process.
 */
void go_goroutines_find(struct go_process *go, size_t max_frames);
