// SPDX-License-Identifier: Apache-2.0
/*
 * Code places: what is known of the code addresses of one process, so that a return address that
 * stands on 5,000 stacks is sought once among its mappings and in its module's CFI.
 */
#pragma once

#include <stdbool.h>

#include "arch/arch.h"
#include "elf/modules.h"
#include "model/stack.h"
#include "unwind/cfi.h"

struct code_place {
	struct code_address address;
	bool is_executable; /* it lies in executable memory */
	bool sought;        /* what follows is known; by the functions below */
	const struct module *module;
	const struct cfi_row *row;
	struct code_place *next; /* the place that came last after this one; NULL: none yet */
};

struct code_places;
struct code_places *code_places_create(const struct arch *arch, struct modules *modules);
void code_places_destroy(struct code_places *places);

/*
 * The place of @address, owned by @places; never NULL. @before is the place of the frame that was
 * called from there, or NULL: what called it the last time is tried first.
 */
struct code_place *code_places_find(
	struct code_places *places, struct code_place *before, struct code_address address);

/* The module of the instruction, and its row: NULL where there is none, as by cfi_find(). */
const struct module *code_place_module(struct code_places *places, struct code_place *place);
const struct cfi_row *code_place_row(struct code_places *places, struct code_place *place);
