// SPDX-License-Identifier: Apache-2.0
#include "symbolize/address_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "util/memory.h"

/*
 * AT_RANDOM points to 16 random bytes that the kernel gave this process (getauxval(3)). The
 * mixing is by multiplication with odd constants and folding, each step with a key of its own.
 */
static uint64_t hash(uint64_t address, uint32_t flags)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t keys[2] = {0x243f6a8885a308d3, 0x13198a2e03707344};

	if (random)
		memcpy(keys, random, sizeof(keys));
	uint64_t value = (address + flags) ^ keys[0];
	__uint128_t product = (__uint128_t)value * (keys[1] | 1);
	value = (uint64_t)product ^ (uint64_t)(product >> 64) ^ flags;
	product = (__uint128_t)value * (keys[0] | 1);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The slot that holds the pair, or the free one where it belongs. */
static struct address_slot *probe(
	const struct address_table *table, uint64_t address, uint32_t flags)
{
	size_t at = hash(address, flags) & (table->capacity - 1);

	for (;; at = (at + 1) & (table->capacity - 1)) {
		struct address_slot *slot = &table->slots[at];

		if (!slot->number || (slot->address == address && slot->flags == flags))
			return slot;
	}
}

static void grow(struct address_table *table)
{
	struct address_table larger = {
		.capacity = table->capacity ? 2 * table->capacity : 64, .count = table->count};

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

void address_table_deinit(struct address_table *table)
{
	free(table->slots);
	*table = (struct address_table){0};
}
