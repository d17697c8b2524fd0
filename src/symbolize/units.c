// SPDX-License-Identifier: Apache-2.0
#include "symbolize/units.h"

#include <dwarf.h>
#include <stdlib.h>

#include "util/memory.h"

/* Several times what the largest programs have; libdw keeps some 250 bytes for each unit. */
#define UNIT_LIMIT 300000
#define RANGE_LIMIT (16 * 1024 * 1024)

/* How many overlapping ranges are tried; a sound file has none. */
#define OVERLAP_LIMIT 16

/*
 * Ranges of functions that the linker dropped start at 0 or another tombstone: they are told by
 * not lying in code. Address 0 holds the ELF header even where the segment is executable.
 */
static bool in_code(const struct image *image, uint64_t start)
{
	for (size_t i = 0; start && i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		if (segment->executable && start - segment->address < segment->memory_size)
			return true;
	}
	return false;
}

static int compare(const void *left, const void *right)
{
	const struct unit_range *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->unit < b->unit ? -1 : a->unit > b->unit;
}

void units_init(struct units *units, Dwarf *dwarf, const struct image *image)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	size_t capacity = 0, steps = 0;
	uint8_t type;

	*units = (struct units){0};
	/* Asked for no split unit, libdw opens none: its path is the target's choice. */
	for (size_t i = 0; i < UNIT_LIMIT; i++) {
		Dwarf_Addr base, start, end;
		ptrdiff_t at = 0;

		if (dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL) != 0)
			break;
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		while (steps++ < RANGE_LIMIT &&
			(at = dwarf_ranges(&die, at, &base, &start, &end)) > 0) {
			if (start >= end || !in_code(image, start))
				continue;
			array_reserve(units->ranges, units->count, capacity);
			units->ranges[units->count++] =
				(struct unit_range){start, end, dwarf_dieoffset(&die)};
		}
	}
	if (units->count)
		qsort(units->ranges, units->count, sizeof(*units->ranges), compare);
}

void units_deinit(struct units *units)
{
	free(units->ranges);
	*units = (struct units){0};
}

bool units_find(const struct units *units, uint64_t address, Dwarf_Off *unit)
{
	size_t low = 0, high = units->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (units->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; i < OVERLAP_LIMIT && low > 0; i++) {
		const struct unit_range *range = &units->ranges[--low];

		if (address < range->end) {
			*unit = range->unit;
			return true;
		}
	}
	return false;
}
