// SPDX-License-Identifier: Apache-2.0
/* Function name: what DWARF calls a function, with its namespaces and classes. */
#pragma once

#include <elfutils/libdw.h>
#include <stddef.h>

#include "util/arena.h"

/*
 * The demangled linkage name of the function that the DIE is, or is an instance of; else its name
 * within its scopes; NULL where it has none. In @arena. *budget as in scopes_find().
 */
const char *function_name(Dwarf_Die *die, size_t *budget, struct arena *arena);
