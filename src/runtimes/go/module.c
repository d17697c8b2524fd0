// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/module.h"

#include <string.h>

#include "runtimes/go/build_info.h"
#include "util/memory.h"

#define CHUNK (128 * 1024)
#define SEARCH_MAX (512ull << 20) /* bytes; the largest programs' tables take 100 MiB */
#define BUILD_INFO_SEARCH (1ull << 20)
#define BUILD_INFO_ALIGNMENT 16
#define TABLE_ALIGNMENT 8
#define FUNCTIONS_LIMIT (1ull << 32)
#define MODULEDATA_MAX 1024 /* bytes; 592 in Go 1.27 */

/* Where to look, and for what. What is found is given to @accept, until that is content. */
struct search {
	const struct memory *memory;
	uint64_t alignment;
	bool (*matches)(const struct search *search, const uint8_t *bytes);
	bool (*accept)(struct search *search, uint64_t address);
	uint64_t left; /* bytes that may still be looked at */

	/* what the two want */
	const struct go_layout *layout;
	uint64_t wanted;
	struct go_module *module;
	struct arena *arena;
	const char *version;
	uint64_t next;
	const struct mappings *mappings;
	const struct module *image;
	const uint64_t *names; /* what looks like a version's name, by rising address */
	size_t name_count;
};

static bool search_range(struct search *search, uint64_t start, uint64_t end)
{
	uint8_t *bytes cleanup_free = allocate(CHUNK);

	start = (start + search->alignment - 1) & -search->alignment;
	while (start < end && search->left) {
		size_t length = end - start < CHUNK ? end - start : CHUNK;

		if (length > search->left)
			length = search->left;
		search->left -= length;
		size_t got = search->memory->read(search->memory, start, bytes, length);
		for (size_t at = 0; at + TABLE_ALIGNMENT <= got; at += search->alignment) {
			if (search->matches(search, bytes + at) &&
				search->accept(search, start + at))
				return true;
		}
		start += length;
	}
	return false;
}

/* Of the module's mappings those that are no code, and are writable or not. */
static bool search_mappings(struct search *search, bool writable)
{
	const struct mappings *mappings = search->mappings;

	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->items[i];

		if (mapping->end <= search->image->start || mapping->executable ||
			!mapping->readable || mapping->writable != writable)
			continue;
		if (mapping->start >= search->image->end)
			break;
		if (search_range(search, mapping->start, mapping->end))
			return true;
	}
	return false;
}

static bool search_section(struct search *search, const char *name)
{
	Elf64_Shdr header;

	if (!elf_section(search->image->image->elf, name, &header) || header.sh_size > SEARCH_MAX)
		return false;
	uint64_t start = header.sh_addr + search->image->bias;
	return search_range(search, start, start + header.sh_size);
}

static bool begins_build_info(const struct search *search, const uint8_t *bytes)
{
	(void)search;
	return memcmp(bytes, "\xff Go bui", 8) == 0;
}

static bool accept_version(struct search *search, uint64_t address)
{
	search->version = go_build_version(search->memory, address, search->arena);
	return search->version != NULL;
}

#define NAME_PREFIX "go1."
#define NAMES_MAX 65536

/* What looks like a version's name in the mappings that hold no variables. */
static size_t find_names(const struct search *search, uint64_t **names)
{
	uint8_t *bytes cleanup_free = allocate(CHUNK + sizeof(NAME_PREFIX));
	size_t count = 0, capacity = 0;
	uint64_t left = search->left;

	*names = NULL;
	for (size_t i = 0; i < search->mappings->count; i++) {
		const struct mapping *mapping = &search->mappings->items[i];

		if (mapping->start < search->image->start || mapping->end > search->image->end ||
			mapping->writable || mapping->executable || !mapping->readable)
			continue;
		/* Pieces overlap, so that none is cut in two. */
		for (uint64_t at = mapping->start; at < mapping->end && left > CHUNK; at += CHUNK) {
			size_t got = search->memory->read(
				search->memory, at, bytes, CHUNK + sizeof(NAME_PREFIX) - 1);
			const uint8_t *from = bytes, *found;

			left -= CHUNK;
			while (count < NAMES_MAX &&
				(found = memmem(from, got - (size_t)(from - bytes), NAME_PREFIX,
					 strlen(NAME_PREFIX)))) {
				array_reserve(*names, count, capacity);
				(*names)[count++] = at + (uint64_t)(found - bytes);
				from = found + 1;
			}
		}
	}
	return count;
}

