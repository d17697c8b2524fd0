// SPDX-License-Identifier: Apache-2.0
/*
 * Kernel stacks as /proc/PID/stack prints them. Threads that wait alike print alike,
 * so each different text is parsed once and its stack shared.
 */
#pragma once

#include "model/stack.h"
#include "util/arena.h"

/* The stack that @bytes print, in @arena. Lines that don't parse are left out. */
struct kernel_stack *kernel_stack_parse(const char *bytes, size_t length, struct arena *arena);

/* The stacks met so far, by their text; stacks and texts live in @arena. */
struct kernel_stacks;
struct kernel_stacks *kernel_stacks_create(struct arena *arena);
void kernel_stacks_destroy(struct kernel_stacks *stacks);

/* The one stack for that text. */
struct kernel_stack *kernel_stacks_find(
	struct kernel_stacks *stacks, const char *bytes, size_t length);
