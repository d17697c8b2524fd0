// SPDX-License-Identifier: Apache-2.0
#include "unwind/cfi.h"

#include <dwarf.h>
#include <stdlib.h>

#include "unwind/expression.h"
#include "util/arena.h"
#include "util/memory.h"

/* Rows by address in the file: open addressing, a power of two of slots, at most half full. */
struct slot {
	uint64_t address;
	const struct cfi_row *row; /* NULL: an empty slot */
};

struct rows {
	struct arena *arena;
	Dwarf_CFI *eh_frame; /* ours; NULL: none */
	bool eh_frame_sought;
	struct slot *slots;
	size_t slot_count, used;
};

static const struct cfi_row no_row;

static void rows_free(void *memory)
{
	struct rows *rows = memory;

	if (rows->eh_frame)
		dwarf_cfi_end(rows->eh_frame);
	arena_destroy(rows->arena);
	free(rows->slots);
	free(rows);
}

static struct rows *rows_of(struct image *image)
{
	if (!image->rows) {
		struct rows *rows = allocate_zeroed(1, sizeof(*rows));

		rows->arena = arena_create();
		image->rows = rows;
		image->free_rows = rows_free;
	}
	return image->rows;
}

/* The slot of @address, or the empty one where it belongs. The table is not full. */
static struct slot *find_slot(const struct rows *rows, uint64_t address)
{
	size_t mask = rows->slot_count - 1;
	size_t at = (address * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (rows->slots[at].row && rows->slots[at].address != address)
		at = (at + 1) & mask;
	return &rows->slots[at];
}

static void remember(struct rows *rows, uint64_t address, const struct cfi_row *row)
{
	if (2 * rows->used >= rows->slot_count) {
		struct rows larger = {.slot_count = rows->slot_count ? 2 * rows->slot_count : 64};

		larger.slots = allocate_zeroed(larger.slot_count, sizeof(*larger.slots));
		for (size_t i = 0; i < rows->slot_count; i++) {
			if (rows->slots[i].row)
				*find_slot(&larger, rows->slots[i].address) = rows->slots[i];
		}
		free(rows->slots);
		rows->slots = larger.slots;
		rows->slot_count = larger.slot_count;
	}
	*find_slot(rows, address) = (struct slot){.address = address, .row = row};
	rows->used++;
}

static struct cfi_rule expression_rule(
        struct arena *arena, enum cfi_rule_kind kind, const Dwarf_Op *operations, size_t count)
{
	return (struct cfi_rule){
	        .kind = kind,
	        .operations = arena_copy(arena, operations, count * sizeof(*operations)),
	        .operation_count = count,
	};
}

/* The rule of the CFA: a register and an offset nearly always, which libdw gives as one DW_OP_breg.
 */
static bool compile_cfa(Dwarf_Frame *frame, struct arena *arena, struct cfi_rule *rule)
{
	Dwarf_Op *operations;
	size_t count;

	if (dwarf_frame_cfa(frame, &operations, &count) != 0 || count == 0)
		return false;
	uint8_t atom = operations[0].atom;
	uint64_t number = DW_OP_breg0, offset = 0;
	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) {
		number = atom - DW_OP_breg0;
		offset = operations[0].number;
	} else if (atom == DW_OP_bregx) {
		number = operations[0].number;
		offset = operations[0].number2;
	}
	if (count == 1 && number < REGISTERS_MAX)
		*rule = (struct cfi_rule){
		        .kind = CFI_REGISTER, .source = (uint8_t)number, .offset = (int64_t)offset};
	else
		*rule = expression_rule(arena, CFI_EXPRESSION, operations, count);
	return true;
}

/*
 * A register's rule from what dwarf_frame_register() tells (elfutils/libdw.h): no operations and
 * its own scratch for "undefined", no operations and NULL for "same"; an operation that names a
 * register; else an address, or a value where DW_OP_stack_value stands last. The rules that are
 * not expressions in the file begin with DW_OP_call_frame_cfa and add at most one constant.
 */
