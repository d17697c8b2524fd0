// SPDX-License-Identifier: Apache-2.0
/* Goroutine stacks: unwound from a copy, and kept once where they are alike. */
#pragma once

#include "runtimes/go/go.h"
#include "runtimes/go/goroutines.h"
#include "unwind/stack_set.h"

struct go_stacks {
	struct go_process *go;
	struct stack_set set;
	struct user_stack scratch; /* heap: room for max_frames addresses */
	size_t max_frames;
	size_t address_count; /* of all stacks of the set */
};

void go_stacks_init(struct go_stacks *stacks, struct go_process *go, size_t max_frames);
void go_stacks_deinit(struct go_stacks *stacks);

/*
 * The stack of a goroutine that is parked, ready, or in a call out of Go, without names yet. What
 * lies beyond its copy is read from the process. NULL: there are more different ones than are kept.
 */
struct user_stack *go_stack_unwind(struct go_stacks *stacks, const struct go_raw *raw);

/* Fills in the stack's frames, and which of them are hidden, unless that was done. */
void go_stack_name(struct go_stacks *stacks, struct user_stack *stack);
