// SPDX-License-Identifier: Apache-2.0
#include "unwind/unwind.h"

#include <inttypes.h>
#include <stdlib.h>

#include "unwind/cfi.h"
#include "unwind/code_places.h"
#include "unwind/machine.h"
#include "unwind/stack_memory.h"
#include "unwind/stack_set.h"
#include "util/memory.h"
#include "util/text.h"

/* Stacks without unwind information need some hundreds of instructions; hostile ones get no more
 * time. */
#define FOLLOW_BUDGET 32768

struct walk {
	const struct arch *arch;
	const struct machine *machine;
	struct modules *modules;
	struct code_places *places;
	struct code_place *place; /* of the frame that was added last */
	const struct memory *memory;
	struct registers registers;
	uint64_t known_at_first; /* registers that were known of the innermost frame */
	struct arena *arena;

	/* pc is the instruction to execute next, not one that a call returns to. */
	bool at_instruction;
	bool guessed;               /* the step before is not sure */
	size_t follow_budget;       /* instructions that may still be followed */
	struct code_step code_step; /* through code that a language's runtime knows */

	struct user_stack stack; /* in the making, in heap memory */
	size_t capacity;
};

/* Whether the walk goes on with another frame. */
enum step {
	STEP_ON,
	STEP_END, /* walk->stack.end and walk->stack.end_detail tell why */
};

static enum step end(struct walk *walk, enum stack_end reason, const char *detail)
{
	walk->stack.end = reason;
	walk->stack.end_detail = detail;
	return STEP_END;
}

static bool is_executable(const struct walk *walk, uint64_t address)
{
	const struct mapping *mapping = modules_mapping(walk->modules, address);

	return mapping && mapping->executable;
}

/* What is known of the code at @address. */
static struct code_place *find_place(struct walk *walk, uint64_t address, bool is_return)
{
	return code_places_find(walk->places, walk->place,
		(struct code_address){.value = address, .is_return = is_return});
}

static uint64_t *register_at(struct walk *walk, unsigned number)
{
	return &walk->registers.value[number];
}

static bool is_same_mapping(const struct walk *walk, uint64_t a, uint64_t b)
{
	const struct mapping *mapping = modules_mapping(walk->modules, a);

	return mapping && mapping == modules_mapping(walk->modules, b);
}

static enum step cannot_read(struct walk *walk, uint64_t address)
{
	return end(walk, STACK_UNREADABLE,
		arena_printf(walk->arena, "memory at 0x%" PRIx64 " can't be read", address));
}

/* Why a frame could not be left by its row. */
static enum step explain_failure(
	struct walk *walk, enum cfi_outcome outcome, const struct cfi_step *step)
{
	const char *name;

	switch (outcome) {
	case CFI_OUTERMOST:
		return end(walk, STACK_COMPLETE, NULL);
	case CFI_UNREADABLE:
		if (!step->missing_address)
			return end(walk, STACK_UNREADABLE,
				"memory that its unwind rule needs can't be read");
		return cannot_read(walk, step->missing_address);
	case CFI_UNKNOWN_REGISTER:
		name = walk->machine->register_name(step->missing_register);
		if (!(walk->known_at_first >> step->missing_register & 1))
			return end(walk, STACK_UNREADABLE,
				arena_printf(
					walk->arena, "needs %s, which only a stop shows", name));
		return end(walk, STACK_UNREADABLE,
			arena_printf(walk->arena, "needs %s, which was not kept", name));
	default:
		return end(walk, STACK_NO_UNWIND_INFO, "its unwind rules make no sense");
	}
}

/*
 * Checks what a step came to, from the frame whose sp was @sp. A caller's frame stands above its
 * callee's; only where the return address comes @from_register may a leaf use no stack at all.
 */
static enum step check_step(struct walk *walk, uint64_t sp, bool from_signal, bool from_register)
{
	uint64_t new_sp = *register_at(walk, walk->arch->sp),
		 pc = *register_at(walk, walk->arch->pc);

	if (!from_signal) {
		bool leaf = walk->at_instruction && from_register;

		if (pc == 0)
			return end(walk, STACK_COMPLETE, NULL);
		if (new_sp < sp || (new_sp == sp && !leaf))
			return end(walk, STACK_NO_UNWIND_INFO,
				"its caller's frame would lie below it");
		if (!find_place(walk, pc, true)->is_executable)
			return end(walk, STACK_NO_UNWIND_INFO,
				arena_printf(walk->arena,
					"its return address 0x%" PRIx64
					" is not in executable memory",
					pc));
	}
	walk->at_instruction = from_signal;
	return STEP_ON;
}

static enum step check_progress(struct walk *walk, uint64_t sp, bool from_signal)
{
	return check_step(walk, sp, from_signal, walk->arch->return_address != walk->arch->pc);
}

