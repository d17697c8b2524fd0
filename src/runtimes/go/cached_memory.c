// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/cached_memory.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define BLOCK_SIZE 8192
#define BLOCKS_MAX 8192 /* 64 MiB: what is read beyond is read again */

struct cached_block {
	size_t length; /* that could be read from its start */
	uint8_t bytes[BLOCK_SIZE];
};

static void forget(struct cached_memory *cache)
{
	for (size_t i = 0; i < cache->table.count; i++)
		free(cache->blocks[i]);
	address_table_deinit(&cache->table);
}

static const struct cached_block *block_at(struct cached_memory *cache, uint64_t address)
{
	size_t number;

	if (cache->table.count >= BLOCKS_MAX)
		forget(cache);
	if (!address_table_add(&cache->table, address, 0, &number))
		return cache->blocks[number];
	if (number >= cache->capacity) {
		cache->capacity = cache->capacity ? 2 * cache->capacity : 64;
		cache->blocks = reallocate(cache->blocks, cache->capacity, sizeof(*cache->blocks));
	}
	struct cached_block *block = allocate(sizeof(*block));
	block->length = cache->source->read(cache->source, address, block->bytes, BLOCK_SIZE);
	cache->blocks[number] = block;
	return block;
}

static size_t read_cached(const struct memory *base, uint64_t address, void *to, size_t length)
{
	struct cached_memory *cache = (struct cached_memory *)base;
	size_t done = 0;

	while (done < length) {
		uint64_t at = address + done, start = at & -(uint64_t)BLOCK_SIZE;
		const struct cached_block *block = block_at(cache, start);
		size_t offset = at - start, wanted = length - done;

		if (offset >= block->length)
			break;
		if (wanted > block->length - offset)
			wanted = block->length - offset;
		memcpy((char *)to + done, block->bytes + offset, wanted);
		done += wanted;
	}
	return done;
}

void cached_memory_init(struct cached_memory *cache, const struct memory *source)
{
	*cache = (struct cached_memory){.memory.read = read_cached, .source = source};
}

void cached_memory_deinit(struct cached_memory *cache)
{
	forget(cache);
	free(cache->blocks);
	cache->blocks = NULL;
}
