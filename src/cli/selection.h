// SPDX-License-Identifier: Apache-2.0
/* Selection: which processes, threads and goroutines were asked for. */
#pragma once

#include "cli/options.h"
#include "collect/targets.h"
#include "model/process.h"

/*
 * Adds to @pids the processes that the user named; a thread that is asked for without a target
 * names its own. What can't be found is a gap of the look, and sets missing[i] where that is the
 * i-th thread. @watch, which may be NULL, is that over the calling thread.
 */
void selection_find(const struct options *options, struct watch *watch, struct look *look,
	struct pids *pids, bool *missing);

/* Makes a gap of the look of each thread that was asked for, is not @missing, and is not there. */
void selection_check(const struct options *options, struct look *look, const bool *missing);

/* Where only some threads or goroutines were asked for, a process that has none is left out. */
void selection_drop_empty(struct look *look);

/*
 * Leaves in the look the goroutines that @options ask for, and, where they are asked for by id, the
 * threads that run them. An id that no process has is a gap of the look.
 */
void selection_of_goroutines(const struct options *options, struct look *look);
