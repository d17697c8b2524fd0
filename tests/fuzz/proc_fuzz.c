// SPDX-License-Identifier: Apache-2.0
/* Any bytes may stand in the files of /proc/PID. The first byte chooses the file. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collect/hidepid.h"
#include "collect/kernel_stack.h"
#include "collect/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void stat_file(const char *bytes, size_t length, struct arena *arena)
{
	struct proc_stat stat;

	(void)arena;
	if (proc_parse_stat(bytes, length, &stat))
		check(stat.pid >= 0 && stat.cpu >= 0 && strlen(stat.comm) <= PROC_COMM_SIZE);
}

static void status_file(const char *bytes, size_t length, struct arena *arena)
{
	struct proc_status status;

	(void)arena;
	proc_parse_status(bytes, length, &status);
	check(status.process >= 0 && status.tracer >= 0 && status.namespace_pid >= 0);
}

static void syscall_file(const char *bytes, size_t length, struct arena *arena)
{
	struct proc_syscall syscall;

	(void)arena;
	if (proc_parse_syscall(bytes, length, &syscall))
		check(syscall.running != syscall.entry.known);
}

static void sched_file(const char *bytes, size_t length, struct arena *arena)
{
	int64_t ns;

	(void)arena;
	if (proc_parse_exec_start(bytes, length, &ns))
		check(ns >= 0);
}

static void cmdline_file(const char *bytes, size_t length, struct arena *arena)
{
	const char **arguments;
	size_t count = proc_parse_cmdline(bytes, length, arena, &arguments), total = 0;

	for (size_t i = 0; i < count; i++)
		total += strlen(arguments[i]) + 1;
	check(total <= length + 1);
}

static void limits_file(const char *bytes, size_t length, struct arena *arena)
{
	struct process_limit *limits;
	size_t count = proc_parse_limits(bytes, length, arena, &limits);

	for (size_t i = 0; i < count; i++)
		check(limits[i].name && limits[i].soft && limits[i].hard && limits[i].unit);
}

static void cgroup_file(const char *bytes, size_t length, struct arena *arena)
{
	const char *id = proc_parse_container(bytes, length, arena);

	check(!id || strlen(id) <= length);
}

static void stack_file(const char *bytes, size_t length, struct arena *arena)
{
	struct kernel_stacks *stacks = kernel_stacks_create(arena);
	struct kernel_stack *stack = kernel_stacks_find(stacks, bytes, length);

	for (size_t i = 0; i < stack->count; i++)
		check(stack->frames[i].symbol || stack->frames[i].address);
	check(kernel_stacks_find(stacks, bytes, length) == stack);
	kernel_stacks_destroy(stacks);
}

static void mountinfo_file(const char *bytes, size_t length, struct arena *arena)
{
	(void)arena;
	hidepid_parse(bytes, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static void (*const files[])(const char *, size_t, struct arena *) = {
		stat_file,
		status_file,
		syscall_file,
		sched_file,
		cmdline_file,
		limits_file,
		cgroup_file,
		stack_file,
		mountinfo_file,
	};
	struct arena *arena cleanup_arena = arena_create();

	if (length > 0)
		files[bytes[0] % (sizeof(files) / sizeof(files[0]))](
			(const char *)bytes + 1, length - 1, arena);
	return 0;
}
