// SPDX-License-Identifier: Apache-2.0
#include "symbolize/symbolize.h"

#include <stdlib.h>
#include <string.h>

#include "elf/root.h"
#include "symbolize/image_names.h"
#include "symbolize/perf_map.h"
#include "util/address_table.h"
#include "util/memory.h"

/* What a pc means besides its address: part of what is looked up once. */
#define IS_RETURN 1u
#define IS_SIGNAL 2u
#define IS_UNCERTAIN 4u

/* A distinct code address of the process, and the frames that stand for it in every stack. */
struct place {
	struct code_address address;
	bool is_signal, is_uncertain;
	const struct module *module; /* NULL: in no file */
	uint64_t lookup; /* in the module's file; in the process where there is no module */
	const struct frame *frames;
	size_t frame_count;
};

struct symbolizer {
	struct process *process;
	struct modules *modules;
	struct arena *arena;
	struct address_table table;
	struct place *places; /* by their number in the table */
	size_t capacity;
	size_t budget; /* as in lines_find() */
};

/* Names the place by what a language's runtime knows of its code, if it knows it. */
static void name_by_runtime(struct symbolizer *symbolizer, struct place *place)
{
	const struct code *code = symbolizer->process->code;

	if (code)
		place->frame_count = code->name(code, place->address, &place->frames);
	if (!place->frame_count || (!place->is_signal && !place->is_uncertain))
		return;
	struct frame *frames =
		arena_copy(symbolizer->arena, place->frames, place->frame_count * sizeof(*frames));
	for (size_t i = 0; i < place->frame_count; i++) {
		frames[i].uncertain |= place->is_uncertain;
		if (place->is_signal)
			frames[i].kind = "signal";
	}
	place->frames = frames;
}

/* The number of the place of a stack's address. */
static size_t find_place(
	struct symbolizer *symbolizer, const struct user_stack *stack, size_t index)
{
	struct code_address address = stack->addresses[index];
	bool is_signal = stack->signal_frame && stack->signal_frame[index];
	bool is_uncertain = stack->uncertain && stack->uncertain[index];
	uint32_t flags = (address.is_return ? IS_RETURN : 0) | (is_signal ? IS_SIGNAL : 0) |
			 (is_uncertain ? IS_UNCERTAIN : 0);
	size_t number;

	if (!address_table_add(&symbolizer->table, address.value, flags, &number))
		return number;
	while (number >= symbolizer->capacity) {
		symbolizer->capacity = symbolizer->capacity ? 2 * symbolizer->capacity : 64;
		symbolizer->places = reallocate(
			symbolizer->places, symbolizer->capacity, sizeof(*symbolizer->places));
	}
	struct place *place = &symbolizer->places[number];
	*place = (struct place){
		.address = address, .is_signal = is_signal, .is_uncertain = is_uncertain};
	/* A trampoline is never called: the kernel points the handler's return at its first byte.
	 */
	uint64_t lookup = is_signal ? address.value : code_lookup(address);
	place->module = modules_find(symbolizer->modules, lookup);
	place->lookup = place->module ? lookup - place->module->bias : lookup;
	name_by_runtime(symbolizer, place);
	return number;
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = *(struct place *const *)left, *b = *(struct place *const *)right;
	uintptr_t module_a = (uintptr_t)a->module, module_b = (uintptr_t)b->module;

	if (module_a != module_b)
		return module_a < module_b ? -1 : 1;
	return a->lookup < b->lookup ? -1 : a->lookup > b->lookup;
}

static struct frame *add_frames(struct symbolizer *symbolizer, struct place *place, size_t count)
{
	struct frame *frames = arena_new(symbolizer->arena, struct frame, count);

	for (size_t i = 0; i < count; i++)
		frames[i] = (struct frame){
			.address = place->address,
			.module = place->module ? place->module->path : NULL,
			.build_id = place->module ? place->module->image->build_id : NULL,
			.kind = place->is_signal ? "signal" : "native",
			.uncertain = place->is_uncertain,
			.inlined = i + 1 < count,
		};
	place->frames = frames;
	place->frame_count = count;
	return frames;
}

/* @bias: from the symbol's addresses to the process's. */
static void set_symbol(struct frame *frame, const struct symbol *symbol, uint64_t bias)
{
	if (!symbol->name)
		return;
	frame->symbol = symbol->name;
	frame->uncertain |= symbol->is_guess;
	frame->has_offset = true;
	frame->offset = frame->address.value - bias - symbol->start;
}

static void make_frames(
	struct symbolizer *symbolizer, struct place *place, const struct address_names *names)
{
	size_t count = names->source.count ? names->source.count : 1;
	struct frame *frames = add_frames(symbolizer, place, count);

