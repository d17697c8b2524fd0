// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <stddef.h>

#include "unwind/machine.h"
#include "util/memory.h"

#define MOV_X8_139 0xd2801168u /* rt_sigreturn's number: include/uapi/asm-generic/unistd.h */
#define MOV_W8_93 0x52800ba8u
#define SVC_0 0xd4000001u

/*
 * From sp to x0 in the kernel's frame (arch/arm64/kernel/signal.c, struct rt_sigframe): siginfo of
 * 128 bytes; of the ucontext flags, link, stack and 128 bytes of signal mask, padded to 16; of the
 * sigcontext the fault's address.
 */
#define X0_OFFSET (128 + 176 + 8)
#define CONTEXT_REGISTERS 33 /* x0 to x30, sp, pc: in the order of their DWARF numbers */

static const char *register_name(unsigned number)
{
	static const char *const names[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
		"x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20",
		"x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp", "pc"};

	return number < array_length(names) ? names[number] : "another register";
}

static bool is_signal_return(const struct memory *memory, uint64_t pc)
{
	uint32_t code[2];

	if (!memory_read(memory, pc, code, sizeof(code)))
		return false;
	if (code[0] == MOV_X8_139 && code[1] == SVC_0)
		return true;
	return memory_read(memory, pc - 4, code, sizeof(code)) && code[0] == MOV_X8_139 &&
	       code[1] == SVC_0;
}

static bool interrupted_registers(
	const struct memory *memory, uint64_t sp, struct registers *registers)
{
	uint64_t values[CONTEXT_REGISTERS];

	if (!memory_read(memory, sp + X0_OFFSET, values, sizeof(values)))
		return false;
	registers->known = 0;
	for (unsigned i = 0; i < CONTEXT_REGISTERS; i++)
		register_set(registers, i, values[i]);
	return true;
}

/* bl, and blr with its authenticating forms: Arm ARM, C4.1, "Branches". */
static bool follows_call(const struct memory *memory, uint64_t address)
{
	uint32_t code;

	return memory_read(memory, address - 4, &code, sizeof(code)) &&
	       ((code & 0xfc000000u) == 0x94000000u || (code & 0xfefff000u) == 0xd63f0000u);
}

/* mov w8 or x8, #93 (exit); svc #0, among the first instructions. */
static bool ends_thread(const struct memory *memory, uint64_t address)
{
	uint32_t code[4];

	if (!memory_read(memory, address, code, sizeof(code)))
		return false;
	for (size_t i = 0; i + 1 < array_length(code); i++) {
		if ((code[i] & 0x7fffffffu) == MOV_W8_93 && code[i + 1] == SVC_0)
			return true;
	}
	return false;
}

const struct machine machine_aarch64 = {
	.elf_machine = EM_AARCH64,
	.register_name = register_name,
	.is_signal_return = is_signal_return,
	.interrupted_registers = interrupted_registers,
	.follows_call = follows_call,
	.ends_thread = ends_thread,
};
