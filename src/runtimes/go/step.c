// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/step.h"

#include "arch/arch.h"
#include "runtimes/go/globals.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)

/* Calls between C and Go that may be nested: each needs a switch. */
#define SWITCHES_MAX 256

enum code_outcome go_step(const struct go_process *go, const struct go_place *place,
	const struct memory *memory, struct go_cursor *cursor, uint64_t *missing_address)
{
	uint64_t frame_end, return_address = cursor->link, slot;

	if (!place->has_frame_size || place->frame_size < 0)
		return CODE_NOT_KNOWN;
	frame_end = cursor->sp + (uint32_t)place->frame_size;
	if (go->uses_link_register) {
		slot = cursor->sp;
		if (cursor->innermost && place->frame_size > 0)
			return_address = 0;
	} else {
		slot = frame_end;
		frame_end += WORD;
		return_address = 0;
	}
	if (frame_end < cursor->sp)
		return CODE_NOT_KNOWN;
	if (!return_address && !memory_read(memory, slot, &return_address, WORD)) {
		*missing_address = slot;
		return CODE_UNREADABLE;
	}
	cursor->pc = return_address;
	cursor->sp = frame_end;
	cursor->link = 0;
	cursor->innermost = false;
	cursor->at_instruction = place->function.kind == GO_INJECTED;
	return CODE_STEPPED;
}

/* What is kept of a step across the stacks of a thread. */
struct crossing {
	const struct go_process *go;
	struct code_step *step;
	const struct go_place *place;
	struct go_cursor cursor;
};

static enum code_outcome not_known(struct code_step *step, const char *reason)
{
	step->reason = reason;
	return CODE_NOT_KNOWN;
}

static enum code_outcome ordinary(struct crossing *crossing)
{
	return go_step(crossing->go, crossing->place, crossing->step->memory, &crossing->cursor,
		&crossing->step->missing_address);
}

static bool allow_switch(struct code_step *step)
{
	step->switched = true;
	return step->switch_count++ < SWITCHES_MAX;
}

#define ELSEWHERE "it goes on on its goroutine's stack"

/* The goroutine goes on where it was when its stack was too small: newstack() in stack.go. */
static enum code_outcome from_morestack(struct crossing *crossing)
{
	const struct go_machine *machine = go_machine_of_stack(crossing->go, crossing->cursor.sp);

	if (!machine || !machine->curg_sp || !allow_switch(crossing->step))
		return not_known(crossing->step, ELSEWHERE);
	crossing->cursor = (struct go_cursor){.pc = machine->curg_pc, .sp = machine->curg_sp};
	return CODE_STEPPED;
}

/*
 * asm_amd64.s, systemstack(): the goroutine's sched has where it called. On the goroutine's own
 * stack, before it switches, or called from the scheduler, it is a function like others.
 */
static enum code_outcome from_systemstack(struct crossing *crossing)
{
	const struct go_machine *machine = go_machine_of_stack(crossing->go, crossing->cursor.sp);

	if (!machine || (crossing->step->at_instruction && !machine->curg_sp))
		return ordinary(crossing);
	if (!machine->curg_sp || !allow_switch(crossing->step))
		return not_known(crossing->step, ELSEWHERE);
	crossing->cursor.sp = machine->curg_sp;
	return ordinary(crossing);
}

/*
 * asm_amd64.s, asmcgocall(): on the thread's stack it keeps the goroutine and how deep in its
 * stack it was. At 8 and 0 from sp; at 48 and 40 up to Go 1.19, the other way round on aarch64.
 */
static enum code_outcome from_asmcgocall(struct crossing *crossing)
{
	static const struct {
		uint8_t goroutine, depth;
	} slots[] = {{8, 0}, {48, 40}, {0, 8}};
	const struct go_process *go = crossing->go;
	const struct go_layout *layout = go->layout;
	uint64_t words[7] = {0}, bounds[2], self;
	size_t got = crossing->step->memory->read(
		crossing->step->memory, crossing->cursor.sp, words, sizeof(words));

