// SPDX-License-Identifier: Apache-2.0
/*
 * Go in one process: what all parts of this folder share.
 *
 * First the modules are found and their tables (module.h), then the runtime's variables
 * (globals.h): the goroutines, allgs, and the threads, allm. Threads' stacks are unwound and named
 * through places.h and step.h, which the unwinder and the symbolizer reach by model/code.h. Last
 * the goroutines are read in batches (goroutines.h) and joined with the threads that run them
 * (threads.h).
 */
#pragma once

#include "elf/modules.h"
#include "model/code.h"
#include "model/process.h"
#include "runtimes/go/cached_memory.h"
#include "runtimes/go/layout.h"
#include "runtimes/go/module.h"
#include "util/address_table.h"
#include "util/arena.h"

struct go_place;

/* A target can make more of these than any program has. */
#define GO_STRINGS_MAX (64u << 20)   /* bytes of names */
#define GO_PLACES_MAX (1u << 20)     /* code addresses */
#define GO_ASTRAY_MAX 64             /* goroutines that are looked for on their threads again */
#define GO_ADDRESSES_MAX (16u << 20) /* of all different stacks together */

/* A thread as the runtime knows it: struct m. */
struct go_machine {
	uint64_t address;                      /* of its m */
	uint64_t g0;                           /* the goroutine of its scheduler's stack */
	uint64_t g0_low, g0_high, g0_saved_sp; /* that stack, and g0.sched.sp */
	uint64_t curg;                         /* the goroutine that it runs; 0: none */
	uint64_t curg_low, curg_high;          /* its stack */
	uint64_t curg_sp, curg_pc;             /* its sched: where it goes on */
	uint64_t lockedg;
	uint64_t vdso_sp, vdso_pc;
	uint64_t procid; /* thread id in the innermost pid namespace of the process */
};

/* A goroutine that runs, or moved whenever it was looked at, so that it has no stack. */
struct go_astray {
	uint64_t address, id;
};

struct go_process {
	struct code code;
	struct process *process;
	const struct memory *memory; /* of the process, as it is now */
	struct arena *arena;
	const char *version; /* "go1.22.1" */
	const struct go_layout *layout;
	bool uncertain;          /* the layout is that of another version */
	bool uses_link_register; /* a call leaves its return address in a register, as on aarch64 */

	size_t string_budget;        /* bytes that names may take yet */
	struct cached_memory tables; /* what module's tables are read through */
	struct go_module modules[GO_MODULES_MAX];
	size_t module_count;

	/* By places.c: what is known of code addresses. */
	struct address_table place_table;
	struct go_place **places; /* by their number in the table */
	size_t place_capacity;
	struct go_place *last_place;

	/* By globals.c. */
	uint64_t allgs;              /* the array of pointers to goroutines; 0: not found */
	uint64_t allgs_count;        /* its length when it was found */
	uint64_t allgs_slice;        /* where pointer and length of it stand */
	struct go_machine *machines; /* in the arena, by rising g0_high */
	size_t machine_count;

	/* By goroutines.c. */
	struct go_astray astray[GO_ASTRAY_MAX];
	size_t astray_count;
};
