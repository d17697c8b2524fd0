// SPDX-License-Identifier: Apache-2.0
/*
 * Memory: how the later stages read a target's address space, be it live, copied
 * or recorded. Whoever makes a reader embeds this struct at the start of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A range that is to be read together with others. */
struct memory_range {
	uint64_t address;
	size_t length;
	void *to;
	size_t got; /* filled in: bytes from its start */
};

struct memory {
	/*
	 * Copies up to @length bytes at @address into @to and returns how many
	 * could be had from the start of the range: 0 where nothing is readable.
	 */
	size_t (*read)(const struct memory *memory, uint64_t address, void *to, size_t length);

	/* Reads many ranges at once, where that takes less time; NULL: one by one does as well. */
	void (*read_many)(const struct memory *memory, struct memory_range *ranges, size_t count);
};

/* Whether all @length bytes at @address could be copied; NULL reads nothing. */
static inline bool memory_read(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	return memory && memory->read(memory, address, to, length) == length;
}

/* Reads all of the ranges, as they are now, as far as they can be read; NULL reads nothing. */
static inline void memory_read_many(
	const struct memory *memory, struct memory_range *ranges, size_t count)
{
	if (memory && memory->read_many) {
		memory->read_many(memory, ranges, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		ranges[i].got = memory ? memory->read(memory, ranges[i].address, ranges[i].to,
						 ranges[i].length)
				       : 0;
}

/* As memory_read(), of what is there at this moment: nothing of it is kept from a read before. */
static inline bool memory_read_now(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	struct memory_range range = {.address = address, .length = length, .to = to};

	memory_read_many(memory, &range, 1);
	return range.got == length;
}
