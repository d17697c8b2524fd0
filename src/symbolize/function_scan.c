// SPDX-License-Identifier: Apache-2.0
#include "symbolize/function_scan.h"

#include <dwarf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/image.h"
#include "util/memory.h"

#define CODE_LIMIT 65536  /* abbreviations of a unit; compilers number them from 1 on */
#define DEPTH_LIMIT 256   /* of nested DIEs */
#define NAME_LIMIT 0x4000 /* attribute names and forms are below: DW_AT_hi_user is 0x3fff */

struct attribute {
	uint16_t name, form;
};

/* An abbreviation (DWARF 5, section 7.5.3). */
struct shape {
	uint32_t tag; /* 0: there is none of this code */
	bool has_children, has_code, has_sibling;
	uint32_t fixed_size; /* of all attributes together; UINT32_MAX: it depends */
	size_t first, count; /* attributes */
};

struct shapes {
	struct shape *items; /* by code */
	size_t count, capacity;
	struct attribute *attributes;
	size_t attribute_count, attribute_capacity;
};

struct cursor {
	const uint8_t *at, *end;
	bool broken;
};

/* What is known of a unit, from its header. */
struct unit {
	const uint8_t *start; /* of its header; references count from here */
	Dwarf_Off offset;     /* of its header, in .debug_info */
	uint16_t version;
	uint8_t address_size, offset_size;
};

static uint64_t read_uleb128(struct cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned shift = 0; cursor->at < cursor->end && shift < 64; shift += 7) {
		uint8_t byte = *cursor->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	cursor->broken = true;
	return 0;
}

static void skip(struct cursor *cursor, uint64_t length)
{
	if (length > (uint64_t)(cursor->end - cursor->at))
		cursor->broken = true;
	else
		cursor->at += length;
}

/* A number of 1, 2, 4 or 8 bytes in this machine's order. */
static uint64_t read_number(struct cursor *cursor, size_t size)
{
	uint64_t value = 0;

	if (size > (size_t)(cursor->end - cursor->at)) {
		cursor->broken = true;
		return 0;
	}
	for (size_t i = size; i-- > 0;)
		value = value << 8 | cursor->at[i];
	cursor->at += size;
	return value;
}

/* The size of a form's value (DWARF 5, section 7.5.6) where it is always the same; -1: it is not.
 */
static int form_size(const struct unit *unit, unsigned form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return unit->address_size;
	case DW_FORM_ref_addr:
		return unit->version == 2 ? unit->address_size : unit->offset_size;
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return unit->offset_size;
	default:
		return -1;
	}
}

static void skip_value(struct cursor *cursor, const struct unit *unit, unsigned form)
{
	int size = form_size(unit, form);

	if (size >= 0) {
		skip(cursor, (uint64_t)size);
		return;
	}
	switch (form) {
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		read_uleb128(cursor);
		break;
	case DW_FORM_string: {
		const uint8_t *nul = memchr(cursor->at, 0, (size_t)(cursor->end - cursor->at));

		if (nul)
			cursor->at = nul + 1;
		else
			cursor->broken = true;
		break;
	}
	case DW_FORM_exprloc:
	case DW_FORM_block:
		skip(cursor, read_uleb128(cursor));
		break;
	case DW_FORM_block1:
		skip(cursor, read_number(cursor, 1));
		break;
	case DW_FORM_block2:
		skip(cursor, read_number(cursor, 2));
		break;
	case DW_FORM_block4:
		skip(cursor, read_number(cursor, 4));
		break;
	default:
		cursor->broken = true;
		break;
	}
}

static void shapes_deinit(struct shapes *shapes)
{
	free(shapes->items);
	free(shapes->attributes);
}

