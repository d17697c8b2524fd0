// SPDX-License-Identifier: Apache-2.0
/* Names of the program's variables, by its symbol table, where it has one. */
#include <stdlib.h>
#include <string.h>

#include "runtimes/go/wait_parts.h"
#include "symbolize/symbol_table.h"
#include "util/memory.h"
#include "util/search.h"

#define CHUNK 1024 /* symbols that are read together */
#define NAME_LIMIT 200

/* Symbols that lie over each other may make us look at an address so often, all in all. */
#define STEPS_PER_ADDRESS 16

struct naming {
	const struct symbol_table *table;
	uint64_t bias;
	const uint64_t *addresses;
	size_t count, steps; /* steps that are left */
	const char **names;
	struct arena *arena;
};

static void name_covered(struct naming *naming, const Elf64_Sym *symbol)
{
	uint64_t start = symbol->st_value + naming->bias;
	const uint64_t *addresses = naming->addresses;
	const char **names = naming->names;
	struct text name cleanup_text = {0};

	for (size_t i = lower_bound(addresses, naming->count, start);
		i < naming->count && naming->steps && addresses[i] - start < symbol->st_size; i++) {
		naming->steps--;
		if (names[i])
			continue;
		if (!name.length)
			symbol_table_name(naming->table, symbol->st_name, NAME_LIMIT, &name);
		if (!name.length)
			return;
		/* What lies within a variable is a field of it, or an element. */
		names[i] = addresses[i] == start
				   ? text_to_arena(&name, naming->arena)
				   : arena_printf(naming->arena, "%s+0x%llx", name.bytes,
					     (unsigned long long)(addresses[i] - start));
	}
}

static void name_in_module(const struct go_process *go, const struct go_module *module,
	const uint64_t *addresses, size_t count, const char **names)
{
	struct sections sections;
	struct symbol_table table;
	Elf64_Sym *symbols cleanup_free = allocate(CHUNK * sizeof(*symbols));
	size_t got;

	struct naming naming = {
		.table = &table,
		.bias = module->file->bias,
		.addresses = addresses,
		.count = count,
		.steps = count * STEPS_PER_ADDRESS,
		.names = names,
		.arena = go->arena,
	};
	sections_init(&sections, module->file->image);
	if (symbol_table_open(&table, &sections, SHT_SYMTAB)) {
		for (uint64_t at = 0; (got = symbol_table_read(&table, at, symbols, CHUNK)) > 0;
			at += got) {
			for (size_t i = 0; i < got; i++) {
				if (ELF64_ST_TYPE(symbols[i].st_info) == STT_OBJECT &&
					symbols[i].st_shndx != SHN_UNDEF && symbols[i].st_size)
					name_covered(&naming, &symbols[i]);
			}
		}
	}
	sections_deinit(&sections);
}

/* Whether one of the addresses is among the module's variables. */
static bool has_any(const struct go_module *module, const uint64_t *addresses, size_t count)
{
	const uint64_t ranges[][2] = {{module->data, module->edata}, {module->bss, module->ebss},
		{module->noptrbss, module->enoptrbss}, {module->noptrdata, module->enoptrdata}};

	for (size_t i = 0; i < array_length(ranges); i++) {
		size_t at = lower_bound(addresses, count, ranges[i][0]);

		if (at < count && addresses[at] < ranges[i][1])
			return true;
	}
	return false;
}

void go_variables_find(
	const struct go_process *go, const uint64_t *addresses, size_t count, const char **names)
{
	memset(names, 0, count * sizeof(*names));
	for (size_t i = 0; i < go->module_count; i++) {
		const struct go_module *module = &go->modules[i];

		if (module->file && module->file->image && has_any(module, addresses, count))
			name_in_module(go, module, addresses, count, names);
	}
}
