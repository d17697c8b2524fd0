// SPDX-License-Identifier: Apache-2.0
#include "explain/goroutines.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

/* A word by its bytes: what reads alike has one address here. */
struct word {
	const char *bytes;
	UT_hash_handle hh;
};

/* All pointers or of their width, so that it can be hashed as bytes. */
struct place {
	const struct user_stack *stack;
	const struct frame *creator;
	const char *status, *wait_reason, *gap;
	uintptr_t flags;
};

struct group {
	struct place place;
	struct goroutine_group result;
	UT_hash_handle hh;
};

struct grouping {
	struct arena *arena;
	struct word *words;
	struct group *groups; /* in the order of their first goroutines */
};

static const char *shared_word(struct grouping *grouping, const char *bytes)
{
	struct word *word;

	if (!bytes)
		return NULL;
	HASH_FIND_STR(grouping->words, bytes, word);
	if (!word) {
		word = arena_new(grouping->arena, struct word, 1);
		word->bytes = bytes;
		HASH_ADD_KEYPTR(hh, grouping->words, word->bytes, strlen(word->bytes), word);
	}
	return word->bytes;
}

static struct group *group_of(struct grouping *grouping, const struct goroutine *goroutine)
{
	const struct gap *gap = goroutine->gaps.first;
	const struct place place = {
		.stack = goroutine->stack,
		.creator = goroutine->creator,
		.status = shared_word(grouping, goroutine->status),
		.wait_reason = shared_word(grouping, goroutine->wait_reason),
		.gap = shared_word(grouping, gap ? gap->reason : NULL),
		.flags = (uintptr_t)goroutine->locked << 1 | goroutine->uncertain,
	};
	struct group *group;

	HASH_FIND(hh, grouping->groups, &place, sizeof(place), group);
	if (!group) {
		group = arena_new(grouping->arena, struct group, 1);
		group->place = place;
		HASH_ADD(hh, grouping->groups, place, sizeof(place), group);
	}
	return group;
}

static int compare_groups(const void *left, const void *right)
{
	const struct goroutine_group *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->goroutines[0]->id > b->goroutines[0]->id) -
	       (a->goroutines[0]->id < b->goroutines[0]->id);
}

static bool same_sentence(const struct wait *left, const struct wait *right)
{
	return left == right || (left && right && strcmp(left->sentence, right->sentence) == 0);
}

void goroutine_group_summarize(struct goroutine_group *group)
{
	group->shortest_ns = group->longest_ns = -1;
	group->all_waits_known = group->same_wait = group->same_creator_id = true;
	for (size_t i = 0; i < group->count; i++) {
		const struct goroutine *first = group->goroutines[0];
		const struct goroutine *goroutine = group->goroutines[i];
		int64_t wait = goroutine->wait_ns;

		if (wait < 0)
			group->all_waits_known = false;
		else if (group->shortest_ns < 0 || wait < group->shortest_ns)
			group->shortest_ns = wait;
		if (wait > group->longest_ns)
			group->longest_ns = wait;
		group->same_wait = group->same_wait && same_sentence(first->wait, goroutine->wait);
		group->same_creator_id =
			group->same_creator_id && first->creator_id == goroutine->creator_id;
	}
}

/* One group each. */
static void keep_apart(struct goroutine_groups *groups, const struct goroutine **goroutines,
	size_t count, struct arena *arena)
{
	groups->items = arena_new(arena, struct goroutine_group, count);
	groups->count = count;
	for (size_t i = 0; i < count; i++)
		groups->items[i] =
			(struct goroutine_group){.goroutines = &goroutines[i], .count = 1};
}

static void put_together(struct goroutine_groups *groups, const struct goroutine **goroutines,
	size_t count, struct arena *arena)
{
	struct grouping grouping = {.arena = arena};
	struct group **groups_of cleanup_free = reallocate(NULL, count + 1, sizeof(*groups_of));
	const struct goroutine **sorted = arena_new(arena, const struct goroutine *, count);

	for (size_t i = 0; i < count; i++) {
		groups_of[i] = group_of(&grouping, goroutines[i]);
		groups_of[i]->result.count++;
	}
	groups->items = arena_new(arena, struct goroutine_group, HASH_COUNT(grouping.groups));
	for (struct group *group = grouping.groups; group; group = group->hh.next) {
		group->result.goroutines = sorted;
		sorted += group->result.count;
		groups->items[groups->count++] = group->result;
		group->result.count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct goroutine_group *group = &groups_of[i]->result;

		group->goroutines[group->count++] = goroutines[i];
	}
	HASH_CLEAR(hh, grouping.groups);
	HASH_CLEAR(hh, grouping.words);
	qsort(groups->items, groups->count, sizeof(*groups->items), compare_groups);
}

/* Marks with true, at its place, each goroutine whose stack a thread of the process shows. */
static void mark_on_threads(const struct process *process, bool *marks)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];
		const struct goroutine *goroutine = goroutine_of(process, thread);

		if (goroutine && (thread->user_stack || !goroutine->stack))
			marks[goroutine - process->goroutines] = true;
	}
}

struct goroutine_groups group_goroutines(
	const struct process *process, bool together, struct arena *arena)
{
	size_t count = process->goroutine_count;
	bool *marks cleanup_free = allocate_zeroed(count + 1, sizeof(*marks));
	const struct goroutine **goroutines = arena_new(arena, const struct goroutine *, count);
	struct goroutine_groups groups = {
		.on_threads = arena_new(arena, const struct goroutine *, process->thread_count),
	};
	size_t elsewhere = 0;

	mark_on_threads(process, marks);
	for (size_t i = 0; i < count; i++) {
		if (marks[i])
			groups.on_threads[groups.on_thread_count++] = &process->goroutines[i];
		else
			goroutines[elsewhere++] = &process->goroutines[i];
	}
	if (together)
		put_together(&groups, goroutines, elsewhere, arena);
	else
		keep_apart(&groups, goroutines, elsewhere, arena);
	for (size_t i = 0; i < groups.count; i++)
		goroutine_group_summarize(&groups.items[i]);
	return groups;
}
