// SPDX-License-Identifier: Apache-2.0
/*
 * Address table: numbers distinct (address, flags) pairs in the order in which they are first
 * seen. What belongs to a number is kept by the caller, in an array.
 *
 * The addresses are a target's choice, so the hash is keyed: nobody can make them collide.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/keyed_hash.h"

struct address_slot {
	uint64_t address;
	uint32_t flags;
	uint32_t number; /* plus one; 0: the slot is free */
};

/* All zero is an empty table. */
struct address_table {
	struct hash_key key;
	struct address_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/*
 * The number of the pair, from 0 on, into *number. true: it is new and was given the next
 * number. A table holds fewer than 2^32 pairs; memory for more ends the program.
 */
bool address_table_add(
	struct address_table *table, uint64_t address, uint32_t flags, size_t *number);

/* The number of the pair, where it was added before; false: it was not. */
bool address_table_find(
	const struct address_table *table, uint64_t address, uint32_t flags, size_t *number);

void address_table_deinit(struct address_table *table);
#define cleanup_address_table __attribute__((cleanup(address_table_deinit)))
