// SPDX-License-Identifier: Apache-2.0
/*
 * JSON: docs/schema.json. Threads are built and written one at a time, so that what is held
 * is one thread's objects and not a second copy of the look.
 */
#include <string.h>

#include "render/json_info.h"
#include "render/json_value.h"
#include "render/render.h"

#define SCHEMA 1

static struct json_object *gaps_value(const struct gaps *gaps)
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

static struct json_object *kernel_stack_value(const struct kernel_stack *stack, bool addresses)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < stack->count; i++) {
		const struct kernel_frame *frame = &stack->frames[i];
		struct json_object *object = json_new_object();

		if (addresses && frame->address)
			json_add_address(object, "address", frame->address);
		else
			json_add_null(object, "address");
		json_add_string(object, "symbol", frame->symbol);
		json_add_int_if(object, "offset", frame->symbol, frame->offset);
		json_add_int_if(object, "size", frame->symbol, frame->size);
		json_add_string(object, "module", frame->module);
		json_append(array, object);
	}
	return array;
}

static struct json_object *syscall_value(const struct syscall_call *call)
{
	struct json_object *object = json_new_object();
	struct json_object *arguments = json_new_array();

	json_add_int(object, "number", call->number);
	json_add_string(object, "name", call->name);
	for (size_t i = 0; i < call->argument_count; i++) {
		const struct syscall_argument *argument = &call->arguments[i];
		struct json_object *value = json_new_object();

		json_add_string(value, "name", argument->name);
		json_add_string(value, "value", argument->value);
		json_add_string(value, "text", argument->text);
		json_append(arguments, value);
	}
	json_add(object, "args", arguments);
	json_add_string(object, "text", call->text);
	return object;
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
	return object;
}

static struct json_object *user_stack_value(const struct user_stack *stack, bool lines)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < stack->frame_count; i++)
		json_append(array, frame_value(stack->frames[i], lines));
	return array;
}

static struct json_object *wait_value(const struct wait *wait)
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
		json_add_null(value, "goroutine");
		json_add_string(value, "text", holder->text);
		json_append(on, value);
	}
	json_add(object, "on", on);
	return object;
}

static struct json_object *thread_value(
	const struct thread *thread, const struct render_options *options)
{
	struct json_object *object = json_new_object();
	const struct kernel_stack *kernel = options->kernel ? thread->kernel_stack : NULL;
	const struct user_stack *user = options->user ? thread->user_stack : NULL;
	char state[] = {thread->state, '\0'};

	json_add_int(object, "tid", thread->tid);
	json_add_string(object, "comm", thread->comm);
	json_add_string(object, "state", state);
	json_add_int_if(object, "blocked_ns", thread->blocked_ns >= 0, thread->blocked_ns);
	json_add_string(object, "wchan", thread->wchan);
	json_add(object, "kernel_stack",
		kernel ? kernel_stack_value(kernel, options->addresses) : NULL);
	json_add(object, "syscall", thread->syscall ? syscall_value(thread->syscall) : NULL);
	json_add(object, "user_stack", user ? user_stack_value(user, options->lines) : NULL);
	json_add_string(object, "user_stack_end", user ? stack_end_name(user->end) : NULL);
	json_add_null(object, "goroutine");
	json_add(object, "wait", thread->wait ? wait_value(thread->wait) : NULL);
	json_add_unsigned(object, "stopped_ns", thread->stopped_ns);
	json_add(object, "gaps", gaps_value(&thread->gaps));
	return object;
}

/* Writes the members of @object without the brace at its end, so that more can follow. */
static void write_open(FILE *out, struct json_object *object)
{
	bool first = true;

	fputc('{', out);
	json_object_object_foreach(object, key, value)
	{
		fprintf(out, "%s\"%s\":", first ? "" : ",", key);
		json_write(out, json_object_get(value));
		first = false;
	}
	json_object_put(object);
}

static void write_process(
	FILE *out, const struct process *process, const struct render_options *options)
{
	struct json_object *object = json_new_object();
	struct json_object *cmdline = json_new_array();

	json_add_int(object, "pid", process->pid);
	json_add_int(object, "ppid", process->ppid);
	json_add_string(object, "comm", process->comm);
	for (size_t i = 0; i < process->cmdline_count; i++)
		json_append(cmdline, json_string(process->cmdline[i]));
	json_add(object, "cmdline", cmdline);
	json_add_string(object, "exe", process->exe);
	json_add_string(object, "cwd", process->cwd);
	json_add_int(object, "uid", process->uid);
	json_add_time(object, "started_at", process->started_at_ns);
	json_add_string(object, "runtime", process->runtime);
	json_add_string(object, "container", process->container);
	if (options->process_info && process->info)
		json_add(object, "info", json_info(process));
	write_open(out, object);
	fputs(",\"threads\":[", out);
	for (size_t i = 0; i < process->thread_count; i++) {
		fputs(i ? ",\n" : "\n", out);
		json_write(out, thread_value(&process->threads[i], options));
	}
	fputs("],\"goroutines\":[],\"gaps\":", out);
	json_write(out, gaps_value(&process->gaps));
	fputc('}', out);
}

static void render(const struct look *look, const struct render_options *options, FILE *out)
{
	struct json_object *head = json_new_object();

	json_add_int(head, "schema", SCHEMA);
	json_add_string(head, "version", WHYSTUCK_VERSION);
	json_add_time(head, "taken_at", look->taken_at_ns);
	json_add_string(head, "kernel", look->kernel);
	write_open(out, head);
	fputs(",\"processes\":[", out);
	for (size_t i = 0; i < look->process_count; i++) {
		fputs(i ? ",\n" : "\n", out);
		write_process(out, look->processes[i], options);
	}
	fputs("],\"deadlocks\":[],\"gaps\":", out);
	json_write(out, gaps_value(&look->gaps));
	fputs("}\n", out);
}

const struct renderer renderer_json = {
	.name = "json",
	.summary = "for programs",
	.shows_places = true,
	.render = render,
};
