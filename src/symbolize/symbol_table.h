// SPDX-License-Identifier: Apache-2.0
/*
 * Symbol table: the sections of an ELF file and the entries and names of its symbol tables.
 * Read piece by piece with pread: three addresses of a 100 MB program need a look at each
 * symbol, but neither the strings of all of them nor a copy of the table.
 */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/image.h"
#include "util/text.h"

struct section {
	uint64_t address, offset, size, entry_size;
	uint32_t type, link;
	bool executable;
};

struct sections {
	const struct image *image;
	struct section *items;
	size_t count;
};

/* The sections of @image, which must outlive them; none where it is NULL or has a problem. */
void sections_init(struct sections *sections, const struct image *image);
void sections_deinit(struct sections *sections);

/* Whether the section of this index holds @address. */
bool section_holds(const struct sections *sections, size_t index, uint64_t address);

struct symbol_table {
	const struct sections *sections;
	uint64_t offset, count;
	uint64_t names_offset, names_size;
	bool is_partial; /* .dynsym: only what other files may call */
};

/*
 * The table of this type (SHT_SYMTAB or SHT_DYNSYM), which borrows @sections; false where there
 * is none. Both its entries and its names lie within the file, whatever the headers claim.
 */
bool symbol_table_open(struct symbol_table *table, const struct sections *sections, uint32_t type);

/* Copies up to @count entries from @first on and returns how many could be had. */
size_t symbol_table_read(
	const struct symbol_table *table, uint64_t first, Elf64_Sym *symbols, size_t count);

/*
 * Replaces @name by the symbol's name without its version ("@GLIBC_2.2.5"). What is longer than
 * @limit bytes is cut there and ends in "…". Empty where the offset is outside of the table.
 */
void symbol_table_name(
	const struct symbol_table *table, uint32_t offset, size_t limit, struct text *name);
