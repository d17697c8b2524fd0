// SPDX-License-Identifier: Apache-2.0
/*
 * Registers of a thread in user mode, by their DWARF numbers (x86-64 psABI, figure
 * 3.36; AAPCS64 DWARF, table 1). Which are sp and pc, `struct arch` tells.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REGISTERS_MAX 33 /* x86-64: 0 to 15 and rip as 16; aarch64: x0 to x30, sp 31, pc 32 */

struct registers {
	uint64_t value[REGISTERS_MAX];
	uint64_t known; /* bit n: value[n] is known */
};

static inline bool register_known(const struct registers *registers, unsigned number)
{
	return number < REGISTERS_MAX && (registers->known >> number & 1);
}

static inline void register_set(struct registers *registers, unsigned number, uint64_t value)
{
	registers->value[number] = value;
	registers->known |= UINT64_C(1) << number;
}
