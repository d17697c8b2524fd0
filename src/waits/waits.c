// SPDX-License-Identifier: Apache-2.0
#include "waits/waits.h"

#include <string.h>

#include "util/memory.h"
#include "waits/kinds.h"

/* What the state tells goes first, then what the kernel's functions do, then the call. */
static const struct wait_kinds *const tables[] = {
	&waits_by_state,
	&waits_in_kernel,
	&waits_for_storage,
	&waits_of_kernel,
	&waits_for_time,
	&waits_for_descriptor,
	&waits_of_programs,
	&waits_for_several,
	&waits_for_futex,
	&waits_for_process,
	&waits_for_ipc,
	&waits_for_file,
	&waits_otherwise,
};

const char *wait_kind_word(size_t index)
{
	for (size_t i = 0; i < array_length(tables); i++) {
		if (index < tables[i]->count)
			return tables[i]->rows[index].word;
		index -= tables[i]->count;
	}
	return NULL;
}

static bool try_kind(struct waiting *waiting, const struct wait_kind *kind)
{
	enum syscall_class class = waiting->call->row ? waiting->call->row->class : CALL_OTHER;

	if (kind->class != CALL_OTHER && kind->class != class)
		return false;
	waiting->word = kind->word;
	waiting->idle = kind->idle;
	waiting->holders_complete = false;
	return kind->explain(waiting);
}

static void find_kind(struct waiting *waiting)
{
	for (size_t i = 0; i < array_length(tables); i++) {
		for (size_t j = 0; j < tables[i]->count; j++) {
			if (try_kind(waiting, &tables[i]->rows[j]))
				return;
		}
	}
}

/* The descriptor that the call's first argument is. */
static const struct descriptor *find_descriptor(
	const struct process *process, const struct call *call)
{
	if (!call->row || call->row->parameters[0].type != &argument_descriptor)
		return NULL;
	return process->descriptors->find(process->descriptors, (int)call->arguments[0]);
}

const char *wait_text(const char *sentence)
{
	static const char prefix[] = "waits for ";
	bool has_prefix = strncmp(sentence, prefix, sizeof(prefix) - 1) == 0;

	return has_prefix ? sentence + sizeof(prefix) - 1 : sentence;
}

/* The result, in the arena. */
static struct wait *finish(struct waiting *waiting)
{
	struct arena *arena = waiting->waits->arena;
	struct wait *wait = arena_new(arena, struct wait, 1);

	*wait = (struct wait){
		.kind = waiting->word,
		.sentence = text_to_arena(&waiting->sentence, arena),
		.idle = waiting->idle,
		.holders = waiting->holders,
		.holder_count = waiting->holder_count,
		.holders_complete = waiting->holders_complete,
	};
	wait->text = wait_text(wait->sentence);
	text_deinit(&waiting->sentence);
	return wait;
}

struct wait *wait_explain(struct waits *waits, const struct thread *thread, const struct call *call)
{
	struct waiting waiting = {
		.waits = waits,
		.process = waits->process,
		.thread = thread,
		.call = call,
	};

	if (!thread->state)
		return NULL;
	waiting.descriptor = find_descriptor(waits->process, call);
	waiting.kernel = kernel_traits(waits, thread);
	find_kind(&waiting);
	return finish(&waiting);
}

struct wait *wait_explain_descriptor(struct waits *waits, const struct syscall_row *row, int fd)
{
	const uint64_t arguments[SYSCALL_ARGUMENTS] = {(uint64_t)fd};
	const struct call call = {.row = row, .name = row->name, .arguments = arguments};
	struct waiting waiting = {
		.waits = waits,
		.process = waits->process,
		.call = &call,
		.descriptor = find_descriptor(waits->process, &call),
	};

	for (size_t i = 0; i < waits_for_descriptor.count; i++) {
		if (try_kind(&waiting, &waits_for_descriptor.rows[i]))
			break;
	}
	return finish(&waiting);
}
