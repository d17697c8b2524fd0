// SPDX-License-Identifier: Apache-2.0
#include "unwind/code_places.h"

#include <stdlib.h>

#include "util/address_table.h"
#include "util/arena.h"
#include "util/memory.h"

struct code_places {
	const struct arch *arch;
	struct modules *modules;
	struct arena *arena; /* of the places */
	struct address_table table;
	struct code_place **items; /* by their number in the table */
	size_t capacity;
};

struct code_places *code_places_create(const struct arch *arch, struct modules *modules)
{
	struct code_places *places = allocate(sizeof(*places));

	*places = (struct code_places){.arch = arch, .modules = modules, .arena = arena_create()};
	return places;
}

void code_places_destroy(struct code_places *places)
{
	address_table_deinit(&places->table);
	arena_destroy(places->arena);
	free(places->items);
	free(places);
}

static struct code_place *add(struct code_places *places, struct code_address address)
{
	const struct mapping *mapping = modules_mapping(places->modules, address.value);
	struct code_place *place = arena_new(places->arena, struct code_place, 1);

	place->address = address;
	place->is_executable = mapping && mapping->executable;
	return place;
}

static bool is_place(const struct code_place *place, struct code_address address)
{
	return place && place->address.value == address.value &&
	       place->address.is_return == address.is_return;
}

struct code_place *code_places_find(
	struct code_places *places, struct code_place *before, struct code_address address)
{
	size_t number;

	if (before && is_place(before->next, address))
		return before->next;
	if (address_table_add(&places->table, address.value, address.is_return, &number)) {
		if (number >= places->capacity) {
			places->capacity = places->capacity ? 2 * places->capacity : 64;
			places->items =
				reallocate(places->items, places->capacity, sizeof(*places->items));
		}
		places->items[number] = add(places, address);
	}
	if (before)
		before->next = places->items[number];
	return places->items[number];
}

static void seek(struct code_places *places, struct code_place *place)
{
	uint64_t lookup = code_lookup(place->address);

	place->sought = true;
	place->module = modules_find(places->modules, lookup);
	if (place->module && place->module->image->machine == places->arch->elf_machine)
		place->row = cfi_find(place->module->image, places->arch,
			modules_root(places->modules), lookup - place->module->bias);
}

const struct module *code_place_module(struct code_places *places, struct code_place *place)
{
	if (!place->sought)
		seek(places, place);
	return place->module;
}

const struct cfi_row *code_place_row(struct code_places *places, struct code_place *place)
{
	if (!place->sought)
		seek(places, place);
	return place->row;
}
