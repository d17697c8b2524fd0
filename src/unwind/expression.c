// SPDX-License-Identifier: Apache-2.0
#include "unwind/expression.h"

#include <dwarf.h>
#include <stdbool.h>

#include "unwind/reader.h"

#define STACK_DEPTH 64
#define STEP_LIMIT 4096

struct machine_stack {
	uint64_t values[STACK_DEPTH];
	size_t depth;
};

static bool push(struct machine_stack *stack, uint64_t value)
{
	if (stack->depth == STACK_DEPTH)
		return false;
	stack->values[stack->depth++] = value;
	return true;
}

/* The value @below the top, 0 for the top itself; NULL past the bottom. */
static uint64_t *peek(struct machine_stack *stack, uint64_t below)
{
	return below < stack->depth ? &stack->values[stack->depth - 1 - below] : NULL;
}

static enum expression_result push_register(struct expression_context *context,
	struct machine_stack *stack, uint64_t number, uint64_t offset)
{
	if (number >= REGISTERS_MAX)
		return EXPRESSION_INVALID;
	if (!register_known(context->registers, (unsigned)number)) {
		context->missing_register = (unsigned)number;
		return EXPRESSION_UNKNOWN_REGISTER;
	}
	return push(stack, context->registers->value[number] + offset) ? EXPRESSION_DONE
								       : EXPRESSION_INVALID;
}

static enum expression_result dereference(
	const struct expression_context *context, struct machine_stack *stack, uint64_t size)
{
	uint64_t *top = peek(stack, 0), value = 0;

	if (!top || size == 0 || size > sizeof(value))
		return EXPRESSION_INVALID;
	/* Both architectures are little-endian: the low bytes come first. */
	if (!memory_read(context->memory, *top, &value, size))
		return EXPRESSION_UNREADABLE;
	*top = value;
	return EXPRESSION_DONE;
}

static bool apply_unary(struct machine_stack *stack, uint8_t atom)
{
	uint64_t *top = peek(stack, 0);

	if (!top)
		return false;
	switch (atom) {
	case DW_OP_abs:
		*top = (int64_t)*top < 0 ? -*top : *top;
		return true;
	case DW_OP_neg:
		*top = -*top;
		return true;
	default:
		*top = ~*top;
		return true;
	}
}

/* Replaces the two topmost values by what @atom makes of them; comparisons are signed
 * (section 2.5.1.5). */
static bool apply_binary(struct machine_stack *stack, uint8_t atom)
{
	if (stack->depth < 2)
		return false;
	uint64_t right = stack->values[--stack->depth];
	uint64_t *left = &stack->values[stack->depth - 1];
	int64_t signed_left = (int64_t)*left, signed_right = (int64_t)right;

	switch (atom) {
	case DW_OP_and:
		*left &= right;
		return true;
	case DW_OP_div:
		if (right == 0)
			return false;
		*left = signed_right == -1 ? -*left : (uint64_t)(signed_left / signed_right);
		return true;
	case DW_OP_minus:
		*left -= right;
		return true;
	case DW_OP_mod:
		if (right == 0)
			return false;
		*left %= right;
		return true;
	case DW_OP_mul:
		*left *= right;
		return true;
	case DW_OP_or:
		*left |= right;
		return true;
	case DW_OP_plus:
		*left += right;
		return true;
	case DW_OP_shl:
		*left = right < 64 ? *left << right : 0;
		return true;
	case DW_OP_shr:
		*left = right < 64 ? *left >> right : 0;
		return true;
	case DW_OP_shra:
		*left = (uint64_t)(signed_left >> (right < 64 ? right : 63));
		return true;
	case DW_OP_xor:
		*left ^= right;
		return true;
	case DW_OP_eq:
		*left = signed_left == signed_right;
		return true;
	case DW_OP_ne:
		*left = signed_left != signed_right;
		return true;
	case DW_OP_lt:
		*left = signed_left < signed_right;
		return true;
	case DW_OP_le:
		*left = signed_left <= signed_right;
		return true;
	case DW_OP_gt:
		*left = signed_left > signed_right;
		return true;
	case DW_OP_ge:
		*left = signed_left >= signed_right;
		return true;
	default:
		return false;
	}
}

static bool rearrange(struct machine_stack *stack, uint8_t atom, uint64_t index)
{
	uint64_t *top = peek(stack, 0), *second = peek(stack, 1), *third = peek(stack, 2), held;

	switch (atom) {
	case DW_OP_dup:
		return top && push(stack, *top);
	case DW_OP_drop:
		return top && stack->depth--;
	case DW_OP_over:
		return second && push(stack, *second);
	case DW_OP_pick:
		top = peek(stack, index);
		return top && push(stack, *top);
	case DW_OP_swap:
		if (!second)
			return false;
		held = *top;
		*top = *second;
		*second = held;
		return true;
	default: /* DW_OP_rot */
		if (!third)
			return false;
		held = *top;
		*top = *second;
		*second = *third;
		*third = held;
		return true;
	}
}

