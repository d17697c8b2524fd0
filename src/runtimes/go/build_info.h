// SPDX-License-Identifier: Apache-2.0
/* Build info: what the linker says of the Go that built a program (debug/buildinfo). */
#pragma once

#include "model/memory.h"
#include "util/arena.h"

#define GO_BUILD_INFO_SIZE 32 /* of its header */

/*
 * The version's name in the build info at @address of @memory, in @arena: "go1.22.1". NULL: none
 * stands there. Only what a name may have in it is let through.
 */
const char *go_build_version(const struct memory *memory, uint64_t address, struct arena *arena);

/* The same for the string whose header stands at @address: all of it must be a version's name. */
const char *go_string_version(const struct memory *memory, uint64_t address, struct arena *arena);
