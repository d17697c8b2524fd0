// SPDX-License-Identifier: Apache-2.0
/* Which holder a chain goes on with, and whom it passes. */
#include <stdlib.h>

#include "explain/graph_nodes.h"
#include "model/chain.h"
#include "util/memory.h"

#define BLOCKERS_MAX 8
#define HELD_UP_MIN 2 /* less is told by the one waiter's chain */

/* The only holder, or the only one that owns what is waited for. */
static const struct holder *choose(const struct process *waiter, const struct wait *wait)
{
	const struct holder *only = NULL, *owner = NULL;
	size_t count = 0, owners = 0;

	for (size_t i = 0; i < wait->holder_count; i++) {
		const struct holder *holder = &wait->holders[i];

		if (holder_is_any_other(waiter, holder))
			continue;
		count++;
		only = holder;
		if (holder->sureness == SURE_OWNS) {
			owners++;
			owner = holder;
		}
	}
	return count == 1 ? only : owners == 1 ? owner : NULL;
}

static void follow_process(const struct process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		struct wait *wait = process->threads[i].wait;

		if (wait && wait->holder_count)
			wait->followed = choose(process, wait);
	}
	for (size_t i = 0; i < process->goroutine_count; i++) {
		struct wait *wait = process->goroutines[i].wait;

		if (wait && wait->holder_count && !wait->followed)
			wait->followed = choose(process, wait);
	}
}

/* Adds one to all that the chain of @wait passes. */
static void count_held_up(struct wait *wait)
{
	struct chain chain = {.wait = wait};

	for (const struct holder *holder; (holder = chain_next(&chain));) {
		/* The look's own, which may be written to here. */
		struct thread *thread = (struct thread *)holder->thread;

		if (thread && !chain_closes(&chain))
			thread->holds_up++;
	}
}

static int compare_blockers(const void *one, const void *other)
{
	const struct blocker *a = one, *b = other;

	if (a->holds_up != b->holds_up)
		return a->holds_up < b->holds_up ? 1 : -1;
	return (a->thread->tid > b->thread->tid) - (a->thread->tid < b->thread->tid);
}

static bool is_root(const struct graph_node *node)
{
	const struct thread *thread = node->thread;

	return thread && thread->holds_up >= HELD_UP_MIN &&
	       !(thread->wait && (thread->wait->deadlock || thread->wait->followed));
}

static void find_blockers(struct graph *graph)
{
	struct look *look = graph->look;
	size_t count = 0;

	for (uint32_t i = 0; i < graph->node_count; i++)
		count += is_root(&graph->nodes[i]);
	look->blockers = arena_new(look->arena, struct blocker, count);
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (is_root(node))
			look->blockers[look->blocker_count++] = (struct blocker){
				node->process, node->thread, node->thread->holds_up};
	}
	qsort(look->blockers, look->blocker_count, sizeof(*look->blockers), compare_blockers);
	if (look->blocker_count > BLOCKERS_MAX)
		look->blocker_count = BLOCKERS_MAX;
}

void graph_follow(struct graph *graph)
{
	struct look *look = graph->look;

	for (size_t i = 0; i < look->process_count; i++)
		follow_process(look->processes[i]);
	for (size_t i = 0; i < look->related_count; i++)
		follow_process(look->related[i]);
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (node->wait && node->wait->followed)
			count_held_up(node->wait);
	}
	find_blockers(graph);
}
