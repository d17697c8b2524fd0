// SPDX-License-Identifier: Apache-2.0
#include "symbolize/lines.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/function_name.h"
#include "symbolize/scopes.h"
#include "symbolize/units.h"
#include "util/memory.h"

/*
 * libdw makes some 80 bytes of each byte of a unit's line program, whether it is a sound one or
 * not. The largest units of real programs (link-time optimisation) stay below this.
 */
#define LINE_PROGRAM_LIMIT (16 * 1024 * 1024)

#define FILE_NAME_LIMIT 4096

struct lines {
	Dwarf *dwarf; /* the image's; NULL: it has none */
	struct units units;
	struct function_scan scan;
	const uint8_t *programs; /* .debug_line */
	size_t programs_size;
};

/* An address and the unit that holds it. */
struct place {
	Dwarf_Off unit;
	uint64_t address;
	size_t index; /* in the caller's array */
};

static void find_line_programs(struct lines *lines)
{
	Elf *elf = dwarf_getelf(lines->dwarf);
	Elf64_Shdr header;
	Elf_Scn *section = elf_section(elf, ".debug_line", &header);

	if (!section)
		section = elf_section(elf, ".zdebug_line", &header);
	/* dwarf_begin_elf() has decompressed it. */
	const Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	if (data && data->d_buf) {
		lines->programs = data->d_buf;
		lines->programs_size = data->d_size;
	}
}

struct lines *lines_create(struct image *image, struct root *root)
{
	struct lines *lines = allocate_zeroed(1, sizeof(*lines));

	lines->dwarf = image_dwarf(image, root);
	if (lines->dwarf) {
		find_line_programs(lines);
		function_scan_init(&lines->scan, lines->dwarf);
		units_init(&lines->units, lines->dwarf, image);
	}
	return lines;
}

void lines_destroy(struct lines *lines)
{
	if (!lines)
		return;
	units_deinit(&lines->units);
	free(lines);
}

/* Whether the unit has a line program that is not too long (DWARF 5, section 6.2.4). */
static bool has_line_program(const struct lines *lines, Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset;
	uint32_t length;
	uint64_t long_length;

	if (!dwarf_attr(unit, DW_AT_stmt_list, &attribute) ||
		dwarf_formudata(&attribute, &offset) != 0 ||
		lines->programs_size < sizeof(length) + sizeof(long_length) ||
		offset > lines->programs_size - sizeof(length) - sizeof(long_length))
		return false;
	memcpy(&length, lines->programs + offset, sizeof(length));
	memcpy(&long_length, lines->programs + offset + sizeof(length), sizeof(long_length));
	return length == UINT32_MAX ? long_length <= LINE_PROGRAM_LIMIT
				    : length <= LINE_PROGRAM_LIMIT;
}

/* libdw leaves names relative that DWARF 5 has below a relative directory. */
static const char *full_file_name(Dwarf_Die *unit, const char *name, struct arena *arena)
{
	Dwarf_Attribute attribute;
	const char *directory = NULL;

	if (!name || !*name)
		return NULL;
	if (name[0] != '/' && dwarf_attr(unit, DW_AT_comp_dir, &attribute))
		directory = dwarf_formstring(&attribute);
	if (!directory || !*directory)
		return arena_strndup(arena, name, FILE_NAME_LIMIT);
	return arena_printf(arena, "%.*s/%.*s", FILE_NAME_LIMIT, directory, FILE_NAME_LIMIT, name);
}

static void find_row(
	Dwarf_Die *unit, uint64_t address, struct source_frame *frame, struct arena *arena)
{
	Dwarf_Line *row = dwarf_getsrc_die(unit, address);
	int line;

	/* Line 0 is code that no source line stands for. */
	if (!row || dwarf_lineno(row, &line) != 0 || line <= 0)
		return;
	frame->line = (unsigned)line;
	frame->file = full_file_name(unit, dwarf_linesrc(row, NULL, NULL), arena);
}

/* Where the function that @die is an inlined instance of was called. */
static void find_call_site(
	Dwarf_Die *unit, Dwarf_Die *die, struct source_frame *frame, struct arena *arena)
{
	Dwarf_Attribute attribute;
	Dwarf_Word line, file;
	Dwarf_Files *files;

	if (!dwarf_attr(die, DW_AT_call_line, &attribute) ||
		dwarf_formudata(&attribute, &line) != 0 || line == 0 || line > INT32_MAX)
		return;
	frame->line = (unsigned)line;
	if (dwarf_attr(die, DW_AT_call_file, &attribute) &&
		dwarf_formudata(&attribute, &file) == 0 &&
		dwarf_getsrcfiles(unit, &files, NULL) == 0)
		frame->file = full_file_name(unit, dwarf_filesrc(files, file, NULL, NULL), arena);
}

static void fill_frames(Dwarf_Die *unit, bool has_lines, uint64_t address,
	const struct scope *innermost, struct source_frames *found, size_t *budget,
	struct arena *arena)
{
	size_t depth = 0;

	for (const struct scope *scope = innermost; scope; scope = scope->outer)
		depth++;
	found->count = depth ? depth : 1;
	found->frames = arena_new(arena, struct source_frame, found->count);
	if (has_lines)
		find_row(unit, address, &found->frames[0], arena);
	for (size_t i = 0; i < depth; i++, innermost = innermost->outer) {
		Dwarf_Die die = innermost->die;

		found->frames[i].function = function_name(&die, budget, arena);
		if (innermost->outer && has_lines)
			find_call_site(unit, &die, &found->frames[i + 1], arena);
	}
}

/* All addresses of one unit. */
static void find_in_unit(struct lines *lines, const struct place *places, size_t count,
	struct source_frames *found, size_t *budget, struct arena *arena)
{
	uint64_t *addresses cleanup_free = allocate(count * sizeof(*addresses));
	const struct scope **innermost cleanup_free = allocate(count * sizeof(*innermost));
	struct arena *scratch cleanup_arena = arena_create();
	Dwarf_Die unit;

	if (!dwarf_offdie(lines->dwarf, places[0].unit, &unit))
		return;
	for (size_t i = 0; i < count; i++)
		addresses[i] = places[i].address;
	bool has_lines = has_line_program(lines, &unit);
	scopes_find(&lines->scan, &unit, addresses, count, innermost, budget, scratch);
	for (size_t i = 0; i < count; i++)
		fill_frames(&unit, has_lines, addresses[i], innermost[i], &found[places[i].index],
			budget, arena);
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->unit != b->unit)
		return a->unit < b->unit ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

void lines_find(struct lines *lines, const uint64_t *addresses, size_t count,
	struct source_frames *found, size_t *budget, struct arena *arena)
{
	struct place *places cleanup_free = allocate(count * sizeof(*places));
	size_t placed = 0;

	memset(found, 0, count * sizeof(*found));
	for (size_t i = 0; i < count; i++) {
		Dwarf_Off unit;

		if (units_find(&lines->units, addresses[i], &unit))
			places[placed++] = (struct place){unit, addresses[i], i};
	}
	if (placed)
		qsort(places, placed, sizeof(*places), compare_places);
	for (size_t i = 0, end; i < placed; i = end) {
		for (end = i + 1; end < placed && places[end].unit == places[i].unit;)
			end++;
		find_in_unit(lines, places + i, end - i, found, budget, arena);
	}
}
