// SPDX-License-Identifier: Apache-2.0
/*
 * Variables: what a program calls what stands in its memory. Whoever makes a reader of their names
 * embeds struct variable_names at the start of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A variable of static storage. Strings are raw, and live as long as the look. */
struct variable {
	const char *name;    /* demangled */
	const char *file;    /* "app.c": of one that only its source file sees; NULL: not known */
	const char *library; /* path of the shared library that has it; NULL: the program itself */
	uint64_t offset;     /* of the address in it */
};

struct variable_names {
	/* Whether a variable covers @address, and which. */
	bool (*find)(struct variable_names *names, uint64_t address, struct variable *variable);
};

/* As names->find(); NULL knows none. */
static inline bool variable_find(
	struct variable_names *names, uint64_t address, struct variable *variable)
{
	return names && names->find(names, address, variable);
}