/*
 * Whether the return address is in a register: on aarch64 until it is saved, on x86-64 in glibc's
 * vfork(), whose child would overwrite it (sysdeps/unix/sysv/linux/x86_64/vfork.S).
 */
static bool returns_by_register(const struct arch *arch, const struct cfi_row *row)
{
	for (unsigned i = 0; i < row->rule_count; i++) {
		if (row->rules[i].target == row->return_address)
			return row->rules[i].kind == CFI_REGISTER;
	}
	return arch->return_address != arch->pc;
}

static enum step step_by_row(
	struct walk *walk, const struct module *module, const struct cfi_row *row)
{
	struct cfi_step step = {
		.arch = walk->arch,
		.memory = walk->memory,
		.bias = module->bias,
	};
	uint64_t sp = *register_at(walk, walk->arch->sp);
	enum cfi_outcome outcome = cfi_apply(row, &step, &walk->registers);

	if (outcome != CFI_STEPPED)
		return explain_failure(walk, outcome, &step);
	return check_step(walk, sp, row->signal_frame, returns_by_register(walk->arch, row));
}

static enum step step_by_signal_context(struct walk *walk)
{
	uint64_t sp = *register_at(walk, walk->arch->sp);

	if (!walk->machine->interrupted_registers(walk->memory, sp, &walk->registers))
		return end(
			walk, STACK_UNREADABLE, "the registers that a signal saved can't be read");
	return check_progress(walk, sp, true);
}

static enum step no_unwind_info(struct walk *walk, const struct module *module)
{
	if (!module)
		return end(walk, STACK_NO_UNWIND_INFO,
			"no unwind information for code outside of any file");
	return end(walk, STACK_NO_UNWIND_INFO,
		arena_printf(walk->arena, "no unwind information in %s",
			escaped(walk->arena, module->path)));
}

/*
 * pc is not in executable memory: a call through a bad pointer. The call itself went well, so that
 * its return address is where a function finds it when it begins.
 */
static enum step step_from_bad_call(struct walk *walk)
{
	const struct arch *arch = walk->arch;
	uint64_t sp = *register_at(walk, arch->sp), address = 0;
	bool pushed = arch->return_address == arch->pc;
	bool found = pushed ? memory_read(walk->memory, sp, &address, sizeof(address))
			    : register_known(&walk->registers, arch->return_address);

	if (!pushed && found)
		address = *register_at(walk, arch->return_address) & arch->code_mask;
	if (!found || !is_executable(walk, address) ||
		!walk->machine->follows_call(walk->memory, address))
		return end(walk, STACK_NO_UNWIND_INFO, "it is not in executable memory");
	walk->guessed = true;
	register_set(&walk->registers, arch->pc, address);
	register_set(&walk->registers, arch->sp, sp + (pushed ? sizeof(address) : 0));
	return check_progress(walk, sp, false);
}

/* How far above a frame the one that the C library began with may lie, and how long its code is. */
#define BEGINNING_DISTANCE 1024
#define ENTRY_LENGTH 64

/* Whether a call at @address was made by what a program or a thread begins with. */
static bool is_beginning(struct walk *walk, uint64_t address)
{
	const struct module *module = modules_find(walk->modules, address);

	if (!module)
		return false;
	if (module->image->entry && address - module->bias - module->image->entry < ENTRY_LENGTH)
		return true;
	return walk->machine->ends_thread(walk->memory, address);
}

/*
 * What calls a function that never returns, as musl's libc_start_main_stage2() and start() call
 * exit(), can't be followed to a return. These are called by a program's or a thread's first code.
 */
static enum step step_to_beginning(struct walk *walk, const struct module *module)
{
	uint64_t sp = *register_at(walk, walk->arch->sp), address;

	if (walk->at_instruction || !register_known(&walk->registers, walk->arch->sp))
		return no_unwind_info(walk, module);
	for (uint64_t slot = sp; slot < sp + BEGINNING_DISTANCE; slot += sizeof(address)) {
		if (!memory_read(walk->memory, slot, &address, sizeof(address)))
			break;
		if (!is_executable(walk, address) ||
			!walk->machine->follows_call(walk->memory, address))
			continue;
		/* Another call lies between. */
		if (!is_beginning(walk, address))
			break;
		walk->guessed = true;
		walk->registers.known = 0;
		register_set(&walk->registers, walk->arch->pc, address);
		register_set(&walk->registers, walk->arch->sp, slot + sizeof(address));
		return check_progress(walk, sp, false);
	}
	return no_unwind_info(walk, module);
}

/*
 * The frame that fp points at: the caller's fp and the return address, both on x86-64
 * (psABI, 3.2.2) and aarch64 (AAPCS64, 6.4.6). It holds for code that keeps it, as JIT compilers'
 * does; of other code it is a guess.
 */
