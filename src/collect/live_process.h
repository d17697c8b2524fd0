// SPDX-License-Identifier: Apache-2.0
/*
 * Live process: what a process of the model leans on while it can be read: its directory of /proc,
 * its memory and its descriptors, and the answers whether its threads are where they were. How a
 * process is looked at is for live.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collect/collector.h"
#include "collect/live_memory.h"
#include "model/process.h"

/* What the model's process is part of until release(). */
struct live_process {
	struct process process;
	struct live_memory memory;
	int directory;
	bool kernel_stacks; /* were asked for */
	/* Shared by the look's processes; NULL: lent to the look. */
	struct machine *machine;
	struct guard *guard;
};

/*
 * Has the model's process answer still_there() and has_thread() from kept->directory, and, if it
 * @may_look_again, look_again().
 */
void live_process_answer(struct live_process *kept, bool may_look_again);

/* For collectors' release(): ends what the look's processes hold open. */
void live_process_release(struct look *look);

/* As the collectors' add_unmoved(). */
bool live_process_add_unmoved(struct look *look, const struct process *process, int64_t elapsed_ns,
	const struct look_means *means);
