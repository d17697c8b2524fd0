// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/cfi_section.h"
#include "util/memory.h"
#include "util/text.h"

#define START 0x1000
#define LENGTH 0x100

/* A .debug_frame of one function at START, whose instructions are these. */
static void make_section(struct cfi_section *section, struct text *bytes, const uint8_t *program,
	size_t length, const char *augmentation)
{
	static const uint8_t common_tail[] = {
		1,
		0x78,
		16, /* code 1, data -8, return address in 16 */
		DW_CFA_def_cfa,
		7,
		8,
		DW_CFA_offset | 16,
		1,
	};
	const uint32_t common_id = UINT32_MAX, zero = 0;
	const uint64_t start = START, size = LENGTH;
	const uint8_t version = 1;
	uint32_t common_length =
		(uint32_t)(sizeof(common_id) + 1 + strlen(augmentation) + 1 + sizeof(common_tail));
	uint32_t function_length = (uint32_t)(sizeof(zero) + sizeof(start) + sizeof(size) + length);

	text_append_bytes(bytes, &common_length, sizeof(common_length));
	text_append_bytes(bytes, &common_id, sizeof(common_id));
	text_append_bytes(bytes, &version, sizeof(version));
	text_append_bytes(bytes, augmentation, strlen(augmentation) + 1);
	text_append_bytes(bytes, common_tail, sizeof(common_tail));
	text_append_bytes(bytes, &function_length, sizeof(function_length));
	text_append_bytes(bytes, &zero, sizeof(zero));
	text_append_bytes(bytes, &start, sizeof(start));
	text_append_bytes(bytes, &size, sizeof(size));
	text_append_bytes(bytes, program, length);
	*section = (struct cfi_section){
		.is_debug_frame = true,
		.bytes = {.bytes = (uint8_t *)bytes->bytes, .length = bytes->length},
	};
}

/* Whether the rules at START + @offset can be had; then *rules, and where they end in *end. */
static bool execute_on(const struct arch *arch, const uint8_t *program, size_t length,
	uint64_t offset, struct cfi_state *rules, uint64_t *end)
{
	struct text bytes cleanup_text = {0};
	struct cfi_section section;
	struct cfi_entry entry;

	make_section(&section, &bytes, program, length, "");
	bool found = cfi_section_find(&section, START + offset, &entry) &&
		     cfi_execute(&entry, arch, START + offset, rules, end);
	cfi_section_deinit(&section);
	return found;
}

#define PROGRAM(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void rows_of_a_prologue(void **state)
{
	static const uint8_t program[] = {
		DW_CFA_advance_loc | 1,
		DW_CFA_def_cfa_offset,
		16,
		DW_CFA_offset | 6,
		2,
		DW_CFA_advance_loc | 3,
		DW_CFA_def_cfa_register,
		6,
		DW_CFA_advance_loc1,
		0x40,
		DW_CFA_def_cfa,
		7,
		8,
	};
	struct cfi_state rules;
	uint64_t end;

	(void)state;
	assert_true(execute_on(&arch_x86_64, program, sizeof(program), 0, &rules, &end));
	assert_int_equal(rules.cfa.source, 7);
	assert_int_equal(rules.cfa.offset, 8);
	assert_int_equal(rules.rules[16].kind, CFI_AT_CFA);
	assert_int_equal(rules.rules[16].offset, -8);
	assert_int_equal(rules.rules[6].kind, CFI_UNSPECIFIED);
	assert_int_equal(end, START + 1);
	assert_true(execute_on(&arch_x86_64, program, sizeof(program), 1, &rules, &end));
	assert_int_equal(rules.cfa.offset, 16);
	assert_int_equal(rules.rules[6].offset, -16);
	assert_true(execute_on(&arch_x86_64, program, sizeof(program), 0x43, &rules, &end));
	assert_int_equal(rules.cfa.source, 6);
	assert_int_equal(end, START + 0x44);
	assert_true(execute_on(&arch_x86_64, program, sizeof(program), 0x44, &rules, &end));
	assert_int_equal(rules.cfa.source, 7);
	assert_int_equal(end, START + LENGTH);
	assert_false(execute_on(&arch_x86_64, program, sizeof(program), LENGTH, &rules, &end));
}

