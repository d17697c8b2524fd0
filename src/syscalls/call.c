// SPDX-License-Identifier: Apache-2.0
/* The call in flight: which it is, and its one line. */
#include <string.h>

#include "syscalls/syscalls.h"
#include "util/memory.h"

int call_parameter(const struct call *call, const char *name)
{
	for (int i = 0; call->row && i < SYSCALL_ARGUMENTS && call->row->parameters[i].name; i++) {
		if (strcmp(call->row->parameters[i].name, name) == 0)
			return i;
	}
	return -1;
}

/*
 * What a restarted call was, by the kernel functions that only it goes through: those that
 * set restart_block.fn (kernel/time/hrtimer.c, kernel/time/posix-cpu-timers.c,
 * kernel/time/alarmtimer.c, fs/select.c, kernel/futex/waitwake.c), and those under them,
 * which are all that wchan may show.
 */
static const struct {
	const char *function, *name;
} restarts[] = {
	{"hrtimer_nanosleep_restart", "nanosleep"},
	{"hrtimer_nanosleep", "nanosleep"},
	{"do_nanosleep", "nanosleep"},
	{"posix_cpu_nsleep_restart", "clock_nanosleep"},
	{"do_cpu_nanosleep", "clock_nanosleep"},
	{"alarm_timer_nsleep_restart", "clock_nanosleep"},
	{"alarmtimer_do_nsleep", "clock_nanosleep"},
	{"do_restart_poll", "poll"},
	{"poll_schedule_timeout", "poll"},
	{"do_poll", "poll"},
	{"do_sys_poll", "poll"},
	{"futex_wait_restart", "futex"},
	{"futex_wait", "futex"},
	{"futex_wait_queue", "futex"},
	{"futex_wait_queue_me", "futex"},
	{"futex_do_wait", "futex"},
};

static const char *restarted_by(const char *function)
{
	size_t length = function ? strcspn(function, ".") : 0; /* without ".constprop.0" */

	for (size_t i = 0; i < array_length(restarts); i++) {
		if (length == strlen(restarts[i].function) &&
			memcmp(restarts[i].function, function, length) == 0)
			return restarts[i].name;
	}
	return NULL;
}

/*
 * A sleep is resumed by functions of the scheduler's section only, which neither the stack nor
 * wchan shows (kernel/stacktrace.c, stack_trace_consume_entry_nosched()): nothing but the way
 * into the kernel is left then. The other calls have functions that show.
 */
static bool is_entry_only(const struct kernel_stack *stack)
{
	static const char *const entries[] = {"do_syscall_64", "x64_sys_call",
		"__x64_sys_restart_syscall", "__do_sys_restart_syscall",
		"__arm64_sys_restart_syscall", "invoke_syscall", "el0_svc_common", "do_el0_svc"};
	const char *function = stack && stack->count ? stack->frames[0].symbol : NULL;

	for (size_t i = 0; function && i < array_length(entries); i++) {
		size_t length = strlen(entries[i]);

		if (strncmp(function, entries[i], length) == 0 && strchr(".", function[length]))
			return true;
	}
	return false;
}

static const char *find_resumed(const struct thread *thread)
{
	const char *name = NULL;

	for (size_t i = 0; !name && thread->kernel_stack && i < thread->kernel_stack->count; i++)
		name = restarted_by(thread->kernel_stack->frames[i].symbol);
	if (!name)
		name = restarted_by(thread->wchan);
	if (!name && is_entry_only(thread->kernel_stack))
		name = "nanosleep";
	/*
	 * nanosleep and clock_nanosleep resume alike; the first takes a pointer first, the second
	 * a clock, whose highest is small and whose CPU clocks are negative.
	 */
	if (name && strcmp(name, "nanosleep") == 0) {
		uint64_t first = thread->entry.arguments[0];

		return first < 4096 || (int64_t)first < 0 ? "clock_nanosleep" : name;
	}
	return name;
}