static enum step step_by_frame_pointer(struct walk *walk, const struct module *module)
{
	const struct arch *arch = walk->arch;
	uint64_t fp = *register_at(walk, arch->fp), sp = *register_at(walk, arch->sp);
	uint64_t record[2];

	if (!register_known(&walk->registers, arch->fp)) {
		const struct cfi_step step = {.missing_register = arch->fp};

		return explain_failure(walk, CFI_UNKNOWN_REGISTER, &step);
	}
	/* The outermost frame is marked so (psABI, 3.4.1; AAPCS64, 6.4.6). */
	if (fp == 0 && !walk->at_instruction)
		return end(walk, STACK_COMPLETE, NULL);
	if (fp % sizeof(uint64_t) || fp < sp)
		return step_to_beginning(walk, module);
	if (!memory_read(walk->memory, fp, record, sizeof(record)))
		return is_same_mapping(walk, fp, sp) ? cannot_read(walk, fp)
						     : step_to_beginning(walk, module);
	record[1] &= arch->code_mask;
	if (!is_executable(walk, record[1]))
		return step_to_beginning(walk, module);

	walk->guessed = module || walk->at_instruction ||
			!walk->machine->follows_call(walk->memory, record[1]);
	walk->registers.known = 0;
	register_set(&walk->registers, arch->fp, record[0]);
	register_set(&walk->registers, arch->pc, record[1]);
	register_set(&walk->registers, arch->sp, fp + sizeof(record));
	/* Where a call does not push, the frame's end is not known: sp is no more than a bound. */
	if (arch->return_address != arch->pc)
		walk->registers.known &= ~(UINT64_C(1) << arch->sp);
	return check_progress(walk, sp, false);
}

/* Code that keeps no frame pointer, as far as is known: what it does until it returns tells. */
static enum step step_by_code(struct walk *walk, const struct module *module)
{
	const uint64_t sp = *register_at(walk, walk->arch->sp);
	const uint64_t fp = *register_at(walk, walk->arch->fp);

	if (!walk->machine->follow_to_return ||
		!walk->machine->follow_to_return(
			walk->memory, walk->modules, &walk->registers, &walk->follow_budget))
		return step_by_frame_pointer(walk, module);
	/* Two ways to the same place are no guess. */
	walk->guessed = *register_at(walk, walk->arch->sp) != fp + 2 * sizeof(uint64_t);
	return check_progress(walk, sp, false);
}

/* By what a language's runtime knows of its code; false: that is nothing. */
static bool step_by_runtime(struct walk *walk, enum step *outcome)
{
	const struct code *code = modules_code(walk->modules);
	struct code_step *step = &walk->code_step;
	uint64_t sp = *register_at(walk, walk->arch->sp);

	if (!code)
		return false;
	step->memory = walk->memory;
	step->registers = &walk->registers;
	step->at_instruction = walk->at_instruction;
	step->reason = NULL;
	switch (code->step(code, step)) {
	case CODE_STEPPED:
		*outcome = check_step(walk, step->switched ? 0 : sp, false, true);
		walk->at_instruction = step->at_instruction;
		return true;
	case CODE_SIGNAL_RETURN:
		walk->stack.signal_frame[walk->stack.address_count - 1] = true;
		*outcome = step_by_signal_context(walk);
		return true;
	case CODE_OUTERMOST:
		*outcome = end(walk, STACK_COMPLETE, NULL);
		return true;
	case CODE_UNREADABLE:
		*outcome = cannot_read(walk, step->missing_address);
		return true;
	case CODE_NOT_KNOWN:
		*outcome = end(walk, STACK_NO_UNWIND_INFO, step->reason);
		return true;
	default:
		return false;
	}
}

/* From the frame that walk->registers describe to its caller. */
static enum step step_out(struct walk *walk)
{
	enum step outcome = STEP_ON;

	if (step_by_runtime(walk, &outcome))
		return outcome;
	const struct code_address *address = &walk->place->address;
	const struct module *module = code_place_module(walk->places, walk->place);
	const struct cfi_row *row = code_place_row(walk->places, walk->place);
	bool *signal_frame = &walk->stack.signal_frame[walk->stack.address_count - 1];

	walk->guessed = false;
	/*
	 * A handler "returns" to the first instruction of the code that ends it: the byte before is
	 * another function's.
	 */
	if ((!row || (address->is_return && row->ends_here)) &&
		walk->machine->is_signal_return(walk->memory, address->value)) {
		*signal_frame = true;
		return step_by_signal_context(walk);
	}
	if (row) {
		*signal_frame = row->signal_frame;
		return step_by_row(walk, module, row);
	}
	if (walk->at_instruction && !is_executable(walk, address->value))
		return step_from_bad_call(walk);
	if (address->is_return && is_beginning(walk, address->value))
		return end(walk, STACK_COMPLETE, NULL);
	/* Generated code keeps a frame pointer, but not in its first and last instructions. */
	if (module || walk->at_instruction)
		return step_by_code(walk, module);
	return step_by_frame_pointer(walk, module);
}

