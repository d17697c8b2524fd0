// SPDX-License-Identifier: Apache-2.0
/*
 * Symbols: which function of an image holds an address. All addresses are looked up in one pass
 * over each table, and a table that is not needed is not read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/image.h"
#include "util/arena.h"

struct symbol {
	const char *name; /* demangled, raw bytes; NULL: no function is known there */
	uint64_t start;   /* the function's address in the file */
	bool is_guess; /* a label without a size in a table that leaves functions out (.dynsym) */
};

/*
 * Names each of the @count addresses, which are those of the file, rising and distinct. Tables in
 * this order: the image's .symtab, .dynsym, .gnu_debugdata, the separate debug file's .symtab
 * (sought with @root, see image_find_debug(), only when the others did not do). Names are in
 * @arena.
 *
 * A symbol with a size counts where it covers the address: of several the one that starts last,
 * of aliases the one with the fewest leading underscores. A label without a size counts as far as
 * its section and the next sized symbol go.
 */
void symbols_find(struct image *image, struct root *root, const uint64_t *addresses, size_t count,
	struct symbol *symbols, struct arena *arena);
