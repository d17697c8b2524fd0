// SPDX-License-Identifier: Apache-2.0
/*
 * Machine: what the unwinder knows of a processor's code where call frame information
 * says nothing. To add one: a file that fills in this struct, and its line in machine.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "elf/modules.h"
#include "model/memory.h"
#include "model/registers.h"

struct machine {
	uint16_t elf_machine;

	/* "rbp" for a DWARF number. A static string. */
	const char *(*register_name)(unsigned number);

	/* Whether the code at @pc is the one that ends a signal handler: rt_sigreturn's, and no
	 * more. */
	bool (*is_signal_return)(const struct memory *memory, uint64_t pc);

	/* The interrupted registers, from what the kernel put at @sp for that code; false:
	 * unreadable. */
	bool (*interrupted_registers)(
		const struct memory *memory, uint64_t sp, struct registers *registers);

	/* Whether the instruction before @address is a call. */
	bool (*follows_call)(const struct memory *memory, uint64_t address);

	/*
	 * Follows the code from pc to where it returns, and turns *registers into the caller's; a
	 * good guess. false: not found, and *registers are as they were. *budget is how many
	 * instructions may be looked at, and is reduced by those that were. NULL where it is not
	 * known how.
	 */
	bool (*follow_to_return)(const struct memory *memory, struct modules *modules,
		struct registers *registers, size_t *budget);

	/* Whether the code at @address ends its thread without more ado: what a thread begins and
	 * ends with. */
	bool (*ends_thread)(const struct memory *memory, uint64_t address);
};

/* The machine of that architecture; never NULL. */
const struct machine *machine_of(const struct arch *arch);

extern const struct machine machine_x86_64;
extern const struct machine machine_aarch64;
