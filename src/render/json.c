// SPDX-License-Identifier: Apache-2.0
/*
 * JSON: docs/schema.json. Threads are built and written one at a time, so that what is held
 * is one thread's objects, and the stacks that many share, and not a second copy of the look.
 */
#include <string.h>

#include "render/json_goroutines.h"
#include "render/json_info.h"
#include "render/json_parts.h"
#include "render/json_stacks.h"
#include "render/json_value.h"
#include "render/render.h"

#define SCHEMA 1

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

/* What stands before its stacks. */
static struct json_object *head_value(const struct thread *thread)
{
	struct json_object *object = json_new_object();
	char state[] = {thread->state, '\0'};

	json_add_int(object, "tid", thread->tid);
	json_add_string(object, "comm", thread->comm);
	json_add_string(object, "state", state);
	json_add_int_if(object, "blocked_ns", thread->blocked_ns >= 0, thread->blocked_ns);
	json_add_string(object, "wchan", thread->wchan);
	return object;
}

/* What stands after them. */
static struct json_object *tail_value(const struct thread *thread, const struct user_stack *user)
{
	struct json_object *object = json_new_object();

	json_add_string(object, "user_stack_end", user ? stack_end_name(user->end) : NULL);
	if (thread->goroutine)
		json_add_unsigned(object, "goroutine", thread->goroutine);
	else
		json_add_null(object, "goroutine");
	if (thread->role)
		json_add_string(object, "role", thread->role);
	json_add(object, "wait", thread->wait ? json_wait(thread->wait) : NULL);
	if (thread->holds_up)
		json_add_unsigned(object, "holds_up", thread->holds_up);
	json_add_unsigned(object, "stopped_ns", thread->stopped_ns);
	json_add(object, "gaps", json_gaps(&thread->gaps));
	return object;
}

static void write_thread(FILE *out, const struct thread *thread, struct json_stacks *stacks,
	const struct render_options *options)
{
	const struct user_stack *user = options->user ? thread->user_stack : NULL;

	json_write_open(out, head_value(thread));
	fputs(",\"kernel_stack\":", out);
	json_write_kernel_stack(out, stacks, options->kernel ? thread->kernel_stack : NULL);
	fputs(",\"syscall\":", out);
	json_write(out, thread->syscall ? syscall_value(thread->syscall) : NULL);
	fputs(",\"user_stack\":", out);
	json_write_user_stack(out, stacks, user, thread->goroutine);
	fputc(',', out);
	json_write_members(out, tail_value(thread, user));
	fputc('}', out);
}

static void write_process(FILE *out, const struct process *process, struct json_stacks *stacks,
	const struct render_options *options)
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
	json_write_open(out, object);
	fputs(",\"threads\":[", out);
	for (size_t i = 0; i < process->thread_count; i++) {
		fputs(i ? ",\n" : "\n", out);
		write_thread(out, &process->threads[i], stacks, options);
	}
	fputs("],\"goroutines\":[", out);
	json_goroutines_write(out, process, stacks, options);
	fputc(']', out);
	if (process->goroutines_left_out)
		fprintf(out, ",\"goroutines_left_out\":%zu", process->goroutines_left_out);
	fputs(",\"gaps\":", out);
	json_write(out, json_gaps(&process->gaps));
	fputc('}', out);
}

static void render(const struct look *look, const struct render_options *options, FILE *out)
{
	struct json_object *head = json_new_object();
	struct json_stacks *stacks = json_stacks_create(options);

	json_add_int(head, "schema", SCHEMA);
	json_add_string(head, "version", WHYSTUCK_VERSION);
	json_add_time(head, "taken_at", look->taken_at_ns);
	json_add_string(head, "kernel", look->kernel);
	json_write_open(out, head);
	fputs(",\"processes\":[", out);
	for (size_t i = 0; i < look->process_count; i++) {
		fputs(i ? ",\n" : "\n", out);
		write_process(out, look->processes[i], stacks, options);
	}
	fputs("],\"deadlocks\":[", out);
	for (size_t i = 0; i < look->deadlock_count; i++) {
		fputs(i ? ",\n" : "\n", out);
		json_write(out, json_deadlock(look->deadlocks[i]));
	}
	fputs("],\"gaps\":", out);
	json_write(out, json_gaps(&look->gaps));
	fputs("}\n", out);
	json_stacks_destroy(stacks);
}

const struct renderer renderer_json = {
	.name = "json",
	.summary = "for programs",
	.shows_places = true,
	.render = render,
};
