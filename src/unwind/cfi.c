// SPDX-License-Identifier: Apache-2.0
#include "unwind/cfi.h"

#include <stdlib.h>

#include "unwind/cfi_program.h"
#include "unwind/cfi_section.h"
#include "unwind/expression.h"
#include "util/arena.h"
#include "util/memory.h"

/* Rows by address in the file: open addressing, a power of two of slots, at most half full. */
struct slot {
	uint64_t address;
	const struct cfi_row *row; /* NULL: an empty slot */
};

/* Where rows come from, in the order of trust. */
enum source {
	EH_FRAME,
	DEBUG_FRAME,
	DEBUG_FRAME_OF_DEBUG_FILE,
	SOURCE_COUNT,
};

struct rows {
	struct arena *arena;
	struct cfi_section sections[SOURCE_COUNT];
	bool sought[SOURCE_COUNT], usable[SOURCE_COUNT];
	struct slot *slots;
	size_t slot_count, used;
};

static const struct cfi_row no_row;

static void rows_free(void *memory)
{
	struct rows *rows = memory;

	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		if (rows->sought[i])
			cfi_section_deinit(&rows->sections[i]);
	}
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

/*
 * What is done with registers that CFI says nothing of: those that a callee must preserve, and one
 * that holds a return address which no call has pushed, are as they were; the others may hold
 * anything.
 */
static uint8_t default_rule(const struct arch *arch, unsigned return_address, unsigned number)
{
	if (arch->preserved >> number & 1)
		return CFI_SAME;
	return number == return_address && number != arch->pc ? CFI_SAME : CFI_UNDEFINED;
}

/* Rows are made of what is left of a state once all that goes without saying is left out. */
static const struct cfi_row *compile_row(const struct cfi_entry *entry, const struct arch *arch,
	uint64_t address, struct arena *arena)
{
	struct cfi_rule rules[REGISTERS_MAX];
	struct cfi_row row = {.signal_frame = entry->signal_frame};
	struct cfi_state state;
	uint64_t end;

	if (entry->return_address >= arch->register_count ||
		!cfi_execute(entry, arch, address, &state, &end) ||
		state.cfa.kind == CFI_UNSPECIFIED)
		return &no_row;
	row.cfa = state.cfa;
	row.return_address = (uint8_t)entry->return_address;
	row.ends_here = end == address + 1;
	/* A return address that a call pushed must lie somewhere. */
	if (row.return_address == arch->pc &&
		state.rules[row.return_address].kind == CFI_UNSPECIFIED)
		return &no_row;
	row.outermost = state.rules[row.return_address].kind == CFI_UNDEFINED;
	for (unsigned number = 0; number < arch->register_count; number++) {
		struct cfi_rule *rule = &state.rules[number];

		/* The CFA is the caller's sp unless a rule says otherwise. */
		if (number == arch->sp && rule->kind <= CFI_UNDEFINED)
			continue;
		if (rule->kind == CFI_UNSPECIFIED)
			rule->kind = default_rule(arch, row.return_address, number);
		rule->target = (uint8_t)number;
		if (rule->kind == CFI_UNDEFINED)
			row.lost |= UINT64_C(1) << number;
		else if (rule->kind != CFI_SAME || number == arch->sp)
			rules[row.rule_count++] = *rule;
	}
	struct cfi_row *kept = arena_alloc(arena, sizeof(row) + row.rule_count * sizeof(*rules));
	*kept = row;
	memcpy(kept->rules, rules, row.rule_count * sizeof(*rules));
	return kept;
}

static bool open_source(
	struct rows *rows, enum source source, struct image *image, struct root *root)
{
	if (rows->sought[source])
		return rows->usable[source];
	rows->sought[source] = true;
	switch (source) {
	case EH_FRAME:
		rows->usable[source] = cfi_section_init_eh_frame(&rows->sections[source], image);
		break;
	case DEBUG_FRAME:
		rows->usable[source] =
			cfi_section_init_debug_frame(&rows->sections[source], image->elf);
		break;
	default:
		image_find_debug(image, root);
		rows->usable[source] =
			cfi_section_init_debug_frame(&rows->sections[source], image->debug_elf);
		break;
	}
	return rows->usable[source];
}