	for (size_t i = 0; i < array_length(slots); i++) {
		uint64_t goroutine = words[slots[i].goroutine / WORD];
		uint64_t depth = words[slots[i].depth / WORD];

		if (slots[i].goroutine + WORD > got || slots[i].depth + WORD > got ||
			goroutine % WORD ||
			!memory_read(go->memory, goroutine + layout->g.sched_g, &self, WORD) ||
			self != goroutine ||
			!memory_read(go->memory, goroutine + layout->g.stack_lo, bounds,
				sizeof(bounds)) ||
			depth > bounds[1] - bounds[0] || !depth)
			continue;
		if (!allow_switch(crossing->step))
			break;
		crossing->cursor.sp = bounds[1] - depth;
		/* It has no frame there. */
		uint64_t *pc = &crossing->cursor.pc;
		if (!memory_read(crossing->step->memory, crossing->cursor.sp, pc, WORD)) {
			crossing->step->missing_address = crossing->cursor.sp;
			return CODE_UNREADABLE;
		}
		crossing->cursor.sp += go->uses_link_register ? 0 : WORD;
		return CODE_STEPPED;
	}
	return not_known(crossing->step, ELSEWHERE);
}

/*
 * asm_amd64.s, cgocallback(): C called it on the thread's stack, where it has a frame like the one
 * on the goroutine's; g0's sched.sp is that frame's, and its first word the one of the call before.
 */
static enum code_outcome from_cgocallback(struct crossing *crossing)
{
	const struct go_process *go = crossing->go;
	struct code_step *step = crossing->step;
	const struct go_machine *machine = go_machine_of_goroutine_stack(go, crossing->cursor.sp);

	if (!machine)
		return ordinary(crossing);
	uint64_t sp = step->other_stack ? step->other_stack : machine->g0_saved_sp;
	if (go_machine_of_stack(go, sp) != machine || !allow_switch(step))
		return not_known(step, "it goes on in C, on its thread's stack");
	if (!memory_read(step->memory, sp, &step->other_stack, WORD))
		step->other_stack = 0;
	crossing->cursor.sp = sp;
	return ordinary(crossing);
}

/* sys_linux_amd64.s, time_linux_amd64.s: before the vDSO is called sp is kept in r12. */
#define R12 12

static enum code_outcome from_vdso_caller(struct crossing *crossing)
{
	const struct code_step *step = crossing->step;

	if (crossing->go->uses_link_register || !register_known(step->registers, R12) ||
		step->at_instruction)
		return not_known(crossing->step, ELSEWHERE);
	crossing->step->switched = true;
	crossing->cursor.sp = step->registers->value[R12];
	return ordinary(crossing);
}

static enum code_outcome cross(struct crossing *crossing)
{
	switch (crossing->place->function.kind) {
	case GO_OUTERMOST:
	case GO_MCALL:
		return CODE_OUTERMOST;
	case GO_SIGRETURN:
		return CODE_SIGNAL_RETURN;
	case GO_MORESTACK:
		return from_morestack(crossing);
	case GO_SYSTEMSTACK:
		return from_systemstack(crossing);
	case GO_ASMCGOCALL:
		return from_asmcgocall(crossing);
	case GO_CGOCALLBACK:
		return from_cgocallback(crossing);
	case GO_VDSO_CALLER:
		return from_vdso_caller(crossing);
	case GO_STACK_SWITCH:
		return not_known(crossing->step, "a function that moves to another stack");
	default:
		return ordinary(crossing);
	}
}

enum code_outcome go_code_step(const struct code *code, struct code_step *step)
{
	struct go_process *go = (struct go_process *)code;
	struct registers *registers = step->registers;
	const struct arch *arch = arch_native;
	struct code_address address = {
		.value = registers->value[arch->pc],
		.is_return = !step->at_instruction,
	};
	struct go_place *place = go_place_find(go, NULL, address);
	struct crossing crossing = {
		.go = go,
		.step = step,
		.place = place,
		.cursor = {.pc = address.value,
			.sp = registers->value[arch->sp],
			.at_instruction = step->at_instruction,
			.innermost = step->at_instruction},
	};

	step->switched = false;
	if (!place->module)
		return CODE_FOREIGN;
	if (go->uses_link_register && step->at_instruction &&
		register_known(registers, arch->return_address))
		crossing.cursor.link = registers->value[arch->return_address];
	enum code_outcome outcome = cross(&crossing);
	if (outcome == CODE_NOT_KNOWN && !step->reason)
		step->reason = "Go's table has no size of its frame";
	if (outcome != CODE_STEPPED)
		return outcome;
	registers->known = 0;
	register_set(registers, arch->pc, crossing.cursor.pc);
	register_set(registers, arch->sp, crossing.cursor.sp);
	step->at_instruction = crossing.cursor.at_instruction;
	return CODE_STEPPED;
}
