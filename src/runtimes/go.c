// SPDX-License-Identifier: Apache-2.0
/*
 * Go: each thread has a stack of its own, g0's, for the scheduler, which goroutines switch to. Go's
 * DWARF describes the switching functions as if they were called on g0's stack. What
 * is outermost there, src/runtime/traceback.go, topofstack() tells (Go 1.16 to 1.20; since
 * 1.21 the flag TOPFRAME of the same functions, src/runtime/asm_amd64.s).
 */
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "runtimes/go/astray.h"
#include "runtimes/go/build_info.h"
#include "runtimes/go/globals.h"
#include "runtimes/go/go.h"
#include "runtimes/go/goroutines.h"
#include "runtimes/go/module.h"
#include "runtimes/go/places.h"
#include "runtimes/go/step.h"
#include "runtimes/runtimes.h"
#include "util/memory.h"
#include "util/text.h"

static const struct {
	const char *symbol; /* without its ".abi0" */
	enum runtime_verdict verdict;
} functions[] = {
	{"runtime.goexit", RUNTIME_OUTERMOST},
	{"runtime.mcall", RUNTIME_OUTERMOST},
	{"runtime.morestack", RUNTIME_OUTERMOST},
	{"runtime.mstart", RUNTIME_OUTERMOST},
	{"runtime.rt0_go", RUNTIME_OUTERMOST},
	{"runtime.asmcgocall", RUNTIME_SWITCHES_STACK},
	{"runtime.systemstack", RUNTIME_SWITCHES_STACK},
};

static enum runtime_verdict judge(const char *symbol)
{
	if (strncmp(symbol, "runtime.", strlen("runtime.")) != 0)
		return RUNTIME_GO_ON;
	for (size_t i = 0; i < array_length(functions); i++) {
		size_t length = strlen(functions[i].symbol);

		if (strncmp(symbol, functions[i].symbol, length) == 0 &&
			(!symbol[length] || strcmp(symbol + length, ".abi0") == 0))
			return functions[i].verdict;
	}
	return RUNTIME_GO_ON;
}

/* The module of the program itself. */
static const struct module *program(const struct process *process, struct modules *modules)
{
	const struct mappings *mappings = &process->mappings;

	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->items[i];

		/* Where its path is not known it is the one that is mapped lowest. */
		if (mapping->inode && mapping->executable &&
			(!process->exe ||
				strncmp(process->exe, mapping->path, strlen(mapping->path)) == 0))
			return modules_find(modules, mapping->start);
	}
	return NULL;
}

/* src/cmd/link/internal/ld/elf.go: ELF_NOTE_GO_NAME, ELF_NOTE_GOBUILDID_TAG. */
#define NOTE_NAME "Go\0"
#define NOTE_BUILD_ID 4

/* The first opened library that is Go's, by its linker's note, and its version; NULL: none is. */
static const struct module *find_library(const struct process *process,
	const struct modules *modules, struct arena *arena, const char **version)
{
	const struct module *module;

	for (size_t index = 0; (module = modules_next_opened(modules, &index));) {
		if (!image_has_note(module->image, NOTE_NAME, sizeof(NOTE_NAME), NOTE_BUILD_ID))
			continue;
		*version = go_module_version(module, process->memory, &process->mappings, arena);
		if (*version)
			return module;
	}
	return NULL;
}

static void add_gap(struct go_process *go, const char *what)
{
	gaps_add(&go->process->gaps, go->arena, STAGE_GOROUTINE, "%s (%s)", what, go->version);
}

/* The modules that the first one leads to: plugins. */
static void find_modules(struct go_process *go, struct modules *modules, uint64_t next)
{
	struct go_module *module = &go->modules[go->module_count];

	while (next && go->module_count < GO_MODULES_MAX &&
		go_module_read(&go->tables.memory, go->layout, next, module, &next)) {
		module->file = modules_find(modules, module->table.text);
		module->table.budget = &go->string_budget;
		module = &go->modules[++go->module_count];
	}
}

static bool find_tables(struct go_process *go, struct modules *modules, const struct module *file)
{
	struct go_module *module = &go->modules[0];
	unsigned minor;
	uint64_t next;

	if (!go_version_minor(go->version, &minor))
		return false;
	go->layout = go_layout_find(minor, &go->uncertain);
	if (!go->layout) {
		add_gap(go, "goroutines are known of Go 1.16 and later only");
		return false;
	}
	if (!go_module_find(file, go->memory, &go->process->mappings, go->layout, module)) {
		add_gap(go, "Go's tables were not found in the process's memory");
		return false;
	}
	if (!go_module_read(&go->tables.memory, go->layout, module->address, module, &next))
		return false;
	module->file = file;
	module->table.budget = &go->string_budget;
	go->module_count = 1;
	find_modules(go, modules, next);
	return true;
}

