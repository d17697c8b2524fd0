// SPDX-License-Identifier: Apache-2.0
/*
 * Sighting: what a pass of the task iterator told of a thread, what was copied then, and whether
 * the next pass proves that it slept from before the one until after the other.
 */
#pragma once

#include "collect/live.h"
#include "collect/stack_copy.h"
#include "collect/task_iterator.h"

/* The kernel stacks of a look by their raw addresses: the kernel's own words for each are read
 * once. */
struct raw_stacks;
struct raw_stacks *raw_stacks_create(void);
void raw_stacks_destroy(struct raw_stacks *stacks);

struct sighting {
	struct live *live;
	size_t task;                      /* of live->tasks */
	const struct task_record *record; /* of the first pass; NULL: it was not there */
	struct raw_stack *raw_stack;
	struct stack_copy copy;
};

static inline struct task *sighting_task(const struct sighting *sighting)
{
	return &sighting->live->tasks[sighting->task];
}

/*
 * First half, after a pass gave each its record: takes the facts, words for kernel stacks and
 * copies of user stacks. The sightings are of one process.
 */
void sightings_take(struct sighting *sightings, size_t count, struct raw_stacks *stacks);

/*
 * Second half, with the marks of a later pass: those that prove to have slept are accepted, which
 * settles their tasks; the others are kept at the front, in their order, and their number is given.
 * @iterator proves words anew whose thread went on.
 */
size_t sightings_judge(struct sighting *sightings, size_t count, const struct task_records *marks,
	struct raw_stacks *stacks, struct task_iterator *iterator);

/* Forgets what was found of a thread that did not prove to have slept. */
void sighting_forget(struct sighting *sighting);
