// SPDX-License-Identifier: Apache-2.0
#include "util/address_table.h"

#include <stdlib.h>

#include "util/memory.h"

/* The slot that holds the pair, or the free one where it belongs. */
static struct address_slot *probe(
	const struct address_table *table, uint64_t address, uint32_t flags)
{
	size_t at = hash_word(&table->key, flags, address) & (table->capacity - 1);

	for (;; at = (at + 1) & (table->capacity - 1)) {
		struct address_slot *slot = &table->slots[at];

		if (!slot->number || (slot->address == address && slot->flags == flags))
			return slot;
	}
}

static void grow(struct address_table *table)
{
	struct address_table larger = {
		.key = table->capacity ? table->key : hash_key(),
		.capacity = table->capacity ? 2 * table->capacity : 64,
		.count = table->count,
	};

	if (larger.count >= UINT32_MAX / 2)
		out_of_memory();
	larger.slots = allocate_zeroed(larger.capacity, sizeof(*larger.slots));
	for (size_t i = 0; i < table->capacity; i++) {
		const struct address_slot *slot = &table->slots[i];

		if (slot->number)
			*probe(&larger, slot->address, slot->flags) = *slot;
	}
	free(table->slots);
	*table = larger;
}

bool address_table_add(
	struct address_table *table, uint64_t address, uint32_t flags, size_t *number)
{
	if (2 * table->count >= table->capacity)
		grow(table);
	struct address_slot *slot = probe(table, address, flags);
	bool is_new = !slot->number;
	if (is_new)
		*slot = (struct address_slot){address, flags, (uint32_t)++table->count};
	*number = slot->number - 1;
	return is_new;
}

bool address_table_find(
	const struct address_table *table, uint64_t address, uint32_t flags, size_t *number)
{
	const struct address_slot *slot = table->count ? probe(table, address, flags) : NULL;

	if (!slot || !slot->number)
		return false;
	*number = slot->number - 1;
	return true;
}

void address_table_deinit(struct address_table *table)
{
	free(table->slots);
	*table = (struct address_table){0};
}
