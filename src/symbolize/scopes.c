// SPDX-License-Identifier: Apache-2.0
#include "symbolize/scopes.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define DEPTH_LIMIT 256 /* of nested DIEs, ten times what compilers make */

struct walk {
	const uint64_t *addresses;
	const struct scope **innermost;
	uint32_t *marks; /* per address: the number of the last DIE that holds it */
	uint32_t die_number;
	size_t unplaced; /* addresses whose function has not been found yet */
	size_t *budget;
	struct arena *arena;
};

/* Some of the addresses: indexes, rising. */
struct members {
	size_t *items;
	size_t count;
};

static bool spend(struct walk *walk, size_t amount)
{
	if (*walk->budget < amount) {
		*walk->budget = 0;
		return false;
	}
	*walk->budget -= amount;
	return true;
}

static size_t lower_bound(const struct walk *walk, const struct members *members, uint64_t address)
{
	size_t low = 0, high = members->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->addresses[members->items[middle]] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those of @members within the DIE's ranges whose innermost scope so far is @outer. */
static struct members select_members(
	struct walk *walk, Dwarf_Die *die, const struct members *members, const struct scope *outer)
{
	struct members selected = {0};
	size_t first = members->count, last = 0;
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	walk->die_number++;
	while (spend(walk, 1) && (at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		size_t i = lower_bound(walk, members, start);

		for (; i < members->count && walk->addresses[members->items[i]] < end; i++) {
			if (walk->innermost[members->items[i]] != outer)
				continue;
			walk->marks[members->items[i]] = walk->die_number;
			first = i < first ? i : first;
			last = i + 1 > last ? i + 1 : last;
			if (!spend(walk, 1))
				break;
		}
	}
	if (first >= last || !spend(walk, last - first))
		return selected;
	selected.items = allocate((last - first) * sizeof(*selected.items));
	for (size_t i = first; i < last; i++) {
		if (walk->marks[members->items[i]] == walk->die_number)
			selected.items[selected.count++] = members->items[i];
	}
	return selected;
}

static void walk_children(struct walk *walk, Dwarf_Die *parent, const struct members *members,
	const struct scope *outer, unsigned depth);

/* Descends into a DIE that has code, for the addresses that it holds. */
static void walk_code(struct walk *walk, Dwarf_Die *die, const struct members *members,
	const struct scope *outer, bool is_function, unsigned depth)
{
	struct members within = select_members(walk, die, members, outer);

	if (!within.count) {
		free(within.items);
		return;
	}
	if (is_function) {
		struct scope *scope = arena_new(walk->arena, struct scope, 1);

		*scope = (struct scope){.die = *die, .outer = outer};
		for (size_t i = 0; i < within.count; i++)
			walk->innermost[within.items[i]] = scope;
		walk->unplaced -= outer ? 0 : within.count;
		outer = scope;
	}
	walk_children(walk, die, &within, outer, depth);
	free(within.items);
}

/* @outer: the function whose DIE @parent is or stands in; NULL outside of functions. */
static void walk_children(struct walk *walk, Dwarf_Die *parent, const struct members *members,
	const struct scope *outer, unsigned depth)
{
	Dwarf_Die child;

	if (!dwarf_haschildren(parent) || dwarf_child(parent, &child) != 0)
		return;
	if (depth == DEPTH_LIMIT) {
		for (size_t i = 0; i < members->count; i++)
			walk->innermost[members->items[i]] = NULL;
		return;
	}
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type: /* Rust puts methods there */
			if (!outer)
				walk_children(walk, &child, members, NULL, depth + 1);
			break;
		case DW_TAG_subprogram:
			if (!outer)
				walk_code(walk, &child, members, NULL, true, depth + 1);
			break;
		case DW_TAG_inlined_subroutine:
			if (outer)
				walk_code(walk, &child, members, outer, true, depth + 1);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_with_stmt:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (outer)
				walk_code(walk, &child, members, outer, false, depth + 1);
			break;
		default:
			break;
		}
	} while ((outer || walk->unplaced) && spend(walk, 1) &&
		 dwarf_siblingof(&child, &child) == 0);
}

/* What function_scan_unit() is given. */
struct scan_context {
	struct walk *walk;
	const struct members *all;
	Dwarf *dwarf;
};

static bool found_function(void *pointer, Dwarf_Off offset, uint64_t start, uint64_t end)
{
	struct scan_context *context = pointer;
	struct walk *walk = context->walk;
	const struct members *all = context->all;
	Dwarf_Die die;

	if (end) {
		size_t at = lower_bound(walk, all, start);

		if (at == all->count || walk->addresses[all->items[at]] >= end)
			return true;
	}
	if (dwarf_offdie(context->dwarf, offset, &die))
		walk_code(walk, &die, all, NULL, true, 1);
	return walk->unplaced && *walk->budget;
}

void scopes_find(const struct function_scan *scan, Dwarf_Die *unit, const uint64_t *addresses,
	size_t count, const struct scope **innermost, size_t *budget, struct arena *arena)
{
	size_t *all cleanup_free = allocate(count * sizeof(*all));
	uint32_t *marks cleanup_free = allocate_zeroed(count, sizeof(*marks));
	struct walk walk = {.addresses = addresses,
		.innermost = innermost,
		.marks = marks,
		.unplaced = count,
		.budget = budget,
		.arena = arena};
	struct members members = {all, count};
	struct scan_context context = {&walk, &members, scan->dwarf};

	for (size_t i = 0; i < count; i++) {
		all[i] = i;
		innermost[i] = NULL;
	}
	if (!function_scan_unit(scan, unit, false, budget, found_function, &context))
		walk_children(&walk, unit, &members, NULL, 0);
	else if (walk.unplaced)
		function_scan_unit(scan, unit, true, budget, found_function, &context);
	if (!*budget)
		memset(innermost, 0, count * sizeof(*innermost));
}
