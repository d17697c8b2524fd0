// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <stddef.h>
#include <string.h>

#include "unwind/machine.h"
#include "unwind/x86_64_decode.h"
#include "unwind/x86_64_follow.h"
#include "util/memory.h"

/*
 * From sp to r8 in what the kernel leaves for the trampoline (arch/x86/include/asm/sigframe.h,
 * struct rt_sigframe, its return address popped): of the ucontext flags, link and stack.
 */
#define R8_OFFSET 40

#define SYS_EXIT 60 /* arch/x86/entry/syscalls/syscall_64.tbl */

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

/* mov $60 (exit) to eax or al and syscall, with nothing but moves before: musl's and others'
 * clone(). */
static bool ends_thread(const struct memory *memory, uint64_t address)
{
	uint8_t code[32];
	size_t length = memory->read(memory, address, code, sizeof(code));
	struct x86_64_instruction instruction;
	bool is_exit = false;

	for (size_t at = 0, count = 0; at < length && count < 6;
		at += instruction.length, count++) {
		if (!x86_64_decode(code + at, length - at, &instruction))
			return false;
		bool one_byte = instruction.map == MAP_ONE_BYTE;
		if (one_byte && (instruction.opcode == 0xb8 || instruction.opcode == 0xb0))
			is_exit = instruction.immediate == SYS_EXIT;
		else if (instruction.map == MAP_0F && instruction.opcode == 0x05)
			return is_exit;
		else if (!one_byte || (instruction.opcode != 0x89 && instruction.opcode != 0x31 &&
					      instruction.opcode != 0x33))
			return false;
	}
	return false;
}

const struct machine machine_x86_64 = {
	.elf_machine = EM_X86_64,
	.register_name = register_name,
	.is_signal_return = is_signal_return,
	.interrupted_registers = interrupted_registers,
	.follows_call = x86_64_follows_call,
	.ends_thread = ends_thread,
	.follow_to_return = x86_64_follow_to_return,
};