static void read_attributes(
	struct shapes *shapes, struct shape *shape, const struct unit *unit, struct cursor *cursor)
{
	shape->first = shapes->attribute_count;
	for (;;) {
		uint64_t name = read_uleb128(cursor), form = read_uleb128(cursor);

		if (form == DW_FORM_implicit_const)
			read_uleb128(cursor); /* as long as a signed one */
		if (cursor->broken || (!name && !form))
			break;
		if (name >= NAME_LIMIT || form >= NAME_LIMIT) {
			cursor->broken = true;
			break;
		}
		int size = form_size(unit, (unsigned)form);
		if (size < 0)
			shape->fixed_size = UINT32_MAX;
		else if (shape->fixed_size != UINT32_MAX)
			shape->fixed_size += (uint32_t)size;
		shape->has_code |= name == DW_AT_low_pc || name == DW_AT_ranges;
		shape->has_sibling |= name == DW_AT_sibling && form == DW_FORM_ref4;
		array_reserve(
			shapes->attributes, shapes->attribute_count, shapes->attribute_capacity);
		shapes->attributes[shapes->attribute_count++] =
			(struct attribute){(uint16_t)name, (uint16_t)form};
	}
	shape->count = shapes->attribute_count - shape->first;
}

/* Reads the unit's abbreviations; false where they are broken or numbered wildly. */
static bool shapes_read(struct shapes *shapes, const struct unit *unit, struct cursor *cursor)
{
	for (uint64_t code; (code = read_uleb128(cursor)) != 0;) {
		struct shape shape = {.tag = (uint32_t)read_uleb128(cursor)};

		if (code >= CODE_LIMIT)
			return false;
		shape.has_children = read_number(cursor, 1);
		read_attributes(shapes, &shape, unit, cursor);
		if (cursor->broken)
			return false;
		while (shapes->count <= code) {
			array_reserve(shapes->items, shapes->count, shapes->capacity);
			shapes->items[shapes->count++] = (struct shape){0};
		}
		shapes->items[code] = shape;
	}
	return !cursor->broken;
}

/* Scopes that functions stand in without being part of another function. */
static bool is_container(unsigned tag)
{
	return tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit ||
	       tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type;
}

/* What the scan wants to know of a DIE's attributes. */
struct facts {
	uint64_t low, high; /* high: 0 where the range is not told by plain numbers */
	uint64_t sibling;   /* from the unit's start; 0: none */
};

static void read_facts(struct cursor *cursor, const struct unit *unit, const struct shapes *shapes,
	const struct shape *shape, struct facts *facts)
{
	bool plain = false;

	*facts = (struct facts){0};
	for (size_t i = 0; i < shape->count && !cursor->broken; i++) {
		struct attribute attribute = shapes->attributes[shape->first + i];

		if (attribute.name == DW_AT_low_pc && attribute.form == DW_FORM_addr) {
			facts->low = read_number(cursor, unit->address_size);
			plain = true;
		} else if (attribute.name == DW_AT_high_pc && attribute.form == DW_FORM_data4) {
			facts->high = read_number(cursor, 4);
		} else if (attribute.name == DW_AT_high_pc && attribute.form == DW_FORM_data8) {
			facts->high = read_number(cursor, 8);
		} else if (attribute.name == DW_AT_sibling && attribute.form == DW_FORM_ref4) {
			facts->sibling = read_number(cursor, 4);
		} else {
			skip_value(cursor, unit, attribute.form);
		}
	}
	/* From DWARF 4 on, a high_pc that is no address is an offset from low_pc. */
	if (!plain || !facts->high || __builtin_add_overflow(facts->low, facts->high, &facts->high))
		facts->high = 0;
}

