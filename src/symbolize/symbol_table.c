// SPDX-License-Identifier: Apache-2.0
#include "symbolize/symbol_table.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* More than any linked file has; what lies beyond is not looked at. */
#define SYMBOL_LIMIT (16 * 1024 * 1024)

void sections_init(struct sections *sections, const struct image *image)
{
	size_t capacity = 0;

	*sections = (struct sections){.image = image};
	if (!image || !image->elf)
		return;
	for (Elf_Scn *scn = elf_getscn(image->elf, 0); scn; scn = elf_nextscn(image->elf, scn)) {
		GElf_Shdr header; /* a copy: libelf's own may be misaligned */

		if (!gelf_getshdr(scn, &header))
			break;
		array_reserve(sections->items, sections->count, capacity);
		sections->items[sections->count++] = (struct section){
			.address = header.sh_addr,
			.offset = header.sh_offset,
			.size = header.sh_size,
			.entry_size = header.sh_entsize,
			.type = header.sh_type,
			.link = header.sh_link,
			.executable = (header.sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) ==
				      (SHF_ALLOC | SHF_EXECINSTR),
		};
	}
}

void sections_deinit(struct sections *sections)
{
	free(sections->items);
	*sections = (struct sections){0};
}

bool section_holds(const struct sections *sections, size_t index, uint64_t address)
{
	return index < sections->count &&
	       address - sections->items[index].address < sections->items[index].size;
}

/* Bytes of the section that are there. */
static uint64_t present(const struct sections *sections, const struct section *section)
{
	uint64_t size = sections->image->size;

	if (section->type == SHT_NOBITS || section->offset >= size)
		return 0;
	uint64_t left = size - section->offset;
	return section->size < left ? section->size : left;
}

bool symbol_table_open(struct symbol_table *table, const struct sections *sections, uint32_t type)
{
	for (size_t i = 0; i < sections->count; i++) {
		const struct section *section = &sections->items[i];

		if (section->type != type || section->entry_size != sizeof(Elf64_Sym) ||
			section->link >= sections->count)
			continue;
		const struct section *names = &sections->items[section->link];
		*table = (struct symbol_table){
			.sections = sections,
			.offset = section->offset,
			.count = present(sections, section) / sizeof(Elf64_Sym),
			.names_offset = names->offset,
			.names_size = names->type == SHT_STRTAB ? present(sections, names) : 0,
			.is_partial = type == SHT_DYNSYM,
		};
		if (table->count > SYMBOL_LIMIT)
			table->count = SYMBOL_LIMIT;
		return table->count && table->names_size;
	}
	return false;
}

size_t symbol_table_read(
	const struct symbol_table *table, uint64_t first, Elf64_Sym *symbols, size_t count)
{
	if (first >= table->count)
		return 0;
	if (count > table->count - first)
		count = table->count - first;
	uint64_t offset = table->offset + first * sizeof(*symbols);
	return image_read(table->sections->image, offset, symbols, count * sizeof(*symbols)) ? count
											     : 0;
}

void symbol_table_name(
	const struct symbol_table *table, uint32_t offset, size_t limit, struct text *name)
{
	char piece[256];

	text_clear(name);
	while (offset < table->names_size && name->length <= limit) {
		uint64_t left = table->names_size - offset;
		size_t wanted = left < sizeof(piece) ? left : sizeof(piece);

		if (!image_read(
			    table->sections->image, table->names_offset + offset, piece, wanted))
			break;
		size_t length = strnlen(piece, wanted);
		text_append_bytes(name, piece, length);
		if (length < wanted)
			break;
		if (__builtin_add_overflow(offset, (uint32_t)length, &offset))
			break;
	}
	char *version = name->length > 1 ? memchr(name->bytes + 1, '@', name->length - 1) : NULL;
	if (version) {
		*version = '\0';
		name->length = (size_t)(version - name->bytes);
	}
	if (name->length > limit) {
		name->length = limit;
		text_append(name, "…");
	}
}