static bool compile_register(
        Dwarf_Frame *frame, unsigned number, struct arena *arena, struct cfi_rule *rule)
{
	Dwarf_Op scratch[3], *operations;
	size_t count;

	if (dwarf_frame_register(frame, (int)number, scratch, &operations, &count) != 0)
		return false;
	*rule = (struct cfi_rule){.kind = operations ? CFI_UNDEFINED : CFI_SAME};
	if (count == 0)
		return true;

	uint8_t atom = operations[0].atom;
	if (count == 1 && (atom == DW_OP_regx || (atom >= DW_OP_reg0 && atom <= DW_OP_reg31))) {
		uint64_t source = operations[0].number;

		if (atom != DW_OP_regx)
			source = atom - DW_OP_reg0;
		rule->kind = CFI_REGISTER;
		rule->source = (uint8_t)source;
		return source < REGISTERS_MAX;
	}
	bool is_value = operations[count - 1].atom == DW_OP_stack_value;
	size_t length = count - is_value;
	if (atom == DW_OP_call_frame_cfa &&
	        (length == 1 || (length == 2 && operations[1].atom == DW_OP_plus_uconst))) {
		rule->kind = is_value ? CFI_CFA : CFI_AT_CFA;
		rule->offset = length == 2 ? (int64_t)operations[1].number : 0;
		return true;
	}
	*rule = expression_rule(
	        arena, is_value ? CFI_EXPRESSION : CFI_AT_EXPRESSION, operations, length);
	return true;
}

static const struct cfi_row *compile_row(
        Dwarf_Frame *frame, const struct arch *arch, struct arena *arena, uint64_t address)
{
	struct cfi_rule rules[REGISTERS_MAX];
	struct cfi_row row = {.rule_count = 0};
	bool signal_frame = false;
	Dwarf_Addr end = 0;
	int return_address = dwarf_frame_info(frame, NULL, &end, &signal_frame);

	if (return_address < 0 || return_address >= REGISTERS_MAX ||
	        !compile_cfa(frame, arena, &row.cfa))
		return &no_row;
	row.return_address = (uint8_t)return_address;
	row.signal_frame = signal_frame;
	row.ends_here = end == address + 1;
	for (unsigned number = 0; number < arch->register_count; number++) {
		struct cfi_rule *rule = &rules[row.rule_count];

		if (!compile_register(frame, number, arena, rule))
			return &no_row;
		rule->target = (uint8_t)number;
		row.rule_count += rule->kind != CFI_SAME;
	}
	row.rules = arena_copy(arena, rules, row.rule_count * sizeof(*rules));
	return arena_copy(arena, &row, sizeof(row));
}

static const struct cfi_row *look_up(
        Dwarf_CFI *cfi, const struct arch *arch, struct arena *arena, uint64_t address)
{
	Dwarf_Frame *frame = NULL;

	if (!cfi || dwarf_cfi_addrframe(cfi, address, &frame) != 0)
		return &no_row;
	const struct cfi_row *row = compile_row(frame, arch, arena, address);
	free(frame);
	return row;
}

/* Asked first, since to open the DWARF takes long. */
static bool has_debug_frame(struct image *image, int root)
{
	Elf64_Shdr header;

	image_find_debug(image, root);
	return elf_section(
		image->debug_elf ? image->debug_elf : image->elf, ".debug_frame", &header);
}

const struct cfi_row *cfi_find(
        struct image *image, const struct arch *arch, int root, uint64_t address)
{
	struct rows *rows = rows_of(image);

