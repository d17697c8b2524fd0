// SPDX-License-Identifier: Apache-2.0
/* Variables: the names of what stands in the data of a process's modules. */
#pragma once

#include "elf/modules.h"
#include "model/process.h"

/*
 * A reader of the names, in the arena; it takes over @modules. A module's table is read when an
 * address in its data is first asked for, and kept with its image. To be given back with
 * variables_destroy().
 */
struct variable_names *variables_create(
	struct process *process, struct modules *modules, struct arena *arena);

/* What it said stays; NULL is allowed. */
void variables_destroy(struct variable_names *names);
