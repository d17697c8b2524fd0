// SPDX-License-Identifier: Apache-2.0
#include "render/json_goroutines.h"

#include "render/json_parts.h"
#include "render/json_value.h"

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

void json_goroutines_write(FILE *out, const struct process *process, struct json_stacks *stacks,
	const struct render_options *options)
{
	for (size_t i = 0; i < process->goroutine_count; i++) {
		const struct goroutine *goroutine = &process->goroutines[i];

		fputs(i ? ",\n" : "\n", out);
		json_write_open(out, head_value(goroutine));
		fputs(",\"stack\":", out);
		if (goroutine->stack)
			json_write_user_stack(out, stacks, goroutine->stack, true);
		else
			fputs("[]", out);
		fputc(',', out);
		json_write_members(out, tail_value(goroutine, options));
		fputc('}', out);
	}
}
