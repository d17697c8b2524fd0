// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <stddef.h>
#include <string.h>

#include "unwind/machine.h"
#include "util/memory.h"

/*
 * From sp to r8 in what the kernel leaves for the trampoline (arch/x86/include/asm/sigframe.h,
 * struct rt_sigframe, its return address popped): of the ucontext flags, link and stack.
 */
#define R8_OFFSET 40

static const char *register_name(unsigned number)
{
	static const char *const names[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
	        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip"};

	return number < array_length(names) ? names[number] : "another register";
}

/* mov $15 (rt_sigreturn's number) to eax or rax; syscall. */
static const uint8_t short_return[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
static const uint8_t long_return[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};

static bool has_code(
        const struct memory *memory, uint64_t address, const uint8_t *code, size_t length)
{
	uint8_t found[sizeof(long_return)];

	return memory_read(memory, address, found, length) && memcmp(found, code, length) == 0;
}

static bool is_signal_return(const struct memory *memory, uint64_t pc)
{
	/* At its start, or, where a thread was stopped within it, at its syscall. */
	return has_code(memory, pc, long_return, sizeof(long_return)) ||
	       has_code(memory, pc, short_return, sizeof(short_return)) ||
	       has_code(memory, pc - 7, long_return, sizeof(long_return)) ||
	       has_code(memory, pc - 5, short_return, sizeof(short_return));
}

static bool interrupted_registers(
        const struct memory *memory, uint64_t sp, struct registers *registers)
{
	/* struct sigcontext's order, arch/x86/include/uapi/asm/sigcontext.h, in DWARF numbers. */
	static const uint8_t order[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
	uint64_t values[array_length(order)];

	if (!memory_read(memory, sp + R8_OFFSET, values, sizeof(values)))
		return false;
	registers->known = 0;
	for (size_t i = 0; i < array_length(order); i++)
		register_set(registers, order[i], values[i]);
	return true;
}

/*
 * The call's encodings (Intel SDM, volume 2, CALL): e8 with four bytes; ff /2 with a register
 * or memory operand, whose length its ModRM byte tells.
 */
static bool follows_call(const struct memory *memory, uint64_t address)
{
	uint8_t code[7]; /* the longest without prefixes: ff, ModRM, SIB, four bytes */

	if (address < sizeof(code) ||
	        !memory_read(memory, address - sizeof(code), code, sizeof(code)))
		return false;
	if (code[2] == 0xe8)
		return true;
	for (size_t length = 2; length <= sizeof(code); length++) {
		const uint8_t *call = code + sizeof(code) - length;
		uint8_t mode = call[1] >> 6, operand = call[1] & 7;
		bool has_sib = mode != 3 && operand == 4;
		size_t wanted = 2 + has_sib;

		if (call[0] != 0xff || (call[1] >> 3 & 7) != 2)
			continue;
		if (mode == 1)
			wanted += 1;
		else if (mode == 2 || (mode == 0 && operand == 5) ||
		         (mode == 0 && has_sib && length > 2 && (call[2] & 7) == 5))
			wanted += 4;
		if (wanted == length)
			return true;
	}
	return false;
}

const struct machine machine_x86_64 = {
        .elf_machine = EM_X86_64,
        .register_name = register_name,
        .is_signal_return = is_signal_return,
        .interrupted_registers = interrupted_registers,
        .follows_call = follows_call,
};
