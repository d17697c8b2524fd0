// SPDX-License-Identifier: Apache-2.0
/*
 * Kernel stacks as /proc/PID/stack prints them. Threads that wait alike print alike,
 * so each different text is parsed once and its stack shared.
 */
#pragma once

#include <linux/types.h>

#include "model/stack.h"
#include "util/arena.h"

/* The stack that @bytes print, in @arena. Lines that don't parse are left out, and __switch_to(). */
struct kernel_stack *kernel_stack_parse(const char *bytes, size_t length, struct arena *arena);

/*
 * The stack with the addresses that it was printed from, in @arena; without any where their number
 * is not that of its lines, so that nothing tells which is whose.
 */
struct kernel_stack *kernel_stack_with_addresses(const struct kernel_stack *stack,
	const __u64 *addresses, size_t count, struct arena *arena);

/*
 * Whether the kernel shows its addresses to this process: what /proc/kallsyms gives is its own
 * verdict (kernel/ksyms_common.c, kallsyms_show_value()), all zeros where it does not.
 */
bool kernel_addresses_allowed(void);

/* The stacks met so far, by their text; stacks and texts live in @arena. */
struct kernel_stacks;
struct kernel_stacks *kernel_stacks_create(struct arena *arena);
void kernel_stacks_destroy(struct kernel_stacks *stacks);

/* The one stack for that text. */
struct kernel_stack *kernel_stacks_find(
	struct kernel_stacks *stacks, const char *bytes, size_t length);