static enum expression_result execute(struct expression_context *context,
	struct machine_stack *stack, struct reader *reader, uint8_t operation)
{
	uint64_t number;
	bool done;

	switch (operation) {
	case DW_OP_lit0 ... DW_OP_lit31:
		done = push(stack, operation - DW_OP_lit0);
		break;
	case DW_OP_breg0 ... DW_OP_breg31:
		return push_register(
			context, stack, operation - DW_OP_breg0, (uint64_t)read_sleb(reader));
	case DW_OP_bregx:
		number = read_uleb(reader);
		return push_register(context, stack, number, (uint64_t)read_sleb(reader));
	case DW_OP_addr:
		done = push(stack, read_unsigned(reader, 8) + context->bias);
		break;
	case DW_OP_const1u:
		done = push(stack, read_unsigned(reader, 1));
		break;
	case DW_OP_const1s:
		done = push(stack, (uint64_t)read_signed(reader, 1));
		break;
	case DW_OP_const2u:
		done = push(stack, read_unsigned(reader, 2));
		break;
	case DW_OP_const2s:
		done = push(stack, (uint64_t)read_signed(reader, 2));
		break;
	case DW_OP_const4u:
		done = push(stack, read_unsigned(reader, 4));
		break;
	case DW_OP_const4s:
		done = push(stack, (uint64_t)read_signed(reader, 4));
		break;
	case DW_OP_const8u:
	case DW_OP_const8s:
		done = push(stack, read_unsigned(reader, 8));
		break;
	case DW_OP_constu:
		done = push(stack, read_uleb(reader));
		break;
	case DW_OP_consts:
		done = push(stack, (uint64_t)read_sleb(reader));
		break;
	case DW_OP_deref:
		return dereference(context, stack, sizeof(uint64_t));
	case DW_OP_deref_size:
		return dereference(context, stack, read_unsigned(reader, 1));
	case DW_OP_dup:
	case DW_OP_drop:
	case DW_OP_over:
	case DW_OP_swap:
	case DW_OP_rot:
		done = rearrange(stack, operation, 0);
		break;
	case DW_OP_pick:
		done = rearrange(stack, operation, read_unsigned(reader, 1));
		break;
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
		done = apply_unary(stack, operation);
		break;
	case DW_OP_plus_uconst:
		done = push(stack, read_uleb(reader)) && apply_binary(stack, DW_OP_plus);
		break;
	case DW_OP_nop:
		done = true;
		break;
	default:
		done = apply_binary(stack, operation);
		break;
	}
	return done ? EXPRESSION_DONE : EXPRESSION_INVALID;
}

/* DW_OP_skip and DW_OP_bra: where to go on is told in bytes from the end of the operation. */
static bool branch(
	struct machine_stack *stack, struct reader *reader, const uint8_t *start, uint8_t operation)
{
	int64_t distance = read_signed(reader, 2);
	bool taken = operation == DW_OP_skip;

	if (!taken) {
		if (stack->depth == 0)
			return false;
		taken = stack->values[--stack->depth] != 0;
	}
	if (!taken)
		return true;
	if (distance < start - reader->at || distance > reader->end - reader->at)
		return false;
	reader->at += distance;
	return true;
}

enum expression_result expression_evaluate(struct expression_context *context,
	const uint8_t *expression, size_t length, uint64_t *value)
{
	struct reader reader = {.at = expression, .end = expression + length};
	struct machine_stack stack;

	stack.depth = 0;
	if (context->pushed)
		push(&stack, *context->pushed);
	for (size_t steps = 0; reader.at < reader.end; steps++) {
		uint8_t operation = *reader.at++;
		enum expression_result result = EXPRESSION_DONE;

		if (steps == STEP_LIMIT)
			return EXPRESSION_INVALID;
		if (operation != DW_OP_skip && operation != DW_OP_bra)
			result = execute(context, &stack, &reader, operation);
		else if (!branch(&stack, &reader, expression, operation))
			result = EXPRESSION_INVALID;
		if (reader.failed)
			return EXPRESSION_INVALID;
		if (result != EXPRESSION_DONE)
			return result;
	}
	if (stack.depth == 0)
		return EXPRESSION_INVALID;
	*value = stack.values[stack.depth - 1];
	return EXPRESSION_DONE;
}
