// SPDX-License-Identifier: Apache-2.0
/*
 * Graph: who waits for whom, over all processes of a look. Its nodes are threads, goroutines and
 * processes, its edges the holders of their waits. From it come the chains, the deadlocks, and
 * which thread holds up how many.
 *
 * A wait ends when one of its holders goes on: the owner of a lock, or any of those that may. A
 * process can go on when any of its threads can.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "model/process.h"
#include "util/error.h"

#define GRAPH_RELATED_MAX 64 /* processes that are looked at because others wait for them */

/*
 * The processes that tasks of the look wait for and that it has not: the first ones beyond
 * @processes, which were added last (of the @asked ones only those that wait for something certain
 * are thought of). Fills at most @capacity of @pids, each once, and gives their number. Finds the
 * process of a holder of which the thread's id alone is known by @process_of, which gives 0 where
 * there is none.
 */
size_t graph_missing(struct look *look, struct process *const *processes, size_t count, bool asked,
	pid_t (*process_of)(pid_t tid), pid_t *pids, size_t capacity);

/*
 * Ties holders to who they are, leaves out those that are not named any more, and fills
 * wait->followed, wait->deadlock, thread->holds_up, look->deadlocks and look->blockers. The
 * targets' memory and files must still be readable.
 */
void graph_explain(struct look *look);
