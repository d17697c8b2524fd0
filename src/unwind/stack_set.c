// SPDX-License-Identifier: Apache-2.0
#include "unwind/stack_set.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static uint64_t hash_stack(const struct stack_set *set, const struct user_stack *stack)
{
	uint64_t hash = stack->end;

	for (size_t i = 0; i < stack->address_count; i++)
		hash = hash_word(&set->key, hash, stack->addresses[i].value);
	return hash;
}

static bool have_same_detail(const struct user_stack *a, const struct user_stack *b)
{
	if (a->end_detail == b->end_detail)
		return true;
	return a->end_detail && b->end_detail && strcmp(a->end_detail, b->end_detail) == 0;
}

static bool are_alike(const struct user_stack *a, const struct user_stack *b)
{
	size_t count = a->address_count;

	if (count != b->address_count || a->end != b->end || !have_same_detail(a, b))
		return false;
	if (!count)
		return true;
	if (memcmp(a->signal_frame, b->signal_frame, count * sizeof(*a->signal_frame)) ||
		memcmp(a->uncertain, b->uncertain, count * sizeof(*a->uncertain)))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (a->addresses[i].value != b->addresses[i].value ||
			a->addresses[i].is_return != b->addresses[i].is_return)
			return false;
	}
	return true;
}

/* The slot of the stack that is like @stack, or the free one where it belongs. */
static struct stack_slot *probe(
	const struct stack_set *set, uint64_t hash, const struct user_stack *stack)
{
	for (size_t at = hash & (set->slot_count - 1);; at = (at + 1) & (set->slot_count - 1)) {
		struct stack_slot *slot = &set->slots[at];

		if (!slot->stack || (slot->hash == hash && are_alike(slot->stack, stack)))
			return slot;
	}
}

static void grow(struct stack_set *set)
{
	size_t count = set->slot_count ? 2 * set->slot_count : 64;
	struct stack_slot *slots = allocate_zeroed(count, sizeof(*slots));

	/* No two of them are alike. */
	for (size_t i = 0; i < set->slot_count; i++) {
		size_t at = set->slots[i].hash & (count - 1);

		if (!set->slots[i].stack)
			continue;
		while (slots[at].stack)
			at = (at + 1) & (count - 1);
		slots[at] = set->slots[i];
	}
	free(set->slots);
	set->slots = slots;
	set->slot_count = count;
}

static struct user_stack *copy(const struct stack_set *set, const struct user_stack *stack)
{
	struct user_stack *kept = arena_new(set->arena, struct user_stack, 1);
	size_t count = stack->address_count;

	*kept = *stack;
	kept->addresses =
		arena_copy(set->arena, stack->addresses, count * sizeof(*stack->addresses));
	kept->signal_frame =
		arena_copy(set->arena, stack->signal_frame, count * sizeof(*stack->signal_frame));
	kept->uncertain =
		arena_copy(set->arena, stack->uncertain, count * sizeof(*stack->uncertain));
	return kept;
}

struct user_stack *stack_set_add(struct stack_set *set, const struct user_stack *stack)
{
	if (!set->slot_count)
		set->key = hash_key();
	if (2 * set->count >= set->slot_count)
		grow(set);
	uint64_t hash = hash_stack(set, stack);
	struct stack_slot *slot = probe(set, hash, stack);
	if (slot->stack)
		return slot->stack;
	*slot = (struct stack_slot){hash, copy(set, stack)};
	array_reserve(set->items, set->count, set->capacity);
	set->items[set->count++] = slot->stack;
	return slot->stack;
}

void stack_set_deinit(struct stack_set *set)
{
	free(set->items);
	free(set->slots);
}
