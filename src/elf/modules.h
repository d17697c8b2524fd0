// SPDX-License-Identifier: Apache-2.0
/*
 * Modules: which image stands where in a process's address space.
 */
#pragma once

#include "elf/image.h"
#include "model/process.h"
#include "util/arena.h"

struct images; /* every image opened so far, by device and inode */
struct images *images_create(struct arena *arena);
void images_destroy(struct images *images);

struct module {
	struct image *image;
	const char *path;    /* as this process has it mapped, raw; "[vdso]" */
	uint64_t bias;       /* address in the process = address in the file + bias (modulo 2^64) */
	uint64_t start, end; /* from its lowest mapping to the end of its highest */
};

/* The modules of one process; images are opened when an address of theirs is first asked for. */
struct modules;
struct modules *modules_create(struct images *images, struct process *process, struct arena *arena);
void modules_destroy(struct modules *modules);

/*
 * The module that holds @address in executable memory, or NULL: no file is mapped there (JIT code),
 * it is not executable, or the file could not be opened, which is a gap of the process then.
 */
const struct module *modules_find(struct modules *modules, uint64_t address);

/*
 * The next module that was opened so far, or NULL; each maybe several times. *index is 0 at first.
 */
const struct module *modules_next_opened(const struct modules *modules, size_t *index);

/* The mapping that holds @address, or NULL; quicker than mappings_find() for neighbours. */
const struct mapping *modules_mapping(struct modules *modules, uint64_t address);

/* What a language's runtime knows of the process's code; NULL: nothing. */
const struct code *modules_code(const struct modules *modules);

/* The process's root directory, owned by @modules. */
struct root *modules_root(struct modules *modules);
