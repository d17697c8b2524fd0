// SPDX-License-Identifier: Apache-2.0
/*
 * Module data: where the linker put a Go module's code, variables and tables. Found without
 * symbols: the table of functions by its header, and the runtime's struct moduledata
 * (src/runtime/symtab.go) by its pointer to that, in the process's memory, since a file of a
 * position-independent program has it not yet relocated.
 */
#pragma once

#include "elf/modules.h"
#include "model/memory.h"
#include "model/process.h"
#include "runtimes/go/layout.h"
#include "runtimes/go/pclntab.h"

#define GO_MODULES_MAX 64 /* plugins, mostly none */

struct go_module {
	struct go_pclntab table;
	const struct module *file; /* that it is in; NULL: not known */
	uint64_t address;          /* of its moduledata */
	uint64_t bss, ebss, noptrbss, enoptrbss, data, edata, noptrdata, enoptrdata;
	uint64_t types, etypes;
};

/*
 * The Go version that built the module, in @arena; NULL: it is no Go program. No more than its
 * section headers is read of what is none.
 */
const char *go_module_version(const struct module *module, const struct memory *memory,
	const struct mappings *mappings, struct arena *arena);

/* Finds the module's data; false: it is not to be had, or not of this layout. */
bool go_module_find(const struct module *module, const struct memory *memory,
	const struct mappings *mappings, const struct go_layout *layout, struct go_module *found);

/*
 * Reads the module data at @address; its pointers to the table and to itself must hold. The table
 * reads through @memory. *next is the next module's, 0: none.
 */
bool go_module_read(const struct memory *memory, const struct go_layout *layout, uint64_t address,
	struct go_module *module, uint64_t *next);
