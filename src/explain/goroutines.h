// SPDX-License-Identifier: Apache-2.0
/* Groups of goroutines that are in the same place, the largest first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process.h"

struct goroutine_group {
	const struct goroutine **goroutines; /* by rising id; the first stands for all */
	size_t count;
	int64_t shortest_ns, longest_ns; /* of those whose wait is known; -1: of none */
	bool all_waits_known;
	bool same_wait;       /* all have the same sentence */
	bool same_creator_id; /* the same goroutine started all */
};

struct goroutine_groups {
	struct goroutine_group *items;
	size_t count;
	/* What are in no group: their threads show them. By rising id. */
	const struct goroutine **on_threads;
	size_t on_thread_count;
};

/* Fills the facts about all of @group's goroutines from these; of no goroutine none is known. */
void goroutine_group_summarize(struct goroutine_group *group);

/*
 * The goroutines of @process in groups, in @arena. They share a group when they have the very same
 * stack (struct user_stack is shared by those that do), status, wait reason and statement that
 * started them. Order: the larger group first, then the lower id; apart where @together is false,
 * by rising id. Takes time that is linear in the goroutines, but for ordering the groups.
 */
struct goroutine_groups group_goroutines(
	const struct process *process, bool together, struct arena *arena);
