// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"

/* struct user_regs_struct of x86-64 by position; see ptrace(2) and sys/user.h. */
enum { RBX = 5, RAX = 10, RDI = 14, ORIG_RAX = 15, RIP = 16, CS = 17, RSP = 19, COUNT = 27 };

static void x86_64_registers(void **state)
{
	uint64_t raw[COUNT] = {[RBX] = 3,
		[RIP] = 0x401000,
		[RSP] = 0x7ffe0000,
		[CS] = 0x33,
		[ORIG_RAX] = UINT64_MAX,
		[RAX] = 7};
	struct registers registers;
	struct syscall_entry entry;

	(void)state;
	assert_true(arch_x86_64.decode_prstatus(raw, sizeof(raw), &registers, &entry));
	assert_int_equal(registers.value[arch_x86_64.pc], 0x401000);
	assert_int_equal(registers.value[arch_x86_64.sp], 0x7ffe0000);
	assert_int_equal(registers.value[3], 3);
	assert_int_equal(registers.known, (1 << 17) - 1);
	assert_true(entry.known && !entry.in_syscall);
}

static struct syscall_entry x86_64_entry(int64_t number, int64_t result)
{
	uint64_t raw[COUNT] = {
		[CS] = 0x33, [ORIG_RAX] = (uint64_t)number, [RAX] = (uint64_t)result, [RDI] = 9};
	struct registers registers;
	struct syscall_entry entry;

	assert_true(arch_x86_64.decode_prstatus(raw, sizeof(raw), &registers, &entry));
	return entry;
}

static void x86_64_syscall_that_a_stop_interrupted(void **state)
{
	static const int restarts[] = {-512, -513, -514, -516};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct syscall_entry entry = x86_64_entry(0, restarts[i]);

		assert_true(entry.in_syscall);
		assert_int_equal(entry.number, 0);
		assert_int_equal(entry.arguments[0], 9);
	}
}

static void x86_64_syscall_that_is_over(void **state)
{
	(void)state;
	assert_false(x86_64_entry(232, -4).in_syscall); /* EINTR */
	assert_int_equal(x86_64_entry(232, -4).number, 232);
	assert_false(x86_64_entry(0, 100).in_syscall);
	assert_false(x86_64_entry(-1, -512).in_syscall);
}

static void x86_64_runs_32_bit_code(void **state)
{
	uint64_t raw[COUNT] = {[CS] = 0x23};
	struct registers registers;
	struct syscall_entry entry;

	(void)state;
	assert_false(arch_x86_64.decode_prstatus(raw, sizeof(raw), &registers, &entry));
	assert_false(arch_x86_64.decode_prstatus(raw, 68, &registers, &entry));
	assert_int_equal(registers.known, 0);
	assert_false(entry.known);
}

static void aarch64_registers(void **state)
{
	uint64_t raw[34];
	struct registers registers;
	struct syscall_entry entry;

	(void)state;
	for (size_t i = 0; i < 34; i++)
		raw[i] = i + 100;
	assert_true(arch_aarch64.decode_prstatus(raw, sizeof(raw), &registers, &entry));
	assert_int_equal(registers.value[arch_aarch64.return_address], 130);
	assert_int_equal(registers.value[arch_aarch64.sp], 131);
	assert_int_equal(registers.value[arch_aarch64.pc], 132);
	assert_false(entry.known);
	assert_false(arch_aarch64.decode_prstatus(raw, sizeof(raw) - 8, &registers, &entry));
}

static const char *name_of(const struct arch *arch, long number)
{
	return number < arch->syscall_limit ? arch->syscall_names[number] : NULL;
}

static void syscalls_by_name(void **state)
{
	(void)state;
	assert_string_equal(name_of(&arch_x86_64, 0), "read");
	assert_string_equal(name_of(&arch_x86_64, 43), "accept");
	assert_string_equal(name_of(&arch_x86_64, 219), "restart_syscall");
	assert_string_equal(name_of(&arch_x86_64, 449), "futex_waitv");
	assert_string_equal(name_of(&arch_aarch64, 63), "read");
	assert_string_equal(name_of(&arch_aarch64, 202), "accept");
	assert_string_equal(name_of(&arch_aarch64, 222), "mmap");
	assert_string_equal(name_of(&arch_aarch64, 128), "restart_syscall");
	assert_string_equal(name_of(&arch_aarch64, 163), "getrlimit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_64_registers),
		cmocka_unit_test(x86_64_syscall_that_a_stop_interrupted),
		cmocka_unit_test(x86_64_syscall_that_is_over),
		cmocka_unit_test(x86_64_runs_32_bit_code),
		cmocka_unit_test(aarch64_registers),
		cmocka_unit_test(syscalls_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
