// SPDX-License-Identifier: Apache-2.0
#include "explain/group.h"

#include <stdlib.h>
#include <string.h>

/* What decides the order of groups: lower values are of more interest to who hunts a hang. */
enum interest {
	INTEREST_BLOCKER, /* it holds up others */
	INTEREST_RUNNING,
	INTEREST_UNINTERRUPTIBLE,
	INTEREST_WAITING,
	INTEREST_IDLE,
};

struct entry {
	const struct thread *thread;
	const struct goroutine *goroutine; /* that it runs; NULL: none, or nothing of it is known */
	enum interest interest;
	bool rests_in_role;
	size_t group; /* the place of the entry's group among all */
	size_t group_size;
	pid_t group_first; /* the lowest id in it */
};

bool thread_rests_in_role(const struct thread *thread)
{
	return thread->role && !thread->goroutine && thread->state == 'S';
}

static enum interest thread_interest(const struct thread *thread)
{
	if (thread_rests_in_role(thread))
		return INTEREST_IDLE;
	if (thread->holds_up)
		return INTEREST_BLOCKER;
	switch (thread->state) {
	case 'R':
		return INTEREST_RUNNING;
	case 'D':
		return INTEREST_UNINTERRUPTIBLE;
	default:
		return thread->wait && thread->wait->idle ? INTEREST_IDLE : INTEREST_WAITING;
	}
}

static int compare_strings(const char *left, const char *right)
{
	if (left == right)
		return 0;
	if (!left || !right)
		return left ? 1 : -1;
	return strcmp(left, right);
}

#define COMPARE(left, right) (((left) > (right)) - ((left) < (right)))

static int compare_kernel_stacks(const struct kernel_stack *left, const struct kernel_stack *right)
{
	if (left == right)
		return 0;
	if (!left || !right)
		return left ? 1 : -1;
	int order = COMPARE(left->count, right->count);
	for (size_t i = 0; !order && i < left->count; i++)
		order = compare_strings(left->frames[i].symbol, right->frames[i].symbol);
	return order;
}

/* Frames are alike when they show the same function; without a symbol, the same address. */
static int compare_frames(const struct frame *left, const struct frame *right)
{
	if (left == right)
		return 0;
	int order = compare_strings(left->symbol, right->symbol);
	if (!order)
		order = compare_strings(left->module, right->module);
	if (!order && !left->symbol)
		order = COMPARE(left->address.value, right->address.value);
	return order;
}

static int compare_user_stacks(const struct user_stack *left, const struct user_stack *right)
{
	if (left == right)
		return 0;
	if (!left || !right)
		return left ? 1 : -1;
	int order = COMPARE(left->frame_count, right->frame_count);
	if (!order)
		order = COMPARE(left->end, right->end);
	for (size_t i = 0; !order && i < left->frame_count; i++)
		order = compare_frames(left->frames[i], right->frames[i]);
	return order;
}

/* Goroutines are alike when their state reads the same. */
static int compare_goroutines(const struct goroutine *left, const struct goroutine *right)
{
	if (!left || !right)
		return COMPARE(!!left, !!right);
	int order = compare_strings(left->status, right->status);
	if (!order)
		order = compare_strings(left->wait_reason, right->wait_reason);
	if (!order)
		order = COMPARE(left->locked, right->locked);
	if (!order)
		order = COMPARE((uintptr_t)left->creator, (uintptr_t)right->creator);
	return order;
}