struct call call_find(
	const struct arch *arch, const struct syscall_row *row, const struct thread *thread)
{
	const struct syscall_entry *entry = &thread->entry;
	struct call call = {.row = row, .arguments = entry->arguments};

	if (!entry->known || !entry->in_syscall)
		return (struct call){.arguments = entry->arguments};
	call.name = syscall_name(arch, entry->number);
	if (call.name && strcmp(call.name, "restart_syscall") == 0) {
		const char *resumed = find_resumed(thread);

		if (resumed) {
			call.name = resumed;
			call.row = syscall_row_find(resumed);
			call.resumed = true;
		}
	}
	return call;
}

static void append_bare(struct text *text, const struct argument_type *type, uint64_t value)
{
	switch (type->bare) {
	case BARE_SIGNED:
		text_append_format(text, "%d", (int)value);
		return;
	case BARE_LONG:
		text_append_format(text, "%lld", (long long)value);
		return;
	case BARE_UNSIGNED:
		text_append_number(text, value, 10);
		return;
	case BARE_OCTAL:
		text_append(text, "0");
		text_append_number(text, (uint32_t)value, 8);
		return;
	case BARE_HEXADECIMAL:
		break;
	}
	text_append(text, "0x");
	text_append_number(text, value, 16);
}

/* @scratch is empty, and is left so. */
static struct syscall_argument decode_argument(const struct parameter *parameter,
	const struct argument *argument, struct text *scratch, struct arena *arena)
{
	struct syscall_argument decoded = {.name = parameter->name};

	append_bare(scratch, parameter->type, argument->value);
	decoded.value = text_to_arena(scratch, arena);
	decoded.text = decoded.value;
	text_clear(scratch);
	if (parameter->type->append && parameter->type->append(argument, scratch))
		decoded.text = text_to_arena(scratch, arena);
	text_clear(scratch);
	return decoded;
}

/* A call without a row shows its registers. */
static const struct parameter unknown[SYSCALL_ARGUMENTS] = {
	{"arg1", &argument_hexadecimal, NULL},
	{"arg2", &argument_hexadecimal, NULL},
	{"arg3", &argument_hexadecimal, NULL},
	{"arg4", &argument_hexadecimal, NULL},
	{"arg5", &argument_hexadecimal, NULL},
	{"arg6", &argument_hexadecimal, NULL},
};

static size_t count_parameters(const struct call *call, const struct parameter *parameters)
{
	size_t count = 0;

	while (count < SYSCALL_ARGUMENTS && parameters[count].name)
		count++;
	if (call->row && call->row->used) {
		size_t used = call->row->used(call->arguments);

		count = used < count ? used : count;
	}
	return count;
}

struct syscall_call *syscall_decode(const struct arch *arch, const struct call *call,
	const struct process *process, const struct thread *thread, struct arena *arena)
{
	struct text text cleanup_text = {0}, scratch cleanup_text = {0};

	if (!thread->entry.known || !thread->entry.in_syscall)
		return NULL;
	struct syscall_call *decoded = arena_new(arena, struct syscall_call, 1);
	decoded->number = thread->entry.number;
	decoded->name = syscall_name(arch, thread->entry.number);
	if (decoded->name)
		text_append_format(&text, "%s(", decoded->name);
	else
		text_append_format(&text, "syscall %ld(", decoded->number);
	bool unresolved =
		decoded->name && !call->resumed && strcmp(decoded->name, "restart_syscall") == 0;
	const struct parameter *parameters = call->row ? call->row->parameters : unknown;
	decoded->argument_count = unresolved ? 0 : count_parameters(call, parameters);
	decoded->arguments = arena_new(arena, struct syscall_argument, decoded->argument_count);
	if (call->resumed)
		text_append_format(&text, "<resumes %s(", call->name);
	for (size_t i = 0; i < decoded->argument_count; i++) {
		struct argument argument = {
			.process = process,
			.thread = thread,
			.all = call->arguments,
			.index = (unsigned)i,
			.value = call->arguments[i],
			.detail = parameters[i].detail,
			.resumed = call->resumed,
		};

		decoded->arguments[i] = decode_argument(&parameters[i], &argument, &scratch, arena);
		text_append(&text, i ? ", " : "");
		text_append(&text, decoded->arguments[i].text);
	}
	text_append(&text, call->resumed ? ")>)" : ")");
	decoded->text = text_to_arena(&text, arena);
	return decoded;
}
