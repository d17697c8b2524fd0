// SPDX-License-Identifier: Apache-2.0
#include "symbolize/variables.h"

#include <string.h>

#include "symbolize/image_names.h"

/* A module has a handful of mappings (elf/modules.c has the same bound). */
#define MAPPINGS_PER_MODULE 64

/* Threads that wait for one lock ask for it one after the other. */
#define CACHE 16

struct known {
	uint64_t address; /* 0: none */
	bool found;
	struct variable variable;
};

struct reader {
	struct variable_names names;
	const struct process *process;
	struct modules *modules;
	struct known cache[CACHE];
};

/* The mapping of the file whose data @address is in: what is zero at first has none of its own, and
 * stands behind it. */
static const struct mapping *find_data(const struct mappings *mappings, uint64_t address)
{
	const struct mapping *mapping = mappings_find(mappings, address);

	for (int i = 0; mapping && !mapping->inode && i < MAPPINGS_PER_MODULE; i++) {
		bool joined = mapping > mappings->items && mapping[-1].end == mapping->start;

		if (mapping->path[0] || !joined)
			return NULL;
		mapping--;
	}
	return mapping && mapping->inode ? mapping : NULL;
}

/* The code of the same file that stands nearest. */
static const struct mapping *find_code(const struct mappings *mappings, const struct mapping *data)
{
	size_t index = (size_t)(data - mappings->items);

	for (size_t i = 0; i < MAPPINGS_PER_MODULE; i++) {
		const struct mapping *sides[] = {i <= index ? data - i : NULL,
			i < mappings->count - index ? data + i : NULL};

		for (size_t j = 0; j < 2; j++) {
			const struct mapping *mapping = sides[j];

			if (mapping && mapping->executable && mapping->inode == data->inode &&
				mapping->device == data->device)
				return mapping;
		}
	}
	return NULL;
}

static bool is_of_segment(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		if (address - image->segments[i].address < image->segments[i].memory_size)
			return true;
	}
	return false;
}

static bool look_up(struct reader *reader, uint64_t address, struct variable *variable)
{
	const struct process *process = reader->process;
	const struct mapping *data = find_data(&process->mappings, address);
	const struct mapping *code = data ? find_code(&process->mappings, data) : NULL;
	const struct module *module = code ? modules_find(reader->modules, code->start) : NULL;
	struct data_symbol symbol;

	if (!module || !is_of_segment(module->image, address - module->bias))
		return false;
	struct data_symbols *symbols =
		image_data_symbols(module->image, modules_root(reader->modules));
	if (!data_symbols_find(symbols, address - module->bias, &symbol))
		return false;
	bool is_program = process->exe && strcmp(module->path, process->exe) == 0;
	*variable = (struct variable){
		.name = symbol.name,
		.file = symbol.file,
		.library = is_program ? NULL : module->path,
		.offset = address - module->bias - symbol.start,
	};
	return true;
}

static bool find(struct variable_names *names, uint64_t address, struct variable *variable)
{
	struct reader *reader = (struct reader *)names;
	struct known *known = &reader->cache[(address >> 3) % CACHE];

	if (known->address != address || !address) {
		known->address = address;
		known->found = look_up(reader, address, &known->variable);
	}
	*variable = known->variable;
	return known->found;
}

struct variable_names *variables_create(
	struct process *process, struct modules *modules, struct arena *arena)
{
	struct reader *reader = arena_new(arena, struct reader, 1);

	*reader = (struct reader){.names = {.find = find}, .process = process, .modules = modules};
	return &reader->names;
}

void variables_destroy(struct variable_names *names)
{
	if (names)
		modules_destroy(((struct reader *)names)->modules);
}
