// SPDX-License-Identifier: Apache-2.0
/*
 * A second look at threads of a process that the look has done with, for what was learned since:
 * the threads' goroutines were elsewhere.
 */
#include <stdlib.h>

#include "collect/live.h"
#include "collect/task_gaps.h"
#include "util/memory.h"

#define STACKS_BUDGET (16 * 1024 * 1024) /* bytes of copies */

/* What is known of the thread for good. */
static struct task task_of(const struct thread *thread)
{
	return (struct task){.thread = {
				     .tid = thread->tid,
				     .namespace_tid = thread->namespace_tid,
				     .cpu = -1,
				     .blocked_ns = -1,
				     .ran_at_ns = -1,
				     .state = '?',
				     .stopped_ns = thread->stopped_ns,
			     }};
}

static bool went_well(const struct task *task)
{
	return task->outcome == TASK_COPIED && !task->thread.vanished && !task->moved;
}

size_t live_look_again(struct process *process, int directory, bool kernel_stacks,
	struct thread **threads, size_t count, struct arena *arena)
{
	const struct look_request request = {
		.stop = STOP_AUTO, .kernel_stacks = kernel_stacks, .user_stacks = true};
	struct look look = {.arena = arena};
	struct session session = {
		.request = &request,
		.look = &look,
		.guard = process->guard,
		.known_stacks = kernel_stacks_create(arena),
		.clock = scheduler_clock_create(process->guard),
		.stack_budget = STACKS_BUDGET,
	};
	struct live live = {
		.session = &session,
		.process = process,
		.directory = directory,
		.tasks = allocate_zeroed(count, sizeof(struct task)),
		.count = count,
	};
	struct task **tasks cleanup_free = allocate_zeroed(count, sizeof(*tasks));
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		live.tasks[i] = task_of(threads[i]);
		tasks[i] = &live.tasks[i];
	}
	task_reader_init(
		&live.reader, directory, &request, session.known_stacks, session.clock, arena);
	live_stop_and_copy(&live, tasks, count);
	for (size_t i = 0; i < count; i++) {
		threads[i]->stopped_ns = live.tasks[i].thread.stopped_ns;
		if (!went_well(&live.tasks[i]))
			continue;
		task_add_gaps(&live.tasks[i], process, &request, arena);
		*threads[i] = live.tasks[i].thread;
		threads[kept++] = threads[i];
	}
	task_reader_deinit(&live.reader);
	scheduler_clock_destroy(session.clock);
	kernel_stacks_destroy(session.known_stacks);
	free(live.tasks);
	return kept;
}
