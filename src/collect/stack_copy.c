// SPDX-License-Identifier: Apache-2.0
#include "collect/stack_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "util/memory.h"

/* What is to be copied: from the red zone to the end of the mapping, or as far as the limit. */
static void plan(const struct mappings *mappings, struct stack_copy *copy)
{
	const struct mapping *mapping = mappings_find(mappings, copy->sp);
	size_t red_zone = arch_native->red_zone;

	copy->bytes = NULL;
	copy->error = 0;
	copy->length = copy->limit;
	copy->start = copy->sp;
	if (mapping && copy->sp - mapping->start >= red_zone)
		copy->start -= red_zone;
	if (mapping && mapping->end - copy->start < copy->length)
		copy->length = mapping->end - copy->start;
	if (copy->thread_pointer > copy->sp && copy->thread_pointer - copy->start < copy->length)
		copy->length = copy->thread_pointer - copy->start;
	if (copy->length > UINT64_MAX - copy->start)
		copy->length = UINT64_MAX - copy->start;
}

static void take(struct stack_copy *copy, const struct piece *piece)
{
	copy->length = piece->got;
	copy->bytes = piece->got ? piece->to : NULL;
	copy->error = piece->error;
}

/*
 * Heap memory for the copies. Thousands of stacks take tens of MiB, each page of which would be
 * faulted in for itself: huge ones, where the kernel has them, save a tenth of a whole look.
 */
static uint8_t *allocate_copies(size_t size)
{
	enum { HUGE = 2 * 1024 * 1024 };

	if (size < 2 * HUGE)
		return allocate(size);
	size = (size + HUGE - 1) / HUGE * HUGE;
	void *memory = aligned_alloc(HUGE, size);
	if (!memory)
		out_of_memory();
	/* Without them, as where the kernel was built so, it is like other memory. */
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

void stack_copy_all(struct live_memory *memory, const struct mappings *mappings,
	struct stack_copy *copies, size_t count, size_t *budget, bool hurry, struct arena *arena)
{
	struct piece *pieces cleanup_free = allocate_zeroed(count, sizeof(*pieces));
	size_t wanted = 0, total = 0;

	for (size_t i = 0; i < count; i++) {
		plan(mappings, &copies[i]);
		if (copies[i].length > *budget) {
			copies[i].length = 0;
			copies[i].error = ENOBUFS;
		}
		*budget -= copies[i].length;
		total += copies[i].length;
	}
	uint8_t *to = allocate_copies(total);
	total = 0;
	for (size_t i = 0; i < count; i++) {
		/* Copies without a byte to read are stepped over: they have their reason. */
		if (!copies[i].length)
			continue;
		pieces[wanted++] = (struct piece){
			.address = copies[i].start,
			.length = copies[i].length,
			.to = to + total,
		};
		total += copies[i].length;
	}
	if (live_memory_gather(memory, pieces, wanted, hurry))
		arena_adopt(arena, to);
	wanted = 0;
	for (size_t i = 0; i < count; i++) {
		if (copies[i].length)
			take(&copies[i], &pieces[wanted++]);
	}
}
