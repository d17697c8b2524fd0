// SPDX-License-Identifier: Apache-2.0
/*
 * Function scan: where in a compile unit the functions with code stand, found in one pass over
 * the unit's bytes. libdw can only step from sibling to sibling, and where a compiler gives no
 * DW_AT_sibling (clang, rustc) that parses each DIE once for each of its ancestors.
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct function_scan {
	Dwarf *dwarf;
	const uint8_t *information; /* .debug_info */
	size_t information_size;
	const uint8_t *abbreviations; /* .debug_abbrev */
	size_t abbreviations_size;
};

/*
 * Prepares scans of the units of @dwarf, whose sections it borrows. Without these, scans give
 * up.
 */
void function_scan_init(struct function_scan *scan, Dwarf *dwarf);

/*
 * Calls @found for each DW_TAG_subprogram of the unit that has code, until that returns false:
 * those outside of other functions, or with @nested all (a local class's methods stand
 * within the function that has the class; few are, and to find them takes longer). Where its range
 * is told by plain numbers, [start, end) is it; else both are 0. false: the unit holds something
 * that this scan does not know or that is broken; @found may have been called already. *budget as
 * in scopes_find(), one for each DIE.
 */
bool function_scan_unit(const struct function_scan *scan, Dwarf_Die *unit, bool nested,
	size_t *budget, bool (*found)(void *context, Dwarf_Off die, uint64_t start, uint64_t end),
	void *context);
