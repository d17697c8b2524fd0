// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <string.h>

#include "arch/arch.h"
#include "util/memory.h"

static const char *const syscall_names[] = {
#include "syscalls_aarch64.inc"
};

/* struct user_pt_regs, arch/arm64/include/uapi/asm/ptrace.h: x0 to x30, sp, pc, pstate. */
enum { SP = 31, PC = 32, PSTATE = 33, REGSET_COUNT = 34 };

/*
 * The regset does not tell whether there is a syscall: the kernel forgets its number and puts
 * x0 back before the stop, with pc on the svc instruction again (arch/arm64/kernel/signal.c,
 * do_signal()). The entry stays unknown; /proc/PID/syscall tells.
 */
static bool decode_prstatus(
	const void *regset, size_t size, struct registers *registers, struct syscall_entry *entry)
{
	uint64_t raw[REGSET_COUNT];

	*registers = (struct registers){0};
	*entry = (struct syscall_entry){0};
	if (size != sizeof(raw))
		return false;
	memcpy(raw, regset, sizeof(raw));
	for (unsigned i = 0; i <= PC; i++)
		register_set(registers, i, raw[i]);
	return true;
}

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.elf_machine = EM_AARCH64,
	.register_count = PC + 1,
	.sp = SP,
	.fp = 29,
	.pc = PC,
	.return_address = 30,
	/* x19 to x28 and the frame pointer x29: AAPCS64, 6.1.1. */
	.preserved = UINT64_C(0x7ff) << 19,
	/* Pointer authentication uses the bits above those of a user address, 48 for code. */
	.code_mask = (UINT64_C(1) << 48) - 1,
	.restart_distance = 4,
	.decode_prstatus = decode_prstatus,
	.regset_size = REGSET_COUNT * sizeof(uint64_t),
	.syscall_names = syscall_names,
	.syscall_limit = array_length(syscall_names),
};
