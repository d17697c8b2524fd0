// SPDX-License-Identifier: Apache-2.0
/* Groups: threads of a process whose stacks are the same, most interesting first. */
#pragma once

#include <stdbool.h>

#include "model/process.h"

struct thread_group {
	const struct thread **threads; /* by rising id; the first stands for all */
	size_t count;
	bool same_wait; /* all have the same sentence */
};

struct thread_groups {
	struct thread_group *items;
	size_t count;
};

/*
 * Whether @thread sleeps in what its runtime uses it for and runs no goroutine: its stack is of the
 * runtime's inside and tells nothing of the program.
 */
bool thread_rests_in_role(const struct thread *thread);

/*
 * The threads of @process in groups, in @arena. Threads share a group when kernel and user stacks
 * show the same functions and both have the same state and kind of wait; those that rest in the
 * same role share one wherever they are; those that hold up others stand apart from those that do
 * not. Order: who holds up others, running, uninterruptible, blocked in what is not rest, idle;
 * within each the larger group first, then the lower id. With @together false each thread is its
 * own group, in the same order.
 */
struct thread_groups group_threads(
	const struct process *process, bool together, struct arena *arena);