static void add_frame(struct walk *walk)
{
	struct user_stack *stack = &walk->stack;
	size_t count = stack->address_count;

	if (count == walk->capacity) {
		walk->capacity = walk->capacity ? 2 * walk->capacity : 64;
		stack->addresses =
			reallocate(stack->addresses, walk->capacity, sizeof(*stack->addresses));
		stack->signal_frame = reallocate(
			stack->signal_frame, walk->capacity, sizeof(*stack->signal_frame));
		stack->uncertain =
			reallocate(stack->uncertain, walk->capacity, sizeof(*stack->uncertain));
	}
	walk->place = find_place(walk, *register_at(walk, walk->arch->pc), !walk->at_instruction);
	stack->addresses[count] = walk->place->address;
	stack->signal_frame[count] = false;
	stack->uncertain[count] = walk->guessed;
	stack->address_count++;
}

static void walk_init(
	struct walk *walk, const struct arch *arch, struct modules *modules, struct arena *arena)
{
	*walk = (struct walk){
		.arch = arch,
		.machine = machine_of(arch),
		.modules = modules,
		.places = code_places_create(arch, modules),
		.arena = arena,
	};
}

static void walk_deinit(struct walk *walk)
{
	code_places_destroy(walk->places);
	free(walk->stack.addresses);
	free(walk->stack.signal_frame);
	free(walk->stack.uncertain);
}

/* Fills walk->stack, whose memory serves the next stack as well. */
static void walk_stack(struct walk *walk, const struct registers *registers,
	const struct memory *memory, size_t max_frames)
{
	enum step step = STEP_ON;

	walk->memory = memory;
	walk->registers = *registers;
	walk->known_at_first = registers->known;
	walk->at_instruction = true;
	walk->guessed = false;
	walk->follow_budget = FOLLOW_BUDGET;
	walk->place = NULL;
	walk->code_step = (struct code_step){0};
	walk->stack.address_count = 0;
	if (!register_known(registers, walk->arch->pc) ||
		!register_known(registers, walk->arch->sp))
		step = end(walk, STACK_UNREADABLE, "its registers are not known");
	while (step == STEP_ON && walk->stack.address_count < max_frames) {
		add_frame(walk);
		step = step_out(walk);
	}
	if (step == STEP_ON)
		end(walk, STACK_LIMIT, NULL);
}

struct user_stack *unwind_stack(const struct arch *arch, struct modules *modules,
	const struct registers *registers, const struct memory *memory, size_t max_frames,
	struct arena *arena)
{
	struct stack_set set = {.arena = arena};
	struct walk walk;

	walk_init(&walk, arch, modules, arena);
	walk_stack(&walk, registers, memory, max_frames);
	struct user_stack *stack = stack_set_add(&set, &walk.stack);
	stack_set_deinit(&set);
	walk_deinit(&walk);
	return stack;
}

/* Unwinds the threads into process->user_stacks. */
static void unwind(struct process *process, struct thread *const *threads, size_t count,
	struct modules *modules, size_t max_frames, struct arena *arena)
{
	struct stack_set set = {.arena = arena};
	struct walk walk;

	walk_init(&walk, arch_native, modules, arena);
	for (size_t i = 0; i < count; i++) {
		struct thread *thread = threads ? threads[i] : &process->threads[i];

		if (!thread->registers.known)
			continue;
		bool went_beyond = false;
		struct stack_memory memory = stack_memory_of(process, thread, modules,
			thread->registers.value[arch_native->sp], &went_beyond);
		walk_stack(&walk, &thread->registers, &memory.memory, max_frames);
		if (went_beyond && process->still_there && !process->still_there(process, thread)) {
			memory.held_still = thread->held_still = false;
			walk_stack(&walk, &thread->registers, &memory.memory, max_frames);
		}
		thread->user_stack = stack_set_add(&set, &walk.stack);
	}
	process->user_stacks = arena_copy(arena, set.items, set.count * sizeof(*set.items));
	process->user_stack_count = set.count;
	stack_set_deinit(&set);
	walk_deinit(&walk);
}

void unwind_process(
	struct process *process, struct modules *modules, size_t max_frames, struct arena *arena)
{
	unwind(process, NULL, process->thread_count, modules, max_frames, arena);
}

void unwind_threads(struct process *process, struct thread *const *threads, size_t count,
	struct modules *modules, size_t max_frames, struct arena *arena)
{
	unwind(process, threads, count, modules, max_frames, arena);
}
