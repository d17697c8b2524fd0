// SPDX-License-Identifier: Apache-2.0
/*
 * x86-64 instructions: their length and operands, as far as it takes to follow code to its
 * return (Intel SDM, volume 2, chapter 2 and appendix A). It does not know what they compute.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X86_64_INSTRUCTION_MAX 15

enum x86_64_map {
	MAP_ONE_BYTE,
	MAP_0F,
	MAP_0F38,
	MAP_0F3A,
};

struct x86_64_instruction {
	uint8_t length;
	uint8_t map; /* enum x86_64_map */
	uint8_t opcode;
	bool is_vector;          /* VEX or EVEX */
	bool operand_size;       /* prefix 66 */
	bool has_rex, wide;      /* wide: REX.W */
	uint8_t opcode_register; /* the opcode's low bits with REX.B, where they name a register */
	uint8_t vector_register; /* VEX.vvvv */

	bool has_modrm, is_memory;
	uint8_t reg;   /* ModRM.reg with REX.R */
	uint8_t digit; /* ModRM.reg without */
	uint8_t rm;    /* ModRM.rm with REX.B: a register, unless is_memory */
	/* Of a memory operand: */
	bool has_base, has_index, is_pc_relative;
	bool other_address; /* prefixes fs, gs or 67: it is not the sum of its parts */
	uint8_t base;
	int32_t displacement;
	int64_t immediate; /* sign-extended, branch distances too */
};

/* Whether the first of @length bytes begin an instruction that is known; then *instruction. */
bool x86_64_decode(const uint8_t *code, size_t length, struct x86_64_instruction *instruction);
