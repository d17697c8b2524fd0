// SPDX-License-Identifier: Apache-2.0
#include "unwind/cfi_program.h"

#include <dwarf.h>
#include <elf.h>

#define REMEMBERED_MAX 32

/* Not in every dwarf.h: DWARF for the Arm 64-bit Architecture, section 4.5. */
#define AARCH64_NEGATE_RA_STATE_WITH_PC 0x2c
#define AARCH64_NEGATE_RA_STATE 0x2d

struct execution {
	const struct cfi_entry *entry;
	const struct arch *arch;
	struct reader reader;
	uint64_t location;
	struct cfi_state *state;
	const struct cfi_state *initial; /* NULL while the common entry is executed */
	struct cfi_rule discarded;
	struct cfi_state *remembered; /* REMEMBERED_MAX of them */
	size_t remembered_count;
};

/* The rule of that register; of one that no machine of ours has, a rule that is thrown away. */
static struct cfi_rule *rule_of(struct execution *execution, uint64_t number)
{
	return number < REGISTERS_MAX ? &execution->state->rules[number] : &execution->discarded;
}

static void set_offset(
	struct execution *execution, uint64_t number, enum cfi_rule_kind kind, uint64_t factored)
{
	const uint64_t offset = factored * (uint64_t)execution->entry->data_alignment;

	*rule_of(execution, number) = (struct cfi_rule){.kind = kind, .offset = (int64_t)offset};
}

static struct cfi_rule read_expression(struct execution *execution, enum cfi_rule_kind kind)
{
	uint64_t length = read_uleb(&execution->reader);
	const uint8_t *bytes = read_bytes(&execution->reader, length);

	if (!bytes || length > UINT32_MAX) {
		execution->reader.failed = true;
		length = 0;
	}
	return (struct cfi_rule){.kind = kind, .length = (uint32_t)length, .expression = bytes};
}

static bool set_cfa(struct execution *execution, uint64_t number, uint64_t offset)
{
	if (number >= REGISTERS_MAX)
		return false;
	execution->state->cfa = (struct cfi_rule){
		.kind = CFI_REGISTER, .source = (uint8_t)number, .offset = (int64_t)offset};
	return true;
}

/* Only where the CFA is a register and an offset may either be changed alone. */
static bool change_cfa_register(struct execution *execution, uint64_t number)
{
	if (execution->state->cfa.kind != CFI_REGISTER || number >= REGISTERS_MAX)
		return false;
	execution->state->cfa.source = (uint8_t)number;
	return true;
}

static bool change_cfa_offset(struct execution *execution, uint64_t offset)
{
	if (execution->state->cfa.kind != CFI_REGISTER)
		return false;
	execution->state->cfa.offset = (int64_t)offset;
	return true;
}

static bool restore_register(struct execution *execution, uint64_t number)
{
	if (!execution->initial)
		return false;
	if (number < REGISTERS_MAX)
		execution->state->rules[number] = execution->initial->rules[number];
	return true;
}

static bool remember(struct execution *execution)
{
	if (execution->remembered_count == REMEMBERED_MAX)
		return false;
	execution->remembered[execution->remembered_count++] = *execution->state;
	return true;
}

static bool restore_state(struct execution *execution)
{
	if (execution->remembered_count == 0)
		return false;
	*execution->state = execution->remembered[--execution->remembered_count];
	return true;
}