static void remembered_states(void **state)
{
	struct cfi_state rules;
	uint64_t end;
	uint8_t many[100];

	(void)state;
	assert_true(execute_on(&arch_x86_64,
		PROGRAM(DW_CFA_remember_state, DW_CFA_def_cfa_offset, 32, DW_CFA_advance_loc | 4,
			DW_CFA_restore_state),
		4, &rules, &end));
	assert_int_equal(rules.cfa.offset, 8);
	assert_false(execute_on(&arch_x86_64, PROGRAM(DW_CFA_restore_state), 0, &rules, &end));
	memset(many, DW_CFA_remember_state, sizeof(many));
	assert_false(execute_on(&arch_x86_64, many, sizeof(many), 0, &rules, &end));
}

static void hostile_instructions(void **state)
{
	struct cfi_state rules;
	uint64_t end;

	(void)state;
	/* A register number for which libdw would fill 2 GB: it is of no machine, and does no harm.
	 */
	assert_true(execute_on(&arch_x86_64,
		PROGRAM(DW_CFA_offset_extended, 0xff, 0xff, 0xff, 0x3f, 1), 0, &rules, &end));
	assert_int_equal(rules.rules[16].offset, -8);
	assert_false(execute_on(
		&arch_x86_64, PROGRAM(DW_CFA_def_cfa_register, 0x80, 1), 0, &rules, &end));
	/* Cut off within an operand, and within an expression. */
	assert_false(execute_on(&arch_x86_64, PROGRAM(DW_CFA_def_cfa, 7, 0x80), 0, &rules, &end));
	assert_false(execute_on(
		&arch_x86_64, PROGRAM(DW_CFA_expression, 6, 5, DW_OP_lit0), 0, &rules, &end));
	assert_false(execute_on(&arch_x86_64,
		PROGRAM(DW_CFA_def_cfa_expression, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 1),
		0, &rules, &end));
	assert_false(execute_on(&arch_x86_64, PROGRAM(0x3f), 0, &rules, &end));
	/* An offset where the CFA is no register. */
	assert_false(execute_on(&arch_x86_64,
		PROGRAM(DW_CFA_def_cfa_expression, 1, DW_OP_lit0, DW_CFA_def_cfa_offset, 8), 0,
		&rules, &end));
}

/* The number that is SPARC's window save elsewhere. */
static void signed_return_addresses(void **state)
{
	struct cfi_state rules;
	uint64_t end;

	(void)state;
	assert_true(execute_on(&arch_aarch64, PROGRAM(0x2d), 0, &rules, &end));
	assert_int_equal(rules.rules[20].kind, CFI_UNSPECIFIED);
	assert_false(execute_on(&arch_x86_64, PROGRAM(0x2d), 0, &rules, &end));
}

static void cut_off_anywhere(void **state)
{
	static const uint8_t program[] = {DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16};
	struct text bytes cleanup_text = {0};
	struct cfi_section section;
	struct cfi_entry entry;

	(void)state;
	make_section(&section, &bytes, program, sizeof(program), "");
	for (size_t length = 0; length < bytes.length; length++) {
		uint8_t *copy = memcpy(allocate(length), bytes.bytes, length);
		struct cfi_section cut = {
			.is_debug_frame = true,
			.bytes = {.bytes = copy, .length = length},
		};

		assert_false(cfi_section_find(&cut, START, &entry));
		cfi_section_deinit(&cut);
		free(copy);
	}
	assert_true(cfi_section_find(&section, START, &entry));
	cfi_section_deinit(&section);
}

static void unknown_augmentation(void **state)
{
	struct text bytes cleanup_text = {0};
	struct cfi_section section;
	struct cfi_entry entry;

	(void)state;
	make_section(&section, &bytes, (const uint8_t[]){DW_CFA_nop}, 1, "eh");
	assert_false(cfi_section_find(&section, START, &entry));
	cfi_section_deinit(&section);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_a_prologue),
		cmocka_unit_test(remembered_states),
		cmocka_unit_test(hostile_instructions),
		cmocka_unit_test(signed_return_addresses),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(unknown_augmentation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
