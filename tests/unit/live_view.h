// SPDX-License-Identifier: Apache-2.0
/* A look at a live process, by the way that stops threads or by the one that does not. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "collect/collector.h"
#include "collect/ways.h"
#include "target.h"

struct view {
	struct arena *arena;
	struct look look;
	const struct collector *collector;
};

static inline void view_request(struct view *view, const struct look_request *request)
{
	view->arena = arena_create();
	view->look = (struct look){.arena = view->arena};
	/* Not collect(): that would take the BPF way. */
	view->collector = request->stop == STOP_NEVER ? &collector_passive : &collector_ptrace;
	assert_false(failed(view->collector->collect(request, &view->look)));
}

static inline void view_take(struct view *view, pid_t pid, enum stop_policy stop)
{
	view_request(view, &(struct look_request){.pids = &pid,
				   .pid_count = 1,
				   .stop = stop,
				   .kernel_stacks = true,
				   .user_stacks = true});
}

static inline void view_end(struct view *view)
{
	view->collector->release(&view->look);
	arena_destroy(view->arena);
}

static inline const struct process *only_process(const struct view *view)
{
	assert_int_equal(view->look.process_count, 1);
	return view->look.processes[0];
}

static inline const struct thread *first_thread(const struct view *view)
{
	const struct process *process = only_process(view);

	assert_true(process->thread_count >= 1);
	return &process->threads[0];
}

static inline const char *gap_of(const struct thread *thread, enum stage stage)
{
	for_each_gap (gap, &thread->gaps) {
		if (gap->stage == stage)
			return gap->reason;
	}
	return NULL;
}

static inline uint64_t sp_of(const struct thread *thread)
{
	return thread->registers.value[arch_native->sp];
}
