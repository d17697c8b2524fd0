// SPDX-License-Identifier: Apache-2.0
#include "collect/live_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "collect/descriptors.h"
#include "collect/live.h"
#include "collect/proc.h"
#include "util/file.h"
#include "util/guard.h"

/*
 * Whether the thread has not run since it was looked at: the scheduler would have charged it
 * then. Where the kernel does not tell that, or a stop of ours has moved it, that it is where it
 * was has to do.
 */
static bool still_there(const struct process *process, const struct thread *thread)
{
	const struct live_process *live = (const struct live_process *)process;
	struct text text cleanup_text = {0};
	struct proc_syscall place;
	int64_t ran_at_ns;
	char path[48];

	snprintf(path, sizeof(path), "task/%d/%s", thread->tid,
		thread->ran_at_ns < 0 ? "syscall" : "sched");
	if (failed(file_read(live->directory, path, 65536, &text)) || !text.length)
		return false;
	if (thread->ran_at_ns >= 0)
		return proc_parse_exec_start(text.bytes, text.length, &ran_at_ns) &&
		       ran_at_ns == thread->ran_at_ns;
	return proc_parse_syscall(text.bytes, text.length, &place) && !place.running &&
	       place.sp == thread->registers.value[arch_native->sp] &&
	       place.pc == thread->registers.value[arch_native->pc];
}

/*
 * Finds out when the thread ran last, and then whether it is back in the call that it was in: if it
 * has not run at a later time either, it was in that all the while.
 */
static bool settle(const struct process *process, struct thread *thread)
{
	const struct live_process *live = (const struct live_process *)process;
	struct text sched cleanup_text = {0}, call cleanup_text = {0};
	struct proc_syscall place;
	int64_t ran_at_ns;
	char path[48];

	snprintf(path, sizeof(path), "task/%d/sched", thread->tid);
	if (failed(file_read(live->directory, path, 65536, &sched)) ||
		!proc_parse_exec_start(sched.bytes, sched.length, &ran_at_ns))
		return false;
	snprintf(path, sizeof(path), "task/%d/syscall", thread->tid);
	if (failed(file_read(live->directory, path, 4096, &call)) ||
		!proc_parse_syscall(call.bytes, call.length, &place) || place.running ||
		!place.entry.in_syscall || place.entry.number != thread->entry.number ||
		memcmp(place.entry.arguments, thread->entry.arguments,
			sizeof(place.entry.arguments)) != 0)
		return false;
	thread->ran_at_ns = ran_at_ns;
	return true;
}

static bool has_thread(const struct process *process, pid_t tid)
{
	const struct live_process *live = (const struct live_process *)process;
	char path[32];

	snprintf(path, sizeof(path), "task/%d", tid);
	return faccessat(live->directory, path, F_OK, 0) == 0;
}

static size_t look_again(
	struct process *process, struct thread **threads, size_t count, struct arena *arena)
{
	const struct live_process *kept = (const struct live_process *)process;

	return live_look_again(
		process, kept->directory, kept->kernel_stacks, threads, count, arena);
}

void live_process_answer(struct live_process *kept, bool may_look_again)
{
	kept->process.still_there = still_there;
	kept->process.settle = settle;
	kept->process.has_thread = has_thread;
	if (may_look_again)
		kept->process.look_again = look_again;
}

void live_process_release(struct look *look)
{
	struct machine *machine = NULL;
	struct guard *guard = NULL;

	for (size_t i = 0; i < look->process_count; i++) {
		struct live_process *kept = (struct live_process *)look->processes[i];

		machine = kept->machine;
		guard = kept->guard;
		descriptors_close(kept->process.descriptors);
		live_memory_deinit(&kept->memory);
		close(kept->directory);
		kept->process.memory = NULL;
		kept->process.descriptors = NULL;
		kept->process.surroundings = NULL;
	}
	machine_destroy(machine);
	guard_destroy(guard);
}

static struct wait *copy_wait(const struct wait *wait, struct arena *arena)
{
	if (!wait)
		return NULL;
	struct wait *copy = arena_copy(arena, wait, sizeof(*wait));
	copy->holders =
		arena_copy(arena, wait->holders, wait->holder_count * sizeof(*wait->holders));
	return copy;
}

static void copy_unmoved(struct process *process, int64_t elapsed_ns, struct arena *arena)
{
	const struct wait *shared = NULL; /* several goroutines have the same */
	struct wait *copied = NULL;

	process->threads = arena_copy(
		arena, process->threads, process->thread_count * sizeof(*process->threads));
	process->goroutines = arena_copy(arena, process->goroutines,
		process->goroutine_count * sizeof(*process->goroutines));
	process->gaps = gaps_copy(&process->gaps, arena);
	for (size_t i = 0; i < process->thread_count; i++) {
		struct thread *thread = &process->threads[i];

		thread->gaps = gaps_copy(&thread->gaps, arena);
		/* The copy of its stack was the earlier look's. */
		thread->stack_bytes = NULL;
		thread->stack_length = 0;
		if (thread->blocked_ns >= 0)
			thread->blocked_ns += elapsed_ns;
	}
	for (size_t i = 0; i < process->goroutine_count; i++) {
		struct goroutine *goroutine = &process->goroutines[i];

		if (goroutine->wait != shared)
			copied = copy_wait(shared = goroutine->wait, arena);
		goroutine->wait = copied;
		goroutine->gaps = gaps_copy(&goroutine->gaps, arena);
		if (goroutine->wait_ns >= 0)
			goroutine->wait_ns += elapsed_ns;
	}
	if (process->running_ns >= 0)
		process->running_ns += elapsed_ns;
}

bool live_process_add_unmoved(struct look *look, const struct process *process, int64_t elapsed_ns,
	const struct look_means *means)
{
	struct arena *arena = look->arena;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", process->pid);
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return false;
	struct live_process *kept = arena_new(arena, struct live_process, 1);
	kept->process = *process;
	kept->directory = directory;
	kept->kernel_stacks = ((const struct live_process *)process)->kernel_stacks;
	copy_unmoved(&kept->process, elapsed_ns, arena);
	kept->process.guard = means->guard;
	kept->process.look_again = NULL;
	kept->process.surroundings = means->surroundings;
	live_memory_init(&kept->memory, &kept->process,
		process->leader ? process->leader : process->pid, directory, means->guard, arena);
	if (!process->is_kernel && process->mappings.count && !process->is_stuck)
		kept->process.memory = &kept->memory.memory;
	kept->process.descriptors =
		descriptors_open(process->pid, directory, means->machine, arena);
	look->processes[look->process_count++] = &kept->process;
	return true;
}
