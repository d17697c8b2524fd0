// SPDX-License-Identifier: Apache-2.0
/*
 * Expression: a DWARF expression as call frame information uses it (DWARF 5, sections 2.5
 * and 6.4.2), evaluated over registers and memory with bounds on steps and stack.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"
#include "model/registers.h"

enum expression_result {
	EXPRESSION_DONE,
	EXPRESSION_INVALID,          /* malformed, or an operation that CFI may not use */
	EXPRESSION_UNREADABLE,       /* memory that it dereferences can't be read */
	EXPRESSION_UNKNOWN_REGISTER, /* it needs a register whose value is not known */
};

struct expression_context {
	const struct registers *registers;
	const struct memory *memory;
	uint64_t bias; /* added to addresses of the file (DW_OP_addr) */
	const uint64_t
		*pushed; /* what the stack begins with: the CFA, in rules of registers; or NULL */
	unsigned missing_register; /* set with EXPRESSION_UNKNOWN_REGISTER */
};

/* Evaluates the expression of @length bytes; *value becomes the top of the stack. */
enum expression_result expression_evaluate(struct expression_context *context,
	const uint8_t *expression, size_t length, uint64_t *value);
