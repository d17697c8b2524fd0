// SPDX-License-Identifier: Apache-2.0
/*
 * CFI: call frame information (DWARF 5, section 6.4), from .eh_frame or .debug_frame.
 * Its rules are compiled into rows, kept by address in the image, so that the same address in
 * 5,000 threads is looked up once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "elf/image.h"
#include "model/memory.h"
#include "model/registers.h"

/* Where a register of the caller, or the CFA itself, is to be had from. */
enum cfi_rule_kind {
	CFI_UNSPECIFIED,   /* CFI says nothing of it */
	CFI_UNDEFINED,     /* nowhere: its value is lost */
	CFI_SAME,          /* unchanged */
	CFI_AT_CFA,        /* in memory at CFA + offset */
	CFI_CFA,           /* it is CFA + offset */
	CFI_REGISTER,      /* it is that register + offset */
	CFI_AT_EXPRESSION, /* in memory at the expression's value */
	CFI_EXPRESSION,    /* it is the expression's value */
};

struct cfi_rule {
	uint8_t kind;    /* enum cfi_rule_kind */
	uint8_t target;  /* the caller's register; of no meaning in the rule of the CFA */
	uint8_t source;  /* CFI_REGISTER */
	uint32_t length; /* of the expression, in bytes */
	union {
		int64_t offset;
		const uint8_t *expression; /* in the image's section */
	};
};

struct cfi_row {
	struct cfi_rule cfa; /* CFI_REGISTER or CFI_EXPRESSION */
	uint64_t lost; /* registers that the callee may have overwritten: bit n for number n */
	uint8_t return_address; /* the register that holds it in the caller's set */
	bool outermost;         /* the return address is undefined: there is no caller */
	bool signal_frame;      /* augmentation "S": the caller was interrupted, not in a call */
	bool ends_here;         /* it does not cover the byte after the address it was found for */
	uint8_t rule_count;
	struct cfi_rule rules[]; /* of registers that are neither lost nor as they were */
};

/*
 * The row for the instruction at @address of the file, owned by the image; NULL where nothing
 * covers it. @root is where the target's separate debug files are sought, if .eh_frame says
 * nothing: a directory descriptor or -1.
 */
const struct cfi_row *cfi_find(
	struct image *image, const struct arch *arch, struct root *root, uint64_t address);

enum cfi_outcome {
	CFI_STEPPED,
	CFI_OUTERMOST,        /* the return address is undefined: there is no caller */
	CFI_INVALID,          /* the row makes no sense */
	CFI_UNREADABLE,       /* memory that it needs can't be read */
	CFI_UNKNOWN_REGISTER, /* it needs a register whose value is not known */
};

/* What a row is applied to, and what came of it. */
struct cfi_step {
	const struct arch *arch;
	const struct memory *memory;
	uint64_t bias;             /* of the module: for addresses within expressions */
	uint64_t cfa;              /* out */
	uint64_t missing_address;  /* out, with CFI_UNREADABLE; 0: within an expression */
	unsigned missing_register; /* out, with CFI_UNKNOWN_REGISTER */
};

/*
 * Turns @registers of a frame into its caller's, pc and sp included, and those the callee may have
 * overwritten unknown. Left as they were unless CFI_STEPPED comes back.
 */
enum cfi_outcome cfi_apply(
	const struct cfi_row *row, struct cfi_step *step, struct registers *registers);
