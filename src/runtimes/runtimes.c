// SPDX-License-Identifier: Apache-2.0
#include "runtimes/runtimes.h"

#include "util/memory.h"

static const struct runtime *const runtimes[] = {
	&runtime_go,
};

static enum runtime_verdict judge(const char *symbol, const struct runtime **whose)
{
	for (size_t i = 0; i < array_length(runtimes); i++) {
		enum runtime_verdict verdict = runtimes[i]->judge(symbol);

		*whose = runtimes[i];
		if (verdict != RUNTIME_GO_ON)
			return verdict;
	}
	return RUNTIME_GO_ON;
}

static void end_stack(struct user_stack *stack)
{
	for (size_t i = 0; i < stack->frame_count; i++) {
		const struct frame *frame = stack->frames[i];
		const struct runtime *whose;

		if (!frame->symbol || frame->inlined)
			continue;
		enum runtime_verdict verdict = judge(frame->symbol, &whose);
		if (verdict == RUNTIME_GO_ON)
			continue;
		bool outermost = verdict == RUNTIME_OUTERMOST;
		stack->frame_count = i + 1;
		stack->end = outermost ? STACK_COMPLETE : STACK_NO_UNWIND_INFO;
		stack->end_detail = outermost ? NULL : whose->elsewhere;
		return;
	}
}

void runtimes_end_stacks(struct process *process)
{
	for (size_t i = 0; i < process->user_stack_count; i++)
		end_stack(process->user_stacks[i]);
}
