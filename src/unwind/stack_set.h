// SPDX-License-Identifier: Apache-2.0
/* Stack set: the different stacks of a process's threads, each kept once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/stack.h"
#include "util/arena.h"
#include "util/keyed_hash.h"

struct stack_slot {
	uint64_t hash;
	struct user_stack *stack; /* NULL: the slot is free */
};

/* Zeroed but for its arena it is empty. */
struct stack_set {
	struct arena *arena;
	struct user_stack **items; /* in the order in which they were added */
	size_t count, capacity;
	struct hash_key key;
	struct stack_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
};

/*
 * The stack of the set that is like @stack in what unwind/ says of it: a copy of it, in the arena,
 * where there was none.
 */
struct user_stack *stack_set_add(struct stack_set *set, const struct user_stack *stack);

/* Frees what the set itself needs; its stacks stay. */
void stack_set_deinit(struct stack_set *set);