/* Whether a string's header stands there, whose bytes look like a version's name. */
static bool is_name(const struct search *search, const uint8_t *bytes)
{
	uint64_t pointer = go_u64(bytes, 0);
	size_t low = 0, high = search->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->names[middle] < pointer)
			low = middle + 1;
		else
			high = middle;
	}
	return low < search->name_count && search->names[low] == pointer;
}

/*
 * The variable runtime.buildVersion: a string that is a version's name and no more. Where a program
 * has others it knows of older versions than its own.
 */
static bool accept_name(struct search *search, uint64_t address)
{
	const char *version = go_string_version(search->memory, address, search->arena);
	unsigned minor, best = 0;

	if (search->version)
		go_version_minor(search->version, &best);
	if (version && go_version_minor(version, &minor) && minor > best)
		search->version = version;
	return false;
}

/* The version that a program without build info knows itself by. */
static const char *find_version(struct search *search)
{
	static const char *const sections[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	uint64_t *names cleanup_free = NULL;
	Elf64_Shdr header;

	if (!elf_section(search->image->image->elf, sections[0], &header) &&
		!elf_section(search->image->image->elf, sections[1], &header))
		return NULL;
	search->left = SEARCH_MAX;
	search->alignment = TABLE_ALIGNMENT;
	search->matches = is_name;
	search->accept = accept_name;
	search->name_count = find_names(search, &names);
	search->names = names;
	search_mappings(search, true);
	return search->version;
}

static bool has_sections(const struct image *image)
{
	size_t count;

	return image->elf && elf_getshdrnum(image->elf, &count) == 0 && count > 1;
}

const char *go_module_version(const struct module *module, const struct memory *memory,
	const struct mappings *mappings, struct arena *arena)
{
	struct search search = {
		.memory = memory,
		.alignment = BUILD_INFO_ALIGNMENT,
		.matches = begins_build_info,
		.accept = accept_version,
		.left = BUILD_INFO_SEARCH,
		.arena = arena,
		.mappings = mappings,
		.image = module,
	};

	if (has_sections(module->image))
		return search_section(&search, ".go.buildinfo") ? search.version
								: find_version(&search);
	if (!search_mappings(&search, true))
		search_mappings(&search, false);
	return search.version;
}

static struct go_table read_slice(const uint8_t *bytes, unsigned offset, uint64_t size)
{
	uint64_t length = go_u64(bytes, offset + 8);

	return (struct go_table){
		.start = go_u64(bytes, offset),
		.length = length <= FUNCTIONS_LIMIT ? length * size : 0,
	};
}

bool go_module_read(const struct memory *memory, const struct go_layout *layout, uint64_t address,
	struct go_module *module, uint64_t *next)
{
	uint8_t bytes[MODULEDATA_MAX] = {0};
	struct go_pclntab_header header;
	size_t size = layout->moduledata.size;

	if (size > sizeof(bytes) || !memory_read(memory, address, bytes, size))
		return false;
	uint64_t table = go_u64(bytes, layout->moduledata.pc_header);
	if (!memory_read(memory, table, &header, sizeof(header)) ||
		!go_pclntab_header_valid(&header))
		return false;
	bool has_offsets = layout->moduledata.gofunc != GO_ABSENT;
	*module = (struct go_module){
		.address = address,
		.bss = go_u64(bytes, layout->moduledata.bss),
		.ebss = go_u64(bytes, layout->moduledata.ebss),
		.noptrbss = go_u64(bytes, layout->moduledata.noptrbss),
		.enoptrbss = go_u64(bytes, layout->moduledata.enoptrbss),
		.data = go_u64(bytes, layout->moduledata.data),
		.edata = go_u64(bytes, layout->moduledata.edata),
		.noptrdata = go_u64(bytes, layout->moduledata.noptrdata),
		/* The end stands behind the beginning: symtab.go, moduledata. */
		.enoptrdata = go_u64(bytes, layout->moduledata.noptrdata + 8u),
		.types = go_u64(bytes, layout->moduledata.types),
		.etypes = go_u64(bytes, layout->moduledata.etypes),
		.table =
			{
				.layout = layout,
				.memory = memory,
				.header = table,
				.text = go_u64(bytes, layout->moduledata.text),
				.etext = go_u64(bytes, layout->moduledata.etext),
				.function_count = header.function_count,
				.gofunc =
					has_offsets ? go_u64(bytes, layout->moduledata.gofunc) : 0,
				.quantum = header.quantum,
				.names = read_slice(bytes, layout->moduledata.funcnametab, 1),
				.units = read_slice(bytes, layout->moduledata.cutab, 4),
				.files = read_slice(bytes, layout->moduledata.filetab, 1),
				.values = read_slice(bytes, layout->moduledata.pctab, 1),
				.functions = read_slice(bytes, layout->moduledata.pclntable, 1),
				.index = read_slice(
					bytes, layout->moduledata.ftab, has_offsets ? 8 : 16),
			},
	};
	*next = go_u64(bytes, layout->moduledata.next);
	uint64_t minpc = go_u64(bytes, layout->moduledata.minpc);
	uint64_t maxpc = go_u64(bytes, layout->moduledata.maxpc);
	return go_u64(bytes, layout->moduledata.ftab + 8u) == header.function_count + 1 &&
	       module->table.text <= minpc && minpc < maxpc && maxpc <= module->table.etext &&
	       module->bss <= module->ebss;
}

static bool points_to_table(const struct search *search, const uint8_t *bytes)
{
	return go_u64(bytes, 0) == search->wanted;
}

static bool accept_module(struct search *search, uint64_t address)
{
	return go_module_read(search->memory, search->layout,
		address - search->layout->moduledata.pc_header, search->module, &search->next);
}

static bool find_module_data(struct search *search)
{
	search->alignment = TABLE_ALIGNMENT;
	search->matches = points_to_table;
	search->accept = accept_module;
	/* Since Go 1.27, and where it is mostly before. */
	if (search_section(search, ".go.module") || search_section(search, ".noptrdata"))
		return true;
	return search_mappings(search, true) || search_mappings(search, false);
}

static bool is_header(const struct search *search, const uint8_t *bytes)
{
	(void)search;
	uint32_t magic = go_u32(bytes, 0);

	return (magic & 0xfffffff0) == 0xfffffff0 && !bytes[4] && !bytes[5] && bytes[7] == 8;
}

static bool accept_header(struct search *search, uint64_t address)
{
	struct go_pclntab_header header;
	struct search inner = *search;

	if (!memory_read(search->memory, address, &header, sizeof(header)) ||
		!go_pclntab_header_valid(&header))
		return false;
	inner.wanted = address;
	bool found = find_module_data(&inner);
	search->left = inner.left;
	return found;
}

bool go_module_find(const struct module *module, const struct memory *memory,
	const struct mappings *mappings, const struct go_layout *layout, struct go_module *found)
{
	static const char *const sections[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	struct search search = {
		.memory = memory,
		.alignment = TABLE_ALIGNMENT,
		.matches = is_header,
		.accept = accept_header,
		.left = SEARCH_MAX,
		.layout = layout,
		.module = found,
		.mappings = mappings,
		.image = module,
	};
	Elf64_Shdr header;

	for (size_t i = 0; i < array_length(sections); i++) {
		if (elf_section(module->image->elf, sections[i], &header) &&
			accept_header(&search, header.sh_addr + module->bias))
			return true;
	}
	return search_mappings(&search, false) || search_mappings(&search, true);
}
