// SPDX-License-Identifier: Apache-2.0
/*
 * Data symbols: which variable of an image covers an address of its data. The table is read once
 * and kept sorted, since locks are asked for one by one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "elf/image.h"
#include "util/arena.h"

struct data_symbol {
	const char *name; /* demangled, raw bytes */
	const char
		*file;  /* of a local one: its source file, as the table has it; NULL: not known */
	uint64_t start; /* its address in the file */
};

struct data_symbols;

/*
 * The variables of @image by its .symtab, or by that of its separate debug file, which is sought as
 * image_find_debug() does, or by its .dynsym: the first that has any. The image must outlive them;
 * names are in @arena. NULL: none has.
 */
struct data_symbols *data_symbols_create(
	struct image *image, struct root *root, struct arena *arena);
void data_symbols_destroy(struct data_symbols *symbols);

/*
 * The variable that covers the address of the file; of several the one that starts last. false:
 * none does. NULL has none.
 */
bool data_symbols_find(struct data_symbols *symbols, uint64_t address, struct data_symbol *found);
