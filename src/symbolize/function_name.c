// SPDX-License-Identifier: Apache-2.0
#include "symbolize/function_name.h"

#include <dwarf.h>
#include <stdbool.h>
#include <string.h>

#include "symbolize/demangle.h"
#include "util/text.h"

#define DEPTH_LIMIT 64
#define ORIGIN_LIMIT 16

/* libdw may have to step over all DIEs between two siblings; about one in so many bytes counts. */
#define BYTES_PER_STEP 64

static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) &&
		!dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return NULL;
	return dwarf_formstring(&attribute);
}

/* The declaration: where the chain of abstract origins and specifications ends. */
static Dwarf_Die declaration(Dwarf_Die die)
{
	for (int i = 0; i < ORIGIN_LIMIT; i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die origin;

		if (!dwarf_attr(&die, DW_AT_abstract_origin, &attribute) &&
			!dwarf_attr(&die, DW_AT_specification, &attribute))
			break;
		if (!dwarf_formref_die(&attribute, &origin))
			break;
		die = origin;
	}
	return die;
}

/* Moves to the child of @die that is, or contains, the DIE at @target; a tree is in its order. */
static bool step_towards(Dwarf_Die *die, Dwarf_Off target, size_t *budget)
{
	Dwarf_Die child, next;

	if (dwarf_child(die, &child) != 0 || dwarf_dieoffset(&child) > target)
		return false;
	while (dwarf_siblingof(&child, &next) == 0) {
		size_t steps =
			1 + (dwarf_dieoffset(&next) - dwarf_dieoffset(&child)) / BYTES_PER_STEP;

		if (dwarf_dieoffset(&next) > target)
			break;
		if (*budget < steps) {
			*budget = 0;
			return false;
		}
		*budget -= steps;
		child = next;
	}
	*die = child;
	return true;
}

/* Whether functions of the unit's language stand in scopes that have names. */
static bool has_scopes(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return false;
	default:
		return true;
	}
}

/* Appends "namespace::class::" for the scopes that the DIE stands in. */
static void append_scopes(struct text *text, Dwarf_Die *die, size_t *budget)
{
	Dwarf_Off target = dwarf_dieoffset(die);
	Dwarf_Die at;

	if (!dwarf_diecu(die, &at, NULL, NULL) || !has_scopes(&at))
		return;
	for (int i = 0; i < DEPTH_LIMIT; i++) {
		if (!step_towards(&at, target, budget) || dwarf_dieoffset(&at) == target)
			return;
		const char *name = dwarf_diename(&at);

		if (dwarf_tag(&at) == DW_TAG_namespace && !name)
			name = "(anonymous namespace)";
		if (name) {
			text_append_bytes(text, name, strnlen(name, SYMBOL_NAME_LIMIT));
			text_append(text, "::");
		}
	}
}

const char *function_name(Dwarf_Die *die, size_t *budget, struct arena *arena)
{
	const char *linkage = linkage_name(die);
	struct text text cleanup_text = {0};

	if (linkage && *linkage) {
		size_t length = strnlen(linkage, SYMBOL_NAME_LIMIT + 1);

		text_append_bytes(
			&text, linkage, length <= SYMBOL_NAME_LIMIT ? length : SYMBOL_NAME_LIMIT);
		if (length > SYMBOL_NAME_LIMIT)
			text_append(&text, "…");
		const char *shown = demangle(text.bytes, arena);
		return shown == text.bytes ? text_to_arena(&text, arena) : shown;
	}
	const char *name = dwarf_diename(die);
	if (!name || !*name)
		return NULL;
	Dwarf_Die origin = declaration(*die);
	append_scopes(&text, &origin, budget);
	text_append_bytes(&text, name, strnlen(name, SYMBOL_NAME_LIMIT));
	return text_to_arena(&text, arena);
}
