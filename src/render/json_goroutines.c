// SPDX-License-Identifier: Apache-2.0
#include "render/json_goroutines.h"

#include <stdlib.h>

#include "render/json_parts.h"
#include "render/json_value.h"
#include "util/memory.h"

/* Together at most 16 MiB, which many different stacks must not exceed. */
#define SLOTS 256
#define SLOT_BYTES_MAX (64 * 1024)

/* A stack as it was written, kept for the next goroutine that has it. */
struct slot {
	const struct user_stack *stack;
	char *bytes;
	size_t length;
};

static struct slot *slot_of(struct slot *slots, const struct user_stack *stack)
{
	uint64_t mixed = (uintptr_t)stack * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */

	return &slots[mixed >> 56]; /* of 256 */
}

static void write_stack(FILE *out, struct slot *slots, const struct user_stack *stack,
	const struct render_options *options)
{
	struct slot *slot = slot_of(slots, stack);
	char *bytes = NULL;
	size_t length = 0;

	if (slot->stack == stack) {
		fwrite(slot->bytes, 1, slot->length, out);
		return;
	}

	FILE *memory = open_memstream(&bytes, &length);
	if (!memory)
		out_of_memory();
	json_write(memory, json_user_stack(stack, true, options));
	if (fclose(memory))
		out_of_memory();
	fwrite(bytes, 1, length, out);
	if (length > SLOT_BYTES_MAX) {
		free(bytes);
		return;
	}
	free(slot->bytes);
	*slot = (struct slot){stack, bytes, length};
}

/* What "created_by" and "start" have alike; NULL becomes null. */
static struct json_object *function_value(
	const struct frame *frame, const struct render_options *options)
{
	bool has_file = frame && frame->file && options->lines;

	if (!frame || !frame->symbol)
		return NULL;
	struct json_object *object = json_new_object();
	json_add_string(object, "symbol", frame->symbol);
	json_add_string(object, "file", has_file ? frame->file : NULL);
	json_add_int_if(object, "line", has_file && frame->line, frame->line);
	return object;
}

static struct json_object *creator_value(
	const struct goroutine *goroutine, const struct render_options *options)
{
	struct json_object *object = function_value(goroutine->creator, options);

	if (!object)
		return NULL;
	if (goroutine->creator_id)
		json_add_unsigned(object, "goroutine", goroutine->creator_id);
	else
		json_add_null(object, "goroutine");
	return object;
}

/* What stands before its stack, and what after it. */
static struct json_object *head_value(const struct goroutine *goroutine)
{
	struct json_object *object = json_new_object();

	json_add_unsigned(object, "id", goroutine->id);
	json_add_string(object, "status", goroutine->status);
	json_add_string(object, "wait_reason", goroutine->wait_reason);
	json_add_int_if(object, "wait_ns", goroutine->wait_ns >= 0, goroutine->wait_ns);
	json_add_int_if(object, "tid", goroutine->tid, goroutine->tid);
	json_add_bool(object, "locked", goroutine->locked);
	json_add_bool(object, "system", goroutine->is_system);
	if (goroutine->uncertain)
		json_add_bool(object, "uncertain", true);
	return object;
}

static struct json_object *tail_value(
	const struct goroutine *goroutine, const struct render_options *options)
{
	struct json_object *object = json_new_object();
	enum stack_end end = goroutine->stack ? goroutine->stack->end : STACK_UNREADABLE;

	json_add_string(object, "stack_end", stack_end_name(end));
	json_add(object, "created_by", creator_value(goroutine, options));
	json_add(object, "start", function_value(goroutine->start, options));
	json_add(object, "wait", goroutine->wait ? json_wait(goroutine->wait) : NULL);
	json_add(object, "gaps", json_gaps(&goroutine->gaps));
	return object;
}

void json_goroutines_write(
	FILE *out, const struct process *process, const struct render_options *options)
{
	struct slot *slots cleanup_free = allocate_zeroed(SLOTS, sizeof(*slots));

	for (size_t i = 0; i < process->goroutine_count; i++) {
		const struct goroutine *goroutine = &process->goroutines[i];

		fputs(i ? ",\n" : "\n", out);
		json_write_open(out, head_value(goroutine));
		fputs(",\"stack\":", out);
		if (goroutine->stack)
			write_stack(out, slots, goroutine->stack, options);
		else
			fputs("[]", out);
		fputc(',', out);
		json_write_members(out, tail_value(goroutine, options));
		fputc('}', out);
	}
	for (size_t i = 0; i < SLOTS; i++)
		free(slots[i].bytes);
}
