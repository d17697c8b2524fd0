// SPDX-License-Identifier: Apache-2.0
#include "explain/explain.h"

#include "util/clock.h"
#include "util/memory.h"
#include "waits/waits.h"

/* The row of the syscall, looked up by name once for each number and then kept in @rows. */
static const struct syscall_row *row_of(
	const struct arch *arch, long number, const struct syscall_row **rows)
{
	if (number < 0 || number >= arch->syscall_limit)
		return NULL;
	if (!rows[number])
		rows[number] = syscall_row_find(arch->syscall_names[number]);
	return rows[number];
}

/*
 * A goroutine that is in a call waits for what its thread waits for; one that runs does whatever
 * that does.
 */
static void explain_goroutines(struct process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];
		/* The goroutines are the process's, and that may be written to here. */
		struct goroutine *goroutine = (struct goroutine *)goroutine_of(process, thread);

		if (goroutine && !goroutine->wait && !goroutine->wait_reason &&
			goroutine->tid == thread->tid)
			goroutine->wait = thread->wait;
	}
}

void explain_process(const struct arch *arch, struct process *process, struct arena *arena)
{
	struct waits waits = {.process = process, .arena = arena, .clock = clock_ns};
	const struct syscall_row **rows cleanup_free =
		allocate_zeroed((size_t)arch->syscall_limit, sizeof(*rows));

	for (size_t i = 0; i < process->thread_count; i++) {
		struct thread *thread = &process->threads[i];
		const struct syscall_row *row = thread->entry.known && thread->entry.in_syscall
							? row_of(arch, thread->entry.number, rows)
							: NULL;
		struct call call = call_find(arch, row, thread);

		thread->syscall = syscall_decode(arch, &call, process, thread, arena);
		thread->wait = wait_explain(&waits, thread, &call);
	}
	explain_goroutines(process);
}
