// SPDX-License-Identifier: Apache-2.0
/*
 * Scopes: the functions of a compile unit that hold an address, from the innermost inlined one
 * out to the one that has code of its own.
 */
#pragma once

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolize/function_scan.h"
#include "util/arena.h"

struct scope {
	Dwarf_Die die;             /* DW_TAG_inlined_subroutine; the outermost: DW_TAG_subprogram */
	const struct scope *outer; /* NULL: this is the function that has the code */
};

/*
 * Finds the innermost scope of each of the @count addresses (those of the file, rising, distinct)
 * in one walk over the unit (@scan is of its DWARF); NULL where no function holds it. Scopes are in
 * @arena, each shared by the addresses that it holds. *budget is how many DIEs may be looked at and
 * is used up; when it is spent, or DIEs nest absurdly, an address has no scope rather than a wrong
 * one.
 */
void scopes_find(const struct function_scan *scan, Dwarf_Die *unit, const uint64_t *addresses,
	size_t count, const struct scope **innermost, size_t *budget, struct arena *arena);
