// SPDX-License-Identifier: Apache-2.0
/* A look for the live view: one thread of each plight. */
#pragma once

#include "render_fixture.h"

#include "top/rows.h"

enum { RESTING = 100, RUNNING, STUCK, HELD, HOLDING, WAITING, PLIGHTS = 6 };

static inline struct holder *set_holder(
	struct look *look, struct thread *thread, pid_t pid, pid_t tid)
{
	struct holder *holder = arena_new(look->arena, struct holder, 1);

	*holder = (struct holder){
		.pid = pid, .tid = tid, .sureness = SURE_OWNS, .text = "holds the mutex"};
	thread->wait->holders = holder;
	thread->wait->holder_count = 1;
	return holder;
}

/* The thread of that id, in whichever process. */
static inline struct thread *thread_of(struct look *look, pid_t tid)
{
	for (size_t i = 0; i < look->process_count; i++) {
		for (size_t j = 0; j < look->processes[i]->thread_count; j++) {
			if (look->processes[i]->threads[j].tid == tid)
				return &look->processes[i]->threads[j];
		}
	}
	fail_msg("no thread %d", tid);
	return NULL;
}

static inline struct process *add_plights(struct look *look)
{
	struct process *process = add_process(look, RESTING, "server", PLIGHTS);

	set_wait(look, thread_of(look, RESTING), "socket-accept", "a client", true);
	set_wait(look, thread_of(look, RUNNING), "running", "runs on CPU 1", false);
	thread_of(look, RUNNING)->state = 'R';
	thread_of(look, RUNNING)->blocked_ns = -1;
	set_wait(look, thread_of(look, STUCK), "disk", "the disk", false);
	thread_of(look, STUCK)->state = 'D';
	set_wait(look, thread_of(look, HELD), "mutex", "mutex 0x10", false);
	set_holder(look, thread_of(look, HELD), RESTING, HOLDING);
	set_wait(look, thread_of(look, HOLDING), "pipe-read", "data on 3<pipe:[7]>", false);
	thread_of(look, HOLDING)->comm = "worker";
	set_wait(look, thread_of(look, WAITING), "timer", "a timer", false);
	thread_of(look, WAITING)->blocked_ns = 3600 * NS_PER_SECOND;
	return process;
}
