// SPDX-License-Identifier: Apache-2.0
#include "symbolize/symbol_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/memory.h"

/* More than any linked file has; what lies beyond is not looked at. */
#define SECTION_LIMIT 65536
#define SYMBOL_LIMIT (16 * 1024 * 1024)

#define NATIVE_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

void sections_init(struct sections *sections, Elf *elf, int fd)
{
	GElf_Ehdr header;
	struct stat status;
	size_t capacity = 0, size = 0;

	*sections = (struct sections){.fd = fd};
	if (!elf || !gelf_getehdr(elf, &header) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
		header.e_ident[EI_DATA] != NATIVE_DATA)
		return;
	if (fd < 0) {
		sections->memory = (const uint8_t *)elf_rawfile(elf, &size);
		sections->size = sections->memory ? size : 0;
	} else if (fstat(fd, &status) == 0) {
		sections->size = (uint64_t)status.st_size;
	}
	sections->machine = header.e_machine;
	for (Elf_Scn *scn = elf_getscn(elf, 0); scn && sections->count < SECTION_LIMIT;
		scn = elf_nextscn(elf, scn)) {
		GElf_Shdr found;

		if (!gelf_getshdr(scn, &found))
			break;
		array_reserve(sections->items, sections->count, capacity);
		sections->items[sections->count++] = (struct section){
			.address = found.sh_addr,
			.offset = found.sh_offset,
			.size = found.sh_size,
			.entry_size = found.sh_entsize,
			.type = found.sh_type,
			.link = found.sh_link,
			.executable = (found.sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) ==
				(SHF_ALLOC | SHF_EXECINSTR),
		};
	}
}

void sections_deinit(struct sections *sections)
{
	free(sections->items);
	*sections = (struct sections){.fd = -1};
}

bool section_holds(const struct sections *sections, size_t index, uint64_t address)
{
	return index < sections->count &&
		address - sections->items[index].address < sections->items[index].size;
}

/* Bytes of the section that are there. */
static uint64_t present(const struct sections *sections, const struct section *section)
{
	if (section->type == SHT_NOBITS || section->offset >= sections->size)
		return 0;
	uint64_t left = sections->size - section->offset;
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
		};
		if (table->count > SYMBOL_LIMIT)
			table->count = SYMBOL_LIMIT;
		return table->count && table->names_size;
	}
	return false;
}

static size_t read_at(const struct sections *sections, uint64_t offset, void *to, size_t length)
{
	size_t done = 0;

	if (sections->memory) {
		if (offset >= sections->size)
			return 0;
		if (length > sections->size - offset)
			length = sections->size - offset;
		memcpy(to, sections->memory + offset, length);
		return length;
	}
	while (done < length) {
		ssize_t got = pread(sections->fd, (char *)to + done, length - done,
			(off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

size_t symbol_table_read(
	const struct symbol_table *table, uint64_t first, Elf64_Sym *symbols, size_t count)
{
	if (first >= table->count)
		return 0;
	if (count > table->count - first)
		count = table->count - first;
	uint64_t offset = table->offset + first * sizeof(Elf64_Sym);
	return read_at(table->sections, offset, symbols, count * sizeof(Elf64_Sym)) /
		sizeof(Elf64_Sym);
}

void symbol_table_name(
	const struct symbol_table *table, uint32_t offset, size_t limit, struct text *name)
{
	char piece[256];

	text_clear(name);
	while (offset < table->names_size && name->length <= limit) {
		uint64_t left = table->names_size - offset;
		size_t wanted = left < sizeof(piece) ? left : sizeof(piece);
		size_t got = read_at(table->sections, table->names_offset + offset, piece, wanted);
		size_t length = strnlen(piece, got);

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
