// SPDX-License-Identifier: Apache-2.0
/*
 * Units: which compile unit of an image's DWARF holds an address. Built from the units' own
 * ranges: .debug_aranges is left out by clang, and where some objects have it and others have
 * not, it can't tell "no unit" from "not listed".
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/image.h"

struct unit_range {
	uint64_t start, end; /* [start, end) */
	Dwarf_Off unit;      /* the offset of the unit's DIE in .debug_info */
};

struct units {
	struct unit_range *ranges; /* by rising start */
	size_t count;
};

/* All ranges of @dwarf that lie in executable segments of @image. No unit's contents are parsed. */
void units_init(struct units *units, Dwarf *dwarf, const struct image *image);
void units_deinit(struct units *units);

/* The offset of the DIE of the unit that holds @address; false where none does. */
bool units_find(const struct units *units, uint64_t address, Dwarf_Off *unit);
