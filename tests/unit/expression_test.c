// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dwarf.h>
#include <string.h>

#include "unwind/expression.h"
#include "util/memory.h"

/* Memory where each address below 0x10000 holds its own number, byte by byte. */
static size_t read_own_number(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	(void)memory;
	if (address >= 0x10000)
		return 0;
	memset(to, (int)address, length);
	return length;
}

static const struct memory memory = {.read = read_own_number};

static enum expression_result evaluate(
	const uint8_t *expression, size_t length, uint64_t *value, unsigned *missing)
{
	static const uint64_t cfa = 0x7000;
	struct registers registers = {.known = 0};
	struct expression_context context = {
		.registers = &registers,
		.memory = &memory,
		.bias = 0x100000,
		.pushed = &cfa,
	};

	register_set(&registers, 7, 0x2000);
	register_set(&registers, 16, 0x401b);
	enum expression_result result = expression_evaluate(&context, expression, length, value);
	*missing = context.missing_register;
	return result;
}

#define EVALUATE(...)                                                                              \
	evaluate((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), &value,   \
		&missing)

static void values(void **state)
{
	uint64_t value;
	unsigned missing;

	(void)state;
	assert_int_equal(EVALUATE(DW_OP_nop), EXPRESSION_DONE);
	assert_int_equal(value, 0x7000);
	assert_int_equal(EVALUATE(DW_OP_plus_uconst, 0x90, 0x01), EXPRESSION_DONE);
	assert_int_equal(value, 0x7090);
	assert_int_equal(EVALUATE(DW_OP_breg7, 0x78), EXPRESSION_DONE);
	assert_int_equal(value, 0x2000 - 8);
	assert_int_equal(EVALUATE(DW_OP_const2s, 0xfe, 0xff), EXPRESSION_DONE);
	assert_int_equal(value, -2);
	assert_int_equal(EVALUATE(DW_OP_addr, 0x10, 0, 0, 0, 0, 0, 0, 0), EXPRESSION_DONE);
	assert_int_equal(value, 0x100010);
	assert_int_equal(EVALUATE(DW_OP_const1u, 0x33, DW_OP_deref_size, 2), EXPRESSION_DONE);
	assert_int_equal(value, 0x3333);
	/* The second becomes the top, the third the second. */
	assert_int_equal(EVALUATE(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_drop),
		EXPRESSION_DONE);
	assert_int_equal(value, 1);
}

/* The procedure linkage table's: rsp + 8 + ((rip & 15) >= 11 ? 8 : 0). */
static void linkage_table(void **state)
{
	uint64_t value;
	unsigned missing;

	(void)state;
	assert_int_equal(EVALUATE(DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and,
				 DW_OP_lit11, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus),
		EXPRESSION_DONE);
	assert_int_equal(value, 0x2000 + 16);
}

static void branches(void **state)
{
	uint64_t value;
	unsigned missing;

	(void)state;
	assert_int_equal(
		EVALUATE(DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit5, DW_OP_lit6), EXPRESSION_DONE);
	assert_int_equal(value, 6);
	assert_int_equal(EVALUATE(DW_OP_lit9, DW_OP_skip, 0, 0), EXPRESSION_DONE);
	/* To itself, for ever. */
	assert_int_equal(EVALUATE(DW_OP_skip, 0xfd, 0xff), EXPRESSION_INVALID);
	/* Out of the expression, before its start and past its end. */
	assert_int_equal(EVALUATE(DW_OP_skip, 0xf0, 0xff), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_skip, 1, 0), EXPRESSION_INVALID);
}

static void malformed(void **state)
{
	uint64_t value;
	unsigned missing;

	(void)state;
	assert_int_equal(EVALUATE(DW_OP_lit0, DW_OP_div), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_lit0, DW_OP_mod), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_drop, DW_OP_dup), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_drop), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_const8u, 1, 2, 3), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_pick, 7), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_deref_size, 9), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_form_tls_address), EXPRESSION_INVALID);
	/* Duplicated until the stack is full. */
	assert_int_equal(EVALUATE(DW_OP_dup, DW_OP_skip, 0xfc, 0xff), EXPRESSION_INVALID);
	/* The least number divided by -1 does not trap. */
	assert_int_equal(
		EVALUATE(DW_OP_const8u, 0, 0, 0, 0, 0, 0, 0, 0x80, DW_OP_const1s, 0xff, DW_OP_div),
		EXPRESSION_DONE);
}

static void what_is_missing(void **state)
{
	uint64_t value;
	unsigned missing;

	(void)state;
	assert_int_equal(EVALUATE(DW_OP_breg6, 0), EXPRESSION_UNKNOWN_REGISTER);
	assert_int_equal(missing, 6);
	assert_int_equal(EVALUATE(DW_OP_bregx, 0x80, 0x80, 0x04, 0), EXPRESSION_INVALID);
	assert_int_equal(EVALUATE(DW_OP_lit1, DW_OP_neg, DW_OP_deref), EXPRESSION_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(linkage_table),
		cmocka_unit_test(branches),
		cmocka_unit_test(malformed),
		cmocka_unit_test(what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
