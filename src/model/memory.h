// SPDX-License-Identifier: Apache-2.0
/*
 * Memory: how the later stages read a target's address space, be it live, copied
 * or recorded. Whoever makes a reader embeds this struct at the start of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
	/*
	 * Copies up to @length bytes at @address into @to and returns how many
	 * could be had from the start of the range: 0 where nothing is readable.
	 */
	size_t (*read)(const struct memory *memory, uint64_t address, void *to, size_t length);
};

/* Whether all @length bytes at @address could be copied; NULL reads nothing. */
static inline bool memory_read(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	return memory && memory->read(memory, address, to, length) == length;
}