/* One instruction that does not move the location; false: malformed, or of another machine. */
static bool execute_rule(struct execution *execution, uint8_t opcode)
{
	struct reader *reader = &execution->reader;
	const uint64_t data_alignment = (uint64_t)execution->entry->data_alignment;
	uint64_t number, offset;

	switch (opcode) {
	case DW_CFA_nop:
		return true;
	case DW_CFA_def_cfa:
		number = read_uleb(reader);
		return set_cfa(execution, number, read_uleb(reader));
	case DW_CFA_def_cfa_sf:
		number = read_uleb(reader);
		return set_cfa(execution, number, (uint64_t)read_sleb(reader) * data_alignment);
	case DW_CFA_def_cfa_register:
		return change_cfa_register(execution, read_uleb(reader));
	case DW_CFA_def_cfa_offset:
		return change_cfa_offset(execution, read_uleb(reader));
	case DW_CFA_def_cfa_offset_sf:
		return change_cfa_offset(execution, (uint64_t)read_sleb(reader) * data_alignment);
	case DW_CFA_def_cfa_expression:
		execution->state->cfa = read_expression(execution, CFI_EXPRESSION);
		return true;
	case DW_CFA_undefined:
		*rule_of(execution, read_uleb(reader)) = (struct cfi_rule){.kind = CFI_UNDEFINED};
		return true;
	case DW_CFA_same_value:
		*rule_of(execution, read_uleb(reader)) = (struct cfi_rule){.kind = CFI_SAME};
		return true;
	case DW_CFA_offset_extended:
		number = read_uleb(reader);
		set_offset(execution, number, CFI_AT_CFA, read_uleb(reader));
		return true;
	case DW_CFA_offset_extended_sf:
		number = read_uleb(reader);
		set_offset(execution, number, CFI_AT_CFA, (uint64_t)read_sleb(reader));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		number = read_uleb(reader);
		set_offset(execution, number, CFI_AT_CFA, -read_uleb(reader));
		return true;
	case DW_CFA_val_offset:
		number = read_uleb(reader);
		set_offset(execution, number, CFI_CFA, read_uleb(reader));
		return true;
	case DW_CFA_val_offset_sf:
		number = read_uleb(reader);
		set_offset(execution, number, CFI_CFA, (uint64_t)read_sleb(reader));
		return true;
	case DW_CFA_register:
		number = read_uleb(reader);
		offset = read_uleb(reader);
		if (number < REGISTERS_MAX && offset >= REGISTERS_MAX)
			return false;
		*rule_of(execution, number) =
			(struct cfi_rule){.kind = CFI_REGISTER, .source = (uint8_t)offset};
		return true;
	case DW_CFA_expression:
		number = read_uleb(reader);
		*rule_of(execution, number) = read_expression(execution, CFI_AT_EXPRESSION);
		return true;
	case DW_CFA_val_expression:
		number = read_uleb(reader);
		*rule_of(execution, number) = read_expression(execution, CFI_EXPRESSION);
		return true;
	case DW_CFA_restore_extended:
		return restore_register(execution, read_uleb(reader));
	case DW_CFA_remember_state:
		return remember(execution);
	case DW_CFA_restore_state:
		return restore_state(execution);
	case DW_CFA_GNU_args_size:
		read_uleb(reader);
		return true;
	case AARCH64_NEGATE_RA_STATE:
	case AARCH64_NEGATE_RA_STATE_WITH_PC:
		/* Return addresses are stripped of their authentication code without asking. */
		return execution->arch->elf_machine == EM_AARCH64;
	default:
		break;
	}
	number = opcode & 0x3f;
	switch (opcode & 0xc0) {
	case DW_CFA_offset:
		set_offset(execution, number, CFI_AT_CFA, read_uleb(reader));
		return true;
	case DW_CFA_restore:
		return restore_register(execution, number);
	default:
		return false;
	}
}

/* Whether @opcode moves the location; then *location is where to. */
static bool moves(struct execution *execution, uint8_t opcode, uint64_t *location)
{
	struct reader *reader = &execution->reader;
	uint64_t delta;

	switch (opcode) {
	case DW_CFA_set_loc:
		*location = read_encoded(
			reader, execution->entry->pointer_encoding, &execution->entry->bases);
		return true;
	case DW_CFA_advance_loc1:
		delta = read_unsigned(reader, 1);
		break;
	case DW_CFA_advance_loc2:
		delta = read_unsigned(reader, 2);
		break;
	case DW_CFA_advance_loc4:
		delta = read_unsigned(reader, 4);
		break;
	default:
		if ((opcode & 0xc0) != DW_CFA_advance_loc)
			return false;
		delta = opcode & 0x3f;
		break;
	}
	*location = execution->location + delta * execution->entry->code_alignment;
	return true;
}

bool cfi_execute(const struct cfi_entry *entry, const struct arch *arch, uint64_t address,
	struct cfi_state *state, uint64_t *end)
{
	struct cfi_state initial, remembered[REMEMBERED_MAX];
	struct execution execution = {
		.entry = entry,
		.arch = arch,
		.reader = entry->initial,
		.location = entry->start,
		.state = state,
		.remembered = remembered,
	};
	uint64_t location;

	*state = (struct cfi_state){.cfa.kind = CFI_UNSPECIFIED};
	while (execution.reader.at < execution.reader.end) {
		uint8_t opcode = *execution.reader.at++;

		if (!execute_rule(&execution, opcode) || execution.reader.failed)
			return false;
	}
	initial = *state;
	execution.initial = &initial;
	execution.remembered_count = 0;
	execution.reader = entry->instructions;
	*end = entry->end;
	while (execution.reader.at < execution.reader.end) {
		uint8_t opcode = *execution.reader.at++;

		if (moves(&execution, opcode, &location)) {
			if (execution.reader.failed || location < execution.location)
				return false;
			if (location > address) {
				*end = location < entry->end ? location : entry->end;
				break;
			}
			execution.location = location;
		} else if (!execute_rule(&execution, opcode) || execution.reader.failed) {
			return false;
		}
	}
	return true;
}
