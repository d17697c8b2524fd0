// SPDX-License-Identifier: Apache-2.0
/*
 * Architecture: what differs between processors.
 *
 * To add one: a file that fills in this struct, its line in arch/arch.c, and its
 * row in the Makefile's list of syscall tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/registers.h"
#include "model/syscall.h"

struct arch {
	const char *name;     /* "x86_64" */
	uint16_t elf_machine; /* EM_X86_64 */
	unsigned register_count;
	unsigned sp, fp, pc;     /* DWARF numbers; pc is our own where DWARF has none */
	unsigned return_address; /* the column that CFI puts the return address in */
	uint64_t preserved; /* registers that a callee must preserve, sp left out: bit n for number
			       n */
	uint64_t code_mask; /* takes pointer authentication bits off a return address; all ones:
			       none */

	unsigned red_zone;         /* bytes below sp that belong to the running function */
	unsigned restart_distance; /* how far a stop moves pc back in a syscall that will be
				      restarted */

	/*
	 * Registers and the syscall from what PTRACE_GETREGSET(NT_PRSTATUS) gave. `entry` is in a
	 * syscall where the stop interrupted one that will be restarted; its number is also that of
	 * a syscall that is just over (-1: none). It is not known where the set does not tell.
	 * false where @size or the code segment is not this architecture's (32-bit code).
	 */
	bool (*decode_prstatus)(const void *regset, size_t size, struct registers *registers,
		struct syscall_entry *entry);

	size_t regset_size; /* of that set, in bytes */

	/* Names by number; `syscall_limit` is one past the highest. Generated at build time. */
	const char *const *syscall_names;
	long syscall_limit;
};

extern const struct arch arch_x86_64;
extern const struct arch arch_aarch64;

/* The architecture that this program was built for. */
extern const struct arch *const arch_native;
