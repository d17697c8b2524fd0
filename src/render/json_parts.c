// SPDX-License-Identifier: Apache-2.0
#include "render/json_parts.h"

struct json_object *json_gaps(const struct gaps *gaps)
{
	struct json_object *array = json_new_array();

	for_each_gap (gap, gaps) {
		struct json_object *object = json_new_object();

		json_add_string(object, "stage", stage_name(gap->stage));
		json_add_string(object, "reason", gap->reason);
		json_append(array, object);
	}
	return array;
}

static struct json_object *frame_value(const struct frame *frame, bool lines)
{
	struct json_object *object = json_new_object();
	bool has_file = lines && frame->file;

	json_add_address(object, "address", frame->address.value);
	json_add_string(object, "symbol", frame->symbol);
	if (frame->symbol && frame->has_offset)
		json_add_unsigned(object, "offset", frame->offset);
	else
		json_add_null(object, "offset");
	json_add_string(object, "module", frame->module);
	json_add_string(object, "build_id", frame->build_id);
	json_add_string(object, "file", has_file ? frame->file : NULL);
	json_add_int_if(object, "line", has_file && frame->line, frame->line);
	json_add_bool(object, "inlined", frame->inlined);
	json_add_string(object, "kind", frame->kind ? frame->kind : "native");
	if (frame->uncertain)
		json_add_bool(object, "uncertain", true);
	if (frame->hidden)
		json_add_bool(object, "hidden", true);
	return object;
}

struct json_object *json_user_stack(
	const struct user_stack *stack, bool hides, const struct render_options *options)
{
	struct json_object *array = json_new_array();

	hides = hides && !options->runtime_frames && stack_hides(stack);
	for (size_t i = 0; i < stack->frame_count; i++) {
		if (!hides || !stack->frames[i]->hidden)
			json_append(array, frame_value(stack->frames[i], options->lines));
	}
	return array;
}

struct json_object *json_wait(const struct wait *wait)
{
	struct json_object *object = json_new_object();
	struct json_object *on = json_new_array();

	json_add_string(object, "kind", wait->kind);
	json_add_string(object, "text", wait->text);
	json_add_bool(object, "idle", wait->idle);
	for (size_t i = 0; i < wait->holder_count; i++) {
		const struct holder *holder = &wait->holders[i];
		struct json_object *value = json_new_object();

		json_add_int(value, "pid", holder->pid);
		json_add_int_if(value, "tid", holder->tid, holder->tid);
		if (holder->goroutine)
			json_add_unsigned(value, "goroutine", holder->goroutine);
		else
			json_add_null(value, "goroutine");
		json_add_string(value, "text", holder->text);
		json_append(on, value);
	}
	json_add(object, "on", on);
	return object;
}
