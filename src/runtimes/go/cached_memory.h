// SPDX-License-Identifier: Apache-2.0
/*
 * Cached memory: tables of the target's that do not change, read in blocks, each of them once.
 */
#pragma once

#include "model/memory.h"
#include "util/address_table.h"

struct cached_block;

struct cached_memory {
	struct memory memory;
	const struct memory *source;
	struct address_table table;   /* of the blocks' addresses */
	struct cached_block **blocks; /* by their number in the table */
	size_t capacity;
};

void cached_memory_init(struct cached_memory *cache, const struct memory *source);
void cached_memory_deinit(struct cached_memory *cache);
