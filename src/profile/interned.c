// SPDX-License-Identifier: Apache-2.0
#include "profile/interned.h"

#include <stdlib.h>
#include <string.h>

#include "util/keyed_hash.h"
#include "util/memory.h"

#define FIRST_SLOTS 64

struct interned_slot {
	uint64_t hash;
	const void *key;
	size_t size;
	size_t number; /* plus one; 0: the slot is free */
};

static uint64_t hash_bytes(const void *bytes, size_t size)
{
	const struct hash_key key = hash_key();
	const unsigned char *at = bytes;
	uint64_t hash = hash_word(&key, 0, size);

	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		hash = hash_word(&key, hash, word);
	}
	uint64_t rest = 0;
	if (size)
		memcpy(&rest, at, size);
	return hash_word(&key, hash, rest);
}

/* The slot with that key, or the free one that it would have. */
static struct interned_slot *find_slot(
	const struct interned *table, uint64_t hash, const void *key, size_t size)
{
	size_t mask = table->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct interned_slot *slot = &table->slots[i];

		if (!slot->number || (slot->hash == hash && slot->size == size &&
					     (!size || memcmp(slot->key, key, size) == 0)))
			return slot;
	}
}

static void grow(struct interned *table)
{
	struct interned_slot *old = table->slots;
	size_t count = table->slot_count;

	table->slot_count = count ? 2 * count : FIRST_SLOTS;
	table->slots = allocate_zeroed(table->slot_count, sizeof(*table->slots));
	for (size_t i = 0; i < count; i++) {
		if (old[i].number)
			*find_slot(table, old[i].hash, old[i].key, old[i].size) = old[i];
	}
	free(old);
}

void **interned_find(struct interned *table, const void *key, size_t size)
{
	uint64_t hash = hash_bytes(key, size);

	if (2 * table->count >= table->slot_count)
		grow(table);
	struct interned_slot *slot = find_slot(table, hash, key, size);
	if (!slot->number) {
		if (!table->keys)
			table->keys = arena_create();
		array_reserve(table->items, table->count, table->capacity);
		table->items[table->count++] = NULL;
		*slot = (struct interned_slot){
			hash, arena_copy(table->keys, key, size), size, table->count};
	}
	return &table->items[slot->number - 1];
}

void interned_deinit(struct interned *table)
{
	free(table->items);
	free(table->slots);
	arena_destroy(table->keys);
	*table = (struct interned){0};
}
