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

static const struct runtime *runtime_of(const struct process *process)
{
	for (size_t i = 0; process->code && i < array_length(runtimes); i++) {
		if (process->code->runtime == runtimes[i])
			return runtimes[i];
	}
	return NULL;
}

void runtimes_begin(struct process *process, struct modules *modules, struct arena *arena)
{
	for (size_t i = 0; i < array_length(runtimes) && !process->code; i++) {
		process->code = runtimes[i]->begin(process, modules, arena);
		if (process->code)
			process->code->runtime = runtimes[i];
	}
}

bool runtimes_begin_in_library(
	struct process *process, struct modules *modules, struct arena *arena)
{
	if (process->code || process->runtime)
		return false;
	for (size_t i = 0; i < array_length(runtimes) && !process->code; i++) {
		process->code = runtimes[i]->begin_in_library(process, modules, arena);
		if (process->code)
			process->code->runtime = runtimes[i];
	}
	return process->code;
}

void runtimes_list_tasks(struct process *process, size_t max_frames)
{
	const struct runtime *runtime = runtime_of(process);

	if (runtime)
		runtime->list_tasks(process->code, max_frames);
}

bool runtimes_astray(struct process *process, struct thread **threads, size_t max, size_t *count)
{
	const struct runtime *runtime = runtime_of(process);

	*count = 0;
	return runtime && runtime->astray(process->code, threads, max, count);
}

void runtimes_join_again(struct process *process)
{
	const struct runtime *runtime = runtime_of(process);

	if (runtime)
		runtime->join_again(process->code);
}

void runtimes_end(struct process *process)
{
	const struct runtime *runtime = runtime_of(process);

	if (runtime)
		runtime->end(process->code);
	process->code = NULL;
}

void runtimes_end_stacks(struct process *process)
{
	/* A runtime that knows its code has had its say when they were unwound. */
	for (size_t i = 0; i < process->user_stack_count && !process->code; i++)
		end_stack(process->user_stacks[i]);
}