/* Zero for threads that belong in one group. */
static int compare_places(const struct entry *left, const struct entry *right)
{
	const struct wait *left_wait = left->thread->wait, *right_wait = right->thread->wait;
	int order = COMPARE(left->interest, right->interest);

	if (!order)
		order = COMPARE(left->rests_in_role, right->rests_in_role);
	if (!order)
		order = compare_strings(left->thread->role, right->thread->role);
	if (order || left->rests_in_role)
		return order;
	order = COMPARE(!!left->thread->goroutine, !!right->thread->goroutine);
	if (!order) /* who holds up others stands apart from who waits alike */
		order = COMPARE(!!right->thread->holds_up, !!left->thread->holds_up);
	if (!order)
		order = compare_goroutines(left->goroutine, right->goroutine);
	if (!order)
		order = COMPARE(left->thread->state, right->thread->state);
	if (!order)
		order = compare_strings(
			left_wait ? left_wait->kind : NULL, right_wait ? right_wait->kind : NULL);
	if (!order)
		order = compare_kernel_stacks(
			left->thread->kernel_stack, right->thread->kernel_stack);
	if (!order)
		order = compare_user_stacks(left->thread->user_stack, right->thread->user_stack);
	return order;
}

static int by_place(const void *left_entry, const void *right_entry)
{
	const struct entry *left = left_entry, *right = right_entry;
	int order = compare_places(left, right);

	return order ? order : COMPARE(left->thread->tid, right->thread->tid);
}

static int by_interest(const void *left_entry, const void *right_entry)
{
	const struct entry *left = left_entry, *right = right_entry;
	int order = COMPARE(left->interest, right->interest);

	if (!order)
		order = COMPARE(right->group_size, left->group_size);
	if (!order)
		order = COMPARE(left->group_first, right->group_first);
	return order ? order : COMPARE(left->thread->tid, right->thread->tid);
}

/* Tells each entry of the sorted ones which group it is in, and how large that is. */
static void mark_groups(struct entry *entries, size_t count, bool together)
{
	for (size_t first = 0, next, group = 0; first < count; first = next, group++) {
		next = first + 1;
		while (together && next < count &&
			compare_places(&entries[first], &entries[next]) == 0)
			next++;
		for (size_t i = first; i < next; i++) {
			entries[i].group = group;
			entries[i].group_size = next - first;
			entries[i].group_first = entries[first].thread->tid;
		}
	}
}

/* Whether both read the same, and are on the same one. */
static bool waits_alike(const struct wait *one, const struct wait *other)
{
	const struct holder *first = one ? one->followed : NULL;
	const struct holder *second = other ? other->followed : NULL;

	if (compare_strings(one ? one->sentence : NULL, other ? other->sentence : NULL))
		return false;
	return first && second ? first->pid == second->pid && first->thread == second->thread &&
					 first->task == second->task
			       : !first == !second;
}

static bool have_same_wait(const struct thread_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (!waits_alike(group->threads[0]->wait, group->threads[i]->wait))
			return false;
	}
	return true;
}

struct thread_groups group_threads(
	const struct process *process, bool together, struct arena *arena)
{
	size_t count = process->thread_count;
	struct entry *entries = arena_new(arena, struct entry, count);
	const struct thread **threads = arena_new(arena, const struct thread *, count);
	struct thread_groups groups = {.items = arena_new(arena, struct thread_group, count)};

	for (size_t i = 0; i < count; i++) {
		entries[i].thread = &process->threads[i];
		entries[i].interest = thread_interest(entries[i].thread);
		entries[i].rests_in_role = together && thread_rests_in_role(entries[i].thread);
		entries[i].goroutine = goroutine_of(process, entries[i].thread);
	}
	qsort(entries, count, sizeof(*entries), by_place);
	mark_groups(entries, count, together);
	qsort(entries, count, sizeof(*entries), by_interest);
	for (size_t i = 0; i < count; i++) {
		struct thread_group *group = &groups.items[groups.count - !!groups.count];

		threads[i] = entries[i].thread;
		if (i == 0 || entries[i].group != entries[i - 1].group) {
			group = &groups.items[groups.count++];
			group->threads = &threads[i];
		}
		group->count++;
	}
	for (size_t i = 0; i < groups.count; i++)
		groups.items[i].same_wait = have_same_wait(&groups.items[i]);
	return groups;
}