static bool scan_dies(struct cursor *cursor, const struct unit *unit, const struct shapes *shapes,
	bool nested, size_t *budget, bool (*found)(void *, Dwarf_Off, uint64_t, uint64_t),
	void *context)
{
	unsigned depth = 0,
		 opaque = 0; /* opaque: the depth of a DIE whose inside is of no interest */

	while (cursor->at < cursor->end && !cursor->broken) {
		const uint8_t *start = cursor->at;
		uint64_t code = read_uleb128(cursor);
		struct facts facts = {0};

		if (!*budget)
			return true;
		--*budget;
		if (code == 0) { /* the end of a row of siblings */
			if (depth <= 1)
				return true;
			if (opaque == --depth)
				opaque = 0;
			continue;
		}
		if (code >= shapes->count || !shapes->items[code].tag)
			return false;
		const struct shape *shape = &shapes->items[code];
		bool is_function = shape->tag == DW_TAG_subprogram && shape->has_code && !opaque;
		if (is_function || shape->has_sibling || shape->fixed_size == UINT32_MAX)
			read_facts(cursor, unit, shapes, shape, &facts);
		else
			skip(cursor, shape->fixed_size);
		if (cursor->broken)
			return false;
		if (is_function && !found(context, unit->offset + (Dwarf_Off)(start - unit->start),
					   facts.high ? facts.low : 0, facts.high))
			return true;
		if (!shape->has_children) {
			if (depth == 0)
				return true;
			continue;
		}
		if (facts.sibling > (uint64_t)(cursor->at - unit->start) &&
			facts.sibling < (uint64_t)(cursor->end - unit->start) && !nested &&
			!is_container(shape->tag)) {
			cursor->at = unit->start + facts.sibling;
			continue;
		}
		if (depth == DEPTH_LIMIT)
			return false;
		if (!nested && !opaque && !is_container(shape->tag))
			opaque = depth;
		depth++;
	}
	return !cursor->broken;
}

/* The section ".debug_" @name or ".zdebug_" @name; dwarf_begin_elf() has decompressed it. */
static const uint8_t *find_section(Elf *elf, const char *name, size_t *size)
{
	Elf64_Shdr header;
	char full[32];

	snprintf(full, sizeof(full), ".debug_%s", name);
	Elf_Scn *section = elf_section(elf, full, &header);
	if (!section) {
		snprintf(full, sizeof(full), ".zdebug_%s", name);
		section = elf_section(elf, full, &header);
	}
	const Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	*size = data && data->d_buf ? data->d_size : 0;
	return *size ? data->d_buf : NULL;
}

void function_scan_init(struct function_scan *scan, Dwarf *dwarf)
{
	Elf *elf = dwarf_getelf(dwarf);

	scan->dwarf = dwarf;
	scan->information = find_section(elf, "info", &scan->information_size);
	scan->abbreviations = find_section(elf, "abbrev", &scan->abbreviations_size);
}

bool function_scan_unit(const struct function_scan *scan, Dwarf_Die *die, bool nested,
	size_t *budget, bool (*found)(void *context, Dwarf_Off die, uint64_t start, uint64_t end),
	void *context)
{
	struct unit unit = {0};
	Dwarf_Off next, abbreviations, first = dwarf_dieoffset(die);
	size_t header_size;

	unit.offset = first - dwarf_cuoffset(die);
	if (dwarf_cuoffset(die) > first ||
		dwarf_next_unit(scan->dwarf, unit.offset, &next, &header_size, &unit.version,
			&abbreviations, &unit.address_size, &unit.offset_size, NULL, NULL) != 0 ||
		unit.offset + header_size != first || next <= first || unit.address_size > 8 ||
		next > scan->information_size || abbreviations >= scan->abbreviations_size)
		return false;
	struct cursor cursor = {.at = scan->information + first, .end = scan->information + next};
	struct cursor table = {.at = scan->abbreviations + abbreviations,
		.end = scan->abbreviations + scan->abbreviations_size};
	struct shapes shapes = {0};

	unit.start = scan->information + unit.offset;
	bool ok = shapes_read(&shapes, &unit, &table) &&
		  scan_dies(&cursor, &unit, &shapes, nested, budget, found, context);
	shapes_deinit(&shapes);
	return ok;
}
