// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/wait_pieces.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define MERGE_GAP 256            /* bytes between two pieces that are rather read than left out */
#define MERGE_MAX 65536          /* bytes that are read in one go */
#define ADDRESS_END (1ull << 56) /* of what programs can address on the machines that are known */

void go_pieces_deinit(struct go_pieces *pieces)
{
	free(pieces->items);
	free(pieces->sorted);
	free(pieces->bytes);
	free(pieces->where);
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

/* Takes the pieces apart by the digit of their addresses, and puts them together in its order. */
static void sort_by_digit(
	const struct go_piece *from, struct go_piece *to, size_t count, unsigned shift)
{
	size_t starts[256] = {0}, total = 0;

	for (size_t i = 0; i < count; i++)
		starts[from[i].address >> shift & 0xff]++;
	for (size_t i = 0; i < array_length(starts); i++) {
		size_t here = starts[i];

		starts[i] = total;
		total += here;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[from[i].address >> shift & 0xff]++] = from[i];
}

/* Sorts the pieces by their addresses, which have most digits in common. */
static void sort(struct go_pieces *pieces)
{
	const unsigned digit = 8, bits = 64;
	uint64_t different = 0;
	bool sorted = true;

	for (size_t i = 1; i < pieces->count; i++) {
		different |= pieces->items[i].address ^ pieces->items[0].address;
		sorted &= pieces->items[i - 1].address <= pieces->items[i].address;
	}
	for (unsigned shift = 0; shift < bits && !sorted; shift += digit) {
		if (!(different >> shift & 0xff))
			continue;
		sort_by_digit(pieces->items, pieces->sorted, pieces->count, shift);
		struct go_piece *other = pieces->items;
		pieces->items = pieces->sorted;
		pieces->sorted = other;
	}
}

static void reserve(struct go_pieces *pieces)
{
	size_t capacity = pieces->capacity;

	if (pieces->read_capacity == capacity)
		return;
	pieces->read_capacity = capacity;
	pieces->sorted = reallocate(pieces->sorted, capacity, sizeof(*pieces->sorted));
	pieces->where = reallocate(pieces->where, capacity, sizeof(*pieces->where));
	pieces->ranges = reallocate(pieces->ranges, capacity, sizeof(*pieces->ranges));
	free(pieces->bytes);
	pieces->bytes = allocate(capacity * (GO_PIECE_MAX + MERGE_GAP));
}

/*
 * The ranges that hold the pieces; each of them lies in the last one to begin before it. What can't
 * be read at all takes with it what lies close behind it, which real pointers never do.
 */
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
			.to = pieces->bytes + used};
		used += items[i].length;
	}
	return range_count;
}

void go_pieces_read(struct go_pieces *pieces)
{
	size_t begin = 0, end = pieces->count;

	if (!end)
		return;
	reserve(pieces);
	sort(pieces);
	memset(pieces->where, 0, pieces->count * sizeof(*pieces->where));
	/* What can be no pointer stands first or last. */
	while (begin < end && !pieces->items[begin].address)
		begin++;
	while (end > begin && pieces->items[end - 1].address >= ADDRESS_END)
		end--;
	size_t range_count = merge(pieces, pieces->items + begin, end - begin);
	memory_read_many(pieces->memory, pieces->ranges, range_count);
	for (size_t i = begin, at = 0; i < end; i++) {
		const struct go_piece *piece = &pieces->items[i];

		while (at + 1 < range_count && piece->address >= pieces->ranges[at + 1].address)
			at++;
		const struct memory_range *range = &pieces->ranges[at];
		size_t offset = piece->address - range->address;
		if (offset + piece->length <= range->got)
			pieces->where[piece->number] = (const uint8_t *)range->to + offset;
	}
}

const uint8_t *go_pieces_get(const struct go_pieces *pieces, size_t number)
{
	return number < pieces->count ? pieces->where[number] : NULL;
}
