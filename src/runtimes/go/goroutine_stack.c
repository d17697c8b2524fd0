// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/goroutine_stack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtimes/go/places.h"
#include "runtimes/go/step.h"
#include "util/memory.h"

#define MORE_BYTES 4096 /* of a stack that are read when its copy ends, and twice that then */
#define MORE_MAX (1024 * 1024)

/* A stack: its copy, and what else of it is read. */
struct stack_view {
	struct memory memory;
	const struct memory *source;
	uint64_t start, high;
	const uint8_t *bytes;
	size_t length;
	uint8_t *more; /* heap: the copy, and what lies behind it */
};

/* Makes the copy longer; false: there is no more. */
static bool extend(struct stack_view *view)
{
	size_t wanted = view->length < MORE_BYTES ? MORE_BYTES : 2 * view->length;

	if (wanted > view->high - view->start)
		wanted = view->high - view->start;
	if (wanted > MORE_MAX)
		wanted = MORE_MAX;
	if (wanted <= view->length)
		return false;
	uint8_t *more = allocate(wanted);
	if (view->length)
		memcpy(more, view->bytes, view->length);
	struct memory_range range = {
		.address = view->start + view->length,
		.length = wanted - view->length,
		.to = more + view->length,
	};
	memory_read_many(view->source, &range, 1);
	free(view->more);
	view->more = more;
	view->bytes = more;
	view->length += range.got;
	return range.got;
}

static size_t read_view(const struct memory *base, uint64_t address, void *to, size_t length)
{
	struct stack_view *view = (struct stack_view *)base;
	uint64_t offset = address - view->start;

	if (address < view->start || address > view->high || length > view->high - address)
		return 0;
	while (offset + length > view->length) {
		if (!extend(view))
			return 0;
	}
	memcpy(to, view->bytes + offset, length);
	return length;
}

void go_stacks_init(struct go_stacks *stacks, struct go_process *go, size_t max_frames)
{
	*stacks = (struct go_stacks){
		.go = go,
		.set.arena = go->arena,
		.max_frames = max_frames,
		.scratch =
			{
				.addresses = allocate_zeroed(
					max_frames, sizeof(*stacks->scratch.addresses)),
				.signal_frame = allocate_zeroed(
					max_frames, sizeof(*stacks->scratch.signal_frame)),
				.uncertain = allocate_zeroed(
					max_frames, sizeof(*stacks->scratch.uncertain)),
			},
	};
	memset(stacks->scratch.uncertain, go->uncertain, max_frames);
}

void go_stacks_deinit(struct go_stacks *stacks)
{
	free(stacks->scratch.addresses);
	free(stacks->scratch.signal_frame);
	free(stacks->scratch.uncertain);
	stack_set_deinit(&stacks->set);
}

static void end(struct user_stack *stack, enum stack_end reason, const char *detail)
{
	stack->end = reason;
	stack->end_detail = detail;
}

/* Whether the stack goes on beyond the frame of that place; if not, how it ended. */
static bool goes_on(struct user_stack *stack, const struct go_place *place, bool is_first)
{
	if (!place->module) {
		end(stack, STACK_NO_UNWIND_INFO, "a return address is not in Go's code");
		return false;
	}
	switch (place->function.kind) {
	case GO_OUTERMOST:
		end(stack, STACK_COMPLETE, NULL);
		return false;
	case GO_MCALL:
	case GO_MORESTACK:
	case GO_SYSTEMSTACK:
	case GO_ASMCGOCALL:
	case GO_STACK_SWITCH:
	case GO_VDSO_CALLER:
		/* What made the call saved where it was before it moved to another stack. */
		if (is_first)
			return true;
		end(stack, STACK_NO_UNWIND_INFO, "a function that moves to another stack");
		return false;
	default:
		return true;
	}
}

struct user_stack *go_stack_unwind(struct go_stacks *stacks, const struct go_raw *raw)
{
	struct go_process *go = stacks->go;
	const struct go_layout *layout = go->layout;
	struct user_stack *stack = &stacks->scratch;
	uint64_t high = go_u64(raw->bytes, layout->g.stack_hi);
	bool in_call = raw->sp && raw->sp == go_u64(raw->bytes, layout->g.syscallsp);
	struct stack_view view = {
		.memory.read = read_view,
		.source = go->memory,
		.start = raw->sp,
		.high = high,
		.bytes = raw->stack,
		.length = raw->stack_length,
	};
	struct go_cursor cursor = {
		.pc = go_u64(raw->bytes, in_call ? layout->g.syscallpc : layout->g.sched_pc),
		.sp = raw->sp,
		.link = in_call || !go->uses_link_register ? 0
							   : go_u64(raw->bytes, layout->g.sched_lr),
		.innermost = true,
	};
	struct go_place *place = go->last_place;
	uint64_t missing;

	if (go->place_table.count >= GO_PLACES_MAX || stacks->address_count >= GO_ADDRESSES_MAX)
		return NULL;
	end(stack, STACK_LIMIT, NULL);
	for (stack->address_count = 0; stack->address_count < stacks->max_frames;) {
		size_t count = stack->address_count;

		stack->addresses[count] = (struct code_address){
			.value = cursor.pc, .is_return = !cursor.at_instruction};
		place = go_place_find(go, count ? place : NULL, stack->addresses[count]);
		stack->address_count++;
		if (!goes_on(stack, place, !count))
			break;
		enum code_outcome outcome = go_step(go, place, &view.memory, &cursor, &missing);
		if (outcome == CODE_STEPPED)
			continue;
		if (outcome == CODE_UNREADABLE)
			end(stack, STACK_UNREADABLE,
				arena_printf(go->arena, "memory at 0x%" PRIx64 " can't be read",
					missing));
		else
			end(stack, STACK_NO_UNWIND_INFO, "Go's table has no size of its frame");
		break;
	}
	free(view.more);
	size_t count = stacks->set.count;
	struct user_stack *kept = stack_set_add(&stacks->set, stack);
	if (stacks->set.count > count)
		stacks->address_count += stack->address_count;
	return kept;
}

void go_stack_name(struct go_stacks *stacks, struct user_stack *stack)
{
	struct go_process *go = stacks->go;
	size_t count = 0;

	if (stack->frames)
		return;
	for (size_t i = 0; i < stack->address_count; i++) {
		struct go_place *place = go_place_find(go, NULL, stack->addresses[i]);

		go_place_frames(go, place);
		count += place->frame_count ? place->frame_count : 1;
	}
	stack->frames = arena_new(go->arena, const struct frame *, count);
	for (size_t i = 0; i < stack->address_count; i++) {
		struct go_place *place = go_place_find(go, NULL, stack->addresses[i]);

		for (size_t j = 0; j < place->frame_count; j++)
			stack->frames[stack->frame_count++] = &place->frames[j];
		if (place->frame_count)
			continue;
		struct frame *frame = arena_new(go->arena, struct frame, 1);
		*frame = (struct frame){.address = stack->addresses[i], .kind = "native"};
		stack->frames[stack->frame_count++] = frame;
	}
	go_hide_frames(go, stack, 0);
}
