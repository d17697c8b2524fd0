// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/wait_pieces.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define MERGE_GAP 256   /* bytes between two pieces that are rather read than left out */
#define MERGE_MAX 65536 /* bytes that are read in one go */
#define ROUND 1024      /* pieces that are read together */
#define ROUND_BYTES (ROUND * (GO_PIECE_MAX + MERGE_GAP))
#define ADDRESS_END (1ull << 56) /* of what programs can address on the machines that are known */

void go_pieces_deinit(struct go_pieces *pieces)
{
	free(pieces->items);
	free(pieces->bytes);
	free(pieces->merged);
	free(pieces->ranges);
	*pieces = (struct go_pieces){.memory = pieces->memory};
}

void go_pieces_clear(struct go_pieces *pieces)
{
	pieces->count = 0;
}

size_t go_pieces_add(struct go_pieces *pieces, uint64_t address, size_t length)
{
	size_t number = pieces->count;

	array_reserve(pieces->items, pieces->count, pieces->capacity);
	pieces->items[pieces->count++] = (struct go_piece){.address = address,
		.length = (uint32_t)(length < GO_PIECE_MAX ? length : GO_PIECE_MAX),
		.number = (uint32_t)number};
	return number;
}

static int by_address(const void *left, const void *right)
{
	const struct go_piece *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

static int by_number(const void *left, const void *right)
{
	const struct go_piece *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

/* Sorts the pieces, most of which often are sorted as they come. */
static void sort(struct go_pieces *pieces, int (*compare)(const void *left, const void *right))
{
	for (size_t i = 1; i < pieces->count; i++) {
		if (compare(&pieces->items[i - 1], &pieces->items[i]) <= 0)
			continue;
		qsort(pieces->items, pieces->count, sizeof(*pieces->items), compare);
		return;
	}
}

/* The ranges that hold the pieces; each of them lies in the last one to begin before it. */
static size_t merge(struct go_pieces *pieces, const struct go_piece *items, size_t count)
{
	struct memory_range *ranges = pieces->ranges;
	size_t range_count = 0, used = 0;

	for (size_t i = 0; i < count; i++) {
		struct memory_range *last = range_count ? &ranges[range_count - 1] : NULL;
		uint64_t end = items[i].address + items[i].length;
		uint64_t last_end = last ? last->address + last->length : 0;

		if (last && items[i].address <= last_end + MERGE_GAP &&
			end - last->address <= MERGE_MAX) {
			if (end > last_end) {
				used += end - last_end;
				last->length = end - last->address;
			}
			continue;
		}
		ranges[range_count++] = (struct memory_range){.address = items[i].address,
			.length = items[i].length,
			.to = pieces->merged + used};
		used += items[i].length;
	}
	return range_count;
}

static void read_round(struct go_pieces *pieces, struct go_piece *items, size_t count)
{
	size_t range_count = merge(pieces, items, count);

	memory_read_many(pieces->memory, pieces->ranges, range_count);
	for (size_t i = 0, at = 0; i < count; i++) {
		while (at + 1 < range_count && items[i].address >= pieces->ranges[at + 1].address)
			at++;
		const struct memory_range *range = &pieces->ranges[at];
		size_t offset = items[i].address - range->address;

		if (offset + items[i].length > range->got)
			continue;
		items[i].got = items[i].length;
		memcpy(pieces->bytes + (size_t)items[i].number * GO_PIECE_MAX,
			(const uint8_t *)range->to + offset, items[i].length);
	}
}

void go_pieces_read(struct go_pieces *pieces)
{
	if (!pieces->merged) {
		pieces->merged = allocate(ROUND_BYTES);
		pieces->ranges = allocate_zeroed(ROUND, sizeof(*pieces->ranges));
	}
	if (pieces->count * GO_PIECE_MAX > pieces->byte_capacity) {
		pieces->byte_capacity = 2 * pieces->count * GO_PIECE_MAX;
		pieces->bytes = reallocate(pieces->bytes, pieces->byte_capacity, 1);
	}
	sort(pieces, by_address);
	/* What can be no pointer stands first or last. */
	size_t begin = 0, end = pieces->count;
	while (begin < end && !pieces->items[begin].address)
		begin++;
	while (end > begin && pieces->items[end - 1].address >= ADDRESS_END)
		end--;
	for (size_t i = begin; i < end; i += ROUND)
		read_round(pieces, pieces->items + i, end - i < ROUND ? end - i : ROUND);
	sort(pieces, by_number);
}

const uint8_t *go_pieces_get(const struct go_pieces *pieces, size_t number)
{
	return number < pieces->count && pieces->items[number].got
		       ? pieces->bytes + number * GO_PIECE_MAX
		       : NULL;
}
