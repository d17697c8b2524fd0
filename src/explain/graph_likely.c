// SPDX-License-Identifier: Apache-2.0
/*
 * Deadlocks of goroutines beside others that go on. Go's locks do not record who has them, so that
 * these can never be certain: a ring counts if each of its goroutines waits for a lock that the
 * next one has deferred a call on, and for nothing else. Who is named so was proved not to have
 * moved since it was read (runtimes/go/wait_likely.c), and in a ring each one is named.
 */
#include <string.h>

#include "explain/graph_nodes.h"
#include "model/chain.h"
#include "util/text.h"

/* The goroutine that most likely has what this one waits for; NULL: none is so likely. */
static const struct goroutine *likely_owner(const struct goroutine *goroutine)
{
	const struct wait *wait = goroutine->wait;
	const struct holder *holder = wait ? wait->followed : NULL;

	return holder && holder->likely ? holder->task : NULL;
}

/* How many goroutines stand in the ring that begins with @first, which has the lowest id of them;
 * 0: there is none. */
static size_t ring_length(const struct goroutine *first)
{
	const struct goroutine *goroutine = first;

	for (size_t length = 1; length <= CHAIN_MAX; length++) {
		goroutine = likely_owner(goroutine);
		if (!goroutine || goroutine->id < first->id)
			return 0;
		if (goroutine == first)
			return length > 1 ? length : 0;
	}
	return 0;
}

static const char *member_text(const struct goroutine *goroutine, struct arena *arena)
{
	const struct holder *holder = goroutine->wait->followed;

	return arena_printf(arena, "%s, on goroutine %llu? (%s)", goroutine->wait->sentence,
		(unsigned long long)holder->goroutine, holder->text);
}

static void add_ring(struct look *look, const struct process *process,
	const struct goroutine *first, size_t length)
{
	struct deadlock *deadlock = arena_new(look->arena, struct deadlock, 1);
	const struct goroutine *goroutine = first;

	*deadlock = (struct deadlock){
		.members = arena_new(look->arena, struct deadlock_member, length),
		.count = length,
		.is_ring = true,
		.guessed = true,
	};
	for (size_t i = 0; i < length; i++, goroutine = likely_owner(goroutine)) {
		deadlock->members[i] = (struct deadlock_member){
			.process = process,
			.goroutine = goroutine,
			.text = member_text(goroutine, look->arena),
		};
		goroutine->wait->deadlock = deadlock;
	}
	struct deadlock **all = arena_new(look->arena, struct deadlock *, look->deadlock_count + 1);
	if (look->deadlock_count)
		memcpy(all, look->deadlocks, look->deadlock_count * sizeof(struct deadlock *));
	all[look->deadlock_count++] = deadlock;
	look->deadlocks = all;
}

/* Those that wait for members, directly or behind others. */
static void count_behind(const struct graph *graph)
{
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		struct chain chain = {.wait = node->wait};

		if (!node->goroutine || !node->wait || node->wait->deadlock)
			continue;
		while (chain_next(&chain)) {
			/* The look's own, which may be written to here. */
			struct deadlock *deadlock =
				chain.wait ? (struct deadlock *)chain.wait->deadlock : NULL;

			if (!deadlock)
				continue;
			deadlock->behind++;
			break;
		}
	}
}

void graph_find_likely_rings(struct graph *graph)
{
	size_t before = graph->look->deadlock_count;

	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		size_t length = node->goroutine && node->wait && !node->wait->deadlock
					? ring_length(node->goroutine)
					: 0;

		if (length)
			add_ring(graph->look, node->process, node->goroutine, length);
	}
	if (graph->look->deadlock_count > before)
		count_behind(graph);
}