	if (rows->slot_count) {
		const struct slot *slot = find_slot(rows, address);

		if (slot->row)
			return slot->row == &no_row ? NULL : slot->row;
	}
	if (!rows->eh_frame_sought) {
		rows->eh_frame_sought = true;
		rows->eh_frame = image->elf ? dwarf_getcfi_elf(image->elf) : NULL;
	}
	const struct cfi_row *row = look_up(rows->eh_frame, arch, rows->arena, address);
	if (row == &no_row && image->elf) {
		Dwarf *dwarf = has_debug_frame(image, root) ? image_dwarf(image, root) : NULL;

		if (dwarf)
			row = look_up(dwarf_getcfi(dwarf), arch, rows->arena, address);
	}
	remember(rows, address, row);
	return row == &no_row ? NULL : row;
}

static enum cfi_outcome evaluate(const struct cfi_rule *rule, struct cfi_step *step,
        const struct registers *registers, uint64_t *value)
{
	struct expression_context context = {
	        .registers = registers,
	        .memory = step->memory,
	        .bias = step->bias,
	        .cfa = step->cfa,
	};

	switch (expression_evaluate(&context, rule->operations, rule->operation_count, value)) {
	case EXPRESSION_DONE:
		return CFI_STEPPED;
	case EXPRESSION_UNKNOWN_REGISTER:
		step->missing_register = context.missing_register;
		return CFI_UNKNOWN_REGISTER;
	case EXPRESSION_UNREADABLE:
		step->missing_address = 0;
		return CFI_UNREADABLE;
	default:
		return CFI_INVALID;
	}
}

static enum cfi_outcome load(struct cfi_step *step, uint64_t address, uint64_t *value)
{
	if (memory_read(step->memory, address, value, sizeof(*value)))
		return CFI_STEPPED;
	step->missing_address = address;
	return CFI_UNREADABLE;
}

/* The value that @rule gives; CFI_OUTERMOST stands for "undefined". */
static enum cfi_outcome apply_rule(const struct cfi_rule *rule, struct cfi_step *step,
        const struct registers *registers, uint64_t *value)
{
	enum cfi_outcome outcome;

	switch (rule->kind) {
	case CFI_AT_CFA:
		return load(step, step->cfa + (uint64_t)rule->offset, value);
	case CFI_CFA:
		*value = step->cfa + (uint64_t)rule->offset;
		return CFI_STEPPED;
	case CFI_REGISTER:
		if (!register_known(registers, rule->source)) {
			step->missing_register = rule->source;
			return CFI_UNKNOWN_REGISTER;
		}
		*value = registers->value[rule->source] + (uint64_t)rule->offset;
		return CFI_STEPPED;
	case CFI_AT_EXPRESSION:
		outcome = evaluate(rule, step, registers, value);
		return outcome == CFI_STEPPED ? load(step, *value, value) : outcome;
	case CFI_EXPRESSION:
		return evaluate(rule, step, registers, value);
	default:
		return CFI_OUTERMOST;
	}
}

enum cfi_outcome cfi_apply(
        const struct cfi_row *row, struct cfi_step *step, struct registers *registers)
{
	const struct arch *arch = step->arch;
	struct registers caller = *registers;
	enum cfi_outcome outcome = apply_rule(&row->cfa, step, registers, &step->cfa);

	if (outcome != CFI_STEPPED)
		return outcome;
	register_set(&caller, arch->sp, step->cfa); /* unless a rule says otherwise */
	for (size_t i = 0; i < row->rule_count; i++) {
		const struct cfi_rule *rule = &row->rules[i];
		uint64_t value;

		if (rule->target == arch->sp && rule->kind == CFI_UNDEFINED)
			continue;
		outcome = apply_rule(rule, step, registers, &value);
		if (outcome == CFI_STEPPED)
			register_set(&caller, rule->target, value);
		else if (rule->target == row->return_address || rule->target == arch->sp)
			return outcome;
		else /* the stack may well go on without it */
			caller.known &= ~(UINT64_C(1) << rule->target);
	}
	if (!register_known(&caller, row->return_address)) {
		step->missing_register = row->return_address;
		return CFI_UNKNOWN_REGISTER;
	}
	register_set(&caller, arch->pc, caller.value[row->return_address] & arch->code_mask);
	*registers = caller;
	return CFI_STEPPED;
}