static const struct cfi_row *look_up(struct rows *rows, struct image *image,
	const struct arch *arch, struct root *root, uint64_t address)
{
	struct cfi_entry entry;

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		if (open_source(rows, source, image, root) &&
			cfi_section_find(&rows->sections[source], address, &entry))
			return compile_row(&entry, arch, address, rows->arena);
	}
	return &no_row;
}

const struct cfi_row *cfi_find(
	struct image *image, const struct arch *arch, struct root *root, uint64_t address)
{
	struct rows *rows = rows_of(image);
	const struct cfi_row *row = NULL;

	if (rows->slot_count)
		row = find_slot(rows, address)->row;
	if (!row) {
		row = look_up(rows, image, arch, root, address);
		remember(rows, address, row);
	}
	return row == &no_row ? NULL : row;
}

/* @cfa is what the expression begins with; NULL where it is the CFA's own. */
static enum cfi_outcome evaluate(const struct cfi_rule *rule, struct cfi_step *step,
	const struct registers *registers, const uint64_t *cfa, uint64_t *value)
{
	struct expression_context context = {
		.registers = registers,
		.memory = step->memory,
		.bias = step->bias,
		.pushed = cfa,
	};

	switch (expression_evaluate(&context, rule->expression, rule->length, value)) {
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

static enum cfi_outcome load_register(struct cfi_step *step, const struct cfi_rule *rule,
	const struct registers *registers, uint64_t *value)
{
	if (!register_known(registers, rule->source)) {
		step->missing_register = rule->source;
		return CFI_UNKNOWN_REGISTER;
	}
	*value = registers->value[rule->source] + (uint64_t)rule->offset;
	return CFI_STEPPED;
}

/* The value that the rule of a register gives. */
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
		return load_register(step, rule, registers, value);
	case CFI_AT_EXPRESSION:
		outcome = evaluate(rule, step, registers, &step->cfa, value);
		return outcome == CFI_STEPPED ? load(step, *value, value) : outcome;
	case CFI_EXPRESSION:
		return evaluate(rule, step, registers, &step->cfa, value);
	default: /* CFI_SAME, of sp */
		*value = registers->value[rule->target];
		return CFI_STEPPED;
	}
}

enum cfi_outcome cfi_apply(
	const struct cfi_row *row, struct cfi_step *step, struct registers *registers)
{
	const struct arch *arch = step->arch;
	uint64_t values[REGISTERS_MAX +
			1]; /* of the rules: each is applied to the callee's registers */
	uint64_t known = registers->known & ~row->lost;
	enum cfi_outcome outcome;

	if (row->outermost)
		return CFI_OUTERMOST;
	outcome = row->cfa.kind == CFI_REGISTER
			  ? load_register(step, &row->cfa, registers, &step->cfa)
			  : evaluate(&row->cfa, step, registers, NULL, &step->cfa);
	if (outcome != CFI_STEPPED)
		return outcome;
	known |= UINT64_C(1) << arch->sp;
	for (size_t i = 0; i < row->rule_count; i++) {
		const struct cfi_rule *rule = &row->rules[i];

		outcome = apply_rule(rule, step, registers, &values[i]);
		if (outcome == CFI_STEPPED)
			known |= UINT64_C(1) << rule->target;
		else if (rule->target == row->return_address || rule->target == arch->sp)
			return outcome;
		else /* the stack may well go on without it */
			known &= ~(UINT64_C(1) << rule->target);
	}
	if (!(known >> row->return_address & 1)) {
		step->missing_register = row->return_address;
		return CFI_UNKNOWN_REGISTER;
	}
	registers->known = known | UINT64_C(1) << arch->pc;
	registers->value[arch->sp] = step->cfa;
	for (size_t i = 0; i < row->rule_count; i++) {
		if (known >> row->rules[i].target & 1)
			registers->value[row->rules[i].target] = values[i];
	}
	registers->value[arch->pc] = registers->value[row->return_address] & arch->code_mask;
	return CFI_STEPPED;
}