/* Whether the main goroutine, one of the first, began with the runtime's main function. */
static bool has_main_goroutine(struct go_process *go)
{
	enum { FIRST = 16 };
	const struct go_layout *layout = go->layout;
	uint64_t pointers[FIRST], words[2];
	size_t count = go->allgs_count < FIRST ? go->allgs_count : FIRST;

	if (!memory_read(go->memory, go->allgs, pointers, count * sizeof(*pointers)))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!memory_read(go->memory, pointers[i] + layout->g.goid, &words[0], 8) ||
			!memory_read(go->memory, pointers[i] + layout->g.startpc, &words[1], 8) ||
			words[0] != 1)
			continue;
		const struct go_place *place = go_place_find(
			go, NULL, (struct code_address){.value = words[1], .is_return = false});
		return place->module && strcmp(place->function.name, "runtime.main") == 0;
	}
	return false;
}

/* Whether what each thread runs says that it is run by that thread. */
static bool threads_agree(const struct go_process *go)
{
	uint64_t machine;

	for (size_t i = 0; i < go->machine_count; i++) {
		uint64_t curg = go->machines[i].curg;

		if (curg && (!memory_read(go->memory, curg + go->layout->g.m, &machine, 8) ||
				    (machine && machine != go->machines[i].address)))
			return false;
	}
	return go->machine_count;
}

static void end(struct code *code)
{
	struct go_process *go = (struct go_process *)code;

	go_places_deinit(go);
	cached_memory_deinit(&go->tables);
	free(go);
}

static struct code *begin_in(struct process *process, struct modules *modules,
	const struct module *file, const char *version, struct arena *arena)
{
	if (!version || file->image->machine != arch_native->elf_machine)
		return NULL;
	process->runtime = version;
	struct go_process *go = allocate_zeroed(1, sizeof(*go));
	go->code = (struct code){.step = go_code_step, .name = go_code_name};
	go->process = process;
	go->memory = process->memory;
	go->arena = arena;
	go->version = version;
	go->uses_link_register = arch_native->return_address != arch_native->pc;
	go->string_budget = GO_STRINGS_MAX;
	cached_memory_init(&go->tables, process->memory);
	if (!find_tables(go, modules, file)) {
		end(&go->code);
		return NULL;
	}
	go_globals_find(go);
	if (go->uncertain && (!has_main_goroutine(go) || !threads_agree(go))) {
		add_gap(go, "this version of Go is newer than what is known of its runtime");
		end(&go->code);
		return NULL;
	}
	return &go->code;
}

static struct code *begin(struct process *process, struct modules *modules, struct arena *arena)
{
	if (!process->memory || process->is_32_bit)
		return NULL;
	const struct module *file = program(process, modules);
	const char *version =
		file ? go_module_version(file, process->memory, &process->mappings, arena) : NULL;
	return begin_in(process, modules, file, version, arena);
}

static struct code *begin_in_library(
	struct process *process, struct modules *modules, struct arena *arena)
{
	const char *version = NULL;

	if (!process->memory || process->is_32_bit)
		return NULL;
	const struct module *file = find_library(process, modules, arena, &version);
	return begin_in(process, modules, file, version, arena);
}

static void list_tasks(struct code *code, size_t max_frames)
{
	struct go_process *go = (struct go_process *)code;

	if (!go->allgs)
		add_gap(go, "the runtime's list of goroutines was not found");
	else
		go_goroutines_find(go, max_frames);
}

static bool astray(struct code *code, struct thread **threads, size_t max, size_t *count)
{
	struct go_process *go = (struct go_process *)code;

	*count = go_astray_threads(go, threads, max);
	return go->astray_count;
}

static void join_again(struct code *code)
{
	go_astray_join((struct go_process *)code);
}

const struct runtime runtime_go = {
	.name = "go",
	.begin = begin,
	.begin_in_library = begin_in_library,
	.list_tasks = list_tasks,
	.astray = astray,
	.join_again = join_again,
	.end = end,
	.judge = judge,
	.elsewhere = "it goes on on its goroutine's stack",
};
