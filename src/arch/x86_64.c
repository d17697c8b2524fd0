// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <string.h>

#include "arch/arch.h"
#include "util/memory.h"

static const char *const syscall_names[] = {
#include "syscalls_x86_64.inc"
};

/* The order of struct user_regs_struct, arch/x86/include/asm/user_64.h. */
enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	FS_BASE,
	GS_BASE,
	DS,
	ES,
	FS,
	GS,
	REGSET_COUNT
};

/* Where each DWARF number stands in it: x86-64 psABI, figure 3.36. */
static const uint8_t position[] = {
	RAX,
	RDX,
	RCX,
	RBX,
	RSI,
	RDI,
	RBP,
	RSP,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	RIP,
};

/* arch/x86/include/asm/segment.h, __USER32_CS. */
#define USER32_CS 0x23

/*
 * What a syscall that a stop interrupted returns while it is going to be restarted without the
 * program's notice, include/linux/errno.h: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and
 * ERESTART_RESTARTBLOCK. The registers are put back only after the stop (arch/x86/kernel/signal.c,
 * arch_do_signal_or_restart()), so pc is still past the syscall instruction.
 */
static bool will_restart(int64_t result)
{
	return result == -512 || result == -513 || result == -514 || result == -516;
}

static bool decode_prstatus(
	const void *regset, size_t size, struct registers *registers, struct syscall_entry *entry)
{
	static const uint8_t arguments[SYSCALL_ARGUMENTS] = {RDI, RSI, RDX, R10, R8, R9};
	uint64_t raw[REGSET_COUNT];

	*registers = (struct registers){0};
	*entry = (struct syscall_entry){0};
	if (size != sizeof(raw))
		return false;
	memcpy(raw, regset, sizeof(raw));
	if (raw[CS] == USER32_CS)
		return false;
	for (unsigned i = 0; i < array_length(position); i++)
		register_set(registers, i, raw[position[i]]);

	/* An interrupt or a fault leaves -1 here, a syscall that is over the number it had. */
	entry->number = (long)raw[ORIG_RAX];
	entry->known = true;
	entry->in_syscall = entry->number >= 0 && will_restart((int64_t)raw[RAX]);
	for (unsigned i = 0; i < SYSCALL_ARGUMENTS; i++)
		entry->arguments[i] = raw[arguments[i]];
	return true;
}

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.register_count = array_length(position),
	.sp = 7,
	.fp = 6,
	.pc = 16,
	.return_address = 16,
	.preserved = 1 << 3 | 1 << 6 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15,
	.code_mask = UINT64_MAX,
	.red_zone = 128,
	.decode_prstatus = decode_prstatus,
	.regset_size = REGSET_COUNT * sizeof(uint64_t),
	.syscall_names = syscall_names,
	.syscall_limit = array_length(syscall_names),
};
