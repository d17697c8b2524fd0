// SPDX-License-Identifier: Apache-2.0
/*
 * Following x86-64 code to its return: for functions that have neither call frame
 * information nor a frame pointer, as musl's on Debian.
 *
 * From pc on, both ways at each branch, what moves rsp is done on paper, and what
 * brings back registers that a function must preserve, until a return is met: rsp
 * is where the return address lies then. It must be the address after a call, in executable
 * memory, and all returns that are met must agree. That is a good guess, no proof: a call that
 * never returns leads into code that never runs.
 */
#pragma once

#include "elf/modules.h"
#include "model/memory.h"
#include "model/registers.h"

/*
 * Whether the caller's registers were found: *registers, pc and sp included; others than the
 * preserved ones are unknown. Left alone otherwise. As many instructions as were looked at, at
 * most *budget, are taken off *budget.
 */
bool x86_64_follow_to_return(const struct memory *memory, struct modules *modules,
	struct registers *registers, size_t *budget);

/* Whether the instruction before @address is a call. */
bool x86_64_follows_call(const struct memory *memory, uint64_t address);