	for (size_t i = 0; i < names->source.count; i++) {
		const struct source_frame *source = &names->source.frames[i];

		frames[i].symbol = source->function;
		frames[i].file = source->file;
		frames[i].line = source->line;
	}
	set_symbol(&frames[count - 1], &names->symbol, place->module->bias);
}

/* Names the places of one module, or those of none, which stand in the order of their look-up. */
static void name_places(
	struct symbolizer *symbolizer, struct place **places, size_t count, enum lines_wanted lines)
{
	const struct module *module = places[0]->module;
	uint64_t *addresses cleanup_free = allocate(count * sizeof(*addresses));
	struct address_names *names cleanup_free = NULL;
	struct symbol *symbols cleanup_free = NULL;
	size_t distinct = 0;

	for (size_t i = 0; i < count; i++) {
		if (!distinct || addresses[distinct - 1] != places[i]->lookup)
			addresses[distinct++] = places[i]->lookup;
	}
	/* The program itself is what one looks at: its lines are worth any wait. */
	if (lines == LINES_QUICK && module && symbolizer->process->exe &&
		strcmp(module->path, symbolizer->process->exe) == 0)
		lines = LINES_ALL;
	if (module) {
		names = allocate(distinct * sizeof(*names));
		image_names_find(module->image, modules_root(symbolizer->modules), lines, addresses,
			distinct, names, &symbolizer->budget);
	} else {
		symbols = allocate(distinct * sizeof(*symbols));
		perf_map_find(symbolizer->process, modules_root(symbolizer->modules), addresses,
			distinct, symbols, symbolizer->arena);
	}
	for (size_t i = 0, at = 0; i < count; i++) {
		at += addresses[at] != places[i]->lookup;
		if (module)
			make_frames(symbolizer, places[i], &names[at]);
		else
			set_symbol(add_frames(symbolizer, places[i], 1), &symbols[at], 0);
	}
}

static void name_all(struct symbolizer *symbolizer, enum lines_wanted lines)
{
	size_t count = 0;
	struct place **sorted cleanup_free = allocate(symbolizer->table.count * sizeof(*sorted));

	for (size_t i = 0; i < symbolizer->table.count; i++) {
		if (!symbolizer->places[i].frame_count)
			sorted[count++] = &symbolizer->places[i];
	}
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_places);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && sorted[end]->module == sorted[i]->module;)
			end++;
		name_places(symbolizer, sorted + i, end - i, lines);
	}
}

/* @numbers: of the places of its addresses. */
static void fill_stack(
	const struct symbolizer *symbolizer, const uint32_t *numbers, struct user_stack *stack)
{
	size_t count = 0;

	for (size_t i = 0; i < stack->address_count; i++)
		count += symbolizer->places[numbers[i]].frame_count;
	stack->frames = arena_new(symbolizer->arena, const struct frame *, count);
	stack->frame_count = 0;
	for (size_t i = 0; i < stack->address_count; i++) {
		const struct place *place = &symbolizer->places[numbers[i]];

		for (size_t j = 0; j < place->frame_count; j++)
			stack->frames[stack->frame_count++] = &place->frames[j];
	}
}

static size_t count_addresses(const struct process *process)
{
	size_t count = 0;

	for (size_t i = 0; i < process->user_stack_count; i++)
		count += process->user_stacks[i]->address_count;
	return count;
}

void symbolize_process(struct process *process, struct modules *modules, enum lines_wanted lines,
	struct arena *arena)
{
	uint32_t *numbers cleanup_free = allocate(count_addresses(process) * sizeof(*numbers));
	struct symbolizer symbolizer = {
		.process = process, .modules = modules, .arena = arena, .budget = LINES_BUDGET};

	for (size_t i = 0, at = 0; i < process->user_stack_count; i++) {
		const struct user_stack *stack = process->user_stacks[i];

		for (size_t j = 0; j < stack->address_count; j++)
			numbers[at++] = (uint32_t)find_place(&symbolizer, stack, j);
	}
	name_all(&symbolizer, lines);
	if (modules_root(modules)->lacks_debug)
		gaps_add(&process->gaps, arena, STAGE_SYMBOLS,
			"the file system of debug files gives no answer: names that only they tell "
			"are missing");
	for (size_t i = 0, at = 0; i < process->user_stack_count; i++) {
		struct user_stack *stack = process->user_stacks[i];

		fill_stack(&symbolizer, numbers + at, stack);
		at += stack->address_count;
	}
	address_table_deinit(&symbolizer.table);
	free(symbolizer.places);
}
