// SPDX-License-Identifier: Apache-2.0
/*
 * CFI program: the instructions of one frame description entry (DWARF 5, section 6.4.2),
 * executed up to an address. Bytes in, rules out; where the entry lies is cfi_section's affair.
 *
 * It is not libdw that executes them: with elfutils 0.188 rbx counts as lost wherever x86-64 CFI
 * says nothing of it (backends/x86_64_cfi.c gives register 0 that part),
 * DW_CFA_AARCH64_negate_ra_state is taken for SPARC's window save, a hostile register number makes
 * it fill 2 GB of memory, and it reads past the end of cut-off sections. A test compares every row
 * with libdw's.
 */
#pragma once

#include "unwind/cfi.h"
#include "unwind/reader.h"

/* A frame description entry with its common information entry. */
struct cfi_entry {
	uint64_t start, end; /* addresses of the file */
	uint64_t code_alignment;
	int64_t data_alignment;
	uint64_t return_address; /* a register */
	bool signal_frame;
	bool sized_augmentation; /* "z": its own augmentation data come with their length */
	uint8_t pointer_encoding;
	struct reader initial, instructions;
	struct pointer_bases bases;
};

/* The state of the registers at an address. */
struct cfi_state {
	struct cfi_rule cfa;
	struct cfi_rule rules[REGISTERS_MAX];
};

/*
 * The rules for @address, which the entry covers, in *state, and the end of the range they hold for
 * in *end. false: the instructions are malformed.
 */
bool cfi_execute(const struct cfi_entry *entry, const struct arch *arch, uint64_t address,
	struct cfi_state *state, uint64_t *end);
