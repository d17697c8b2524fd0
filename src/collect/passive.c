// SPDX-License-Identifier: Apache-2.0
/*
 * The way that disturbs nothing: of a blocked thread, /proc/PID/syscall gives sp and pc, and its
 * stack is copied while it sleeps. Of a running one nothing but its state can be known.
 */
#include <stdlib.h>

#include "collect/live.h"
#include "collect/live_process.h"
#include "collect/ways.h"
#include "util/memory.h"

static void copy_stacks(struct live *live)
{
	struct task **tasks cleanup_free = allocate_zeroed(live->count, sizeof(struct task *));

	for (size_t i = 0; i < live->count; i++)
		tasks[i] = &live->tasks[i];
	live_copy_passively(live, tasks, live->count);
}

static void look_at(struct session *session, pid_t pid)
{
	struct live live;

	for (int attempt = 1; live_begin(&live, session, pid); attempt++) {
		live_read_tasks(&live, 0);
		if (session->request->user_stacks)
			copy_stacks(&live);
		if (live_end(&live, attempt == LIVE_ATTEMPTS))
			return;
	}
}

static struct error collect_passive(const struct look_request *request, struct look *look)
{
	struct session session;

	session_init(&session, request, look);
	for (size_t i = 0; i < request->pid_count; i++)
		look_at(&session, request->pids[i]);
	session_deinit(&session);
	return NO_ERROR;
}

const struct collector collector_passive = {
	.name = "passive",
	.collect = collect_passive,
	.release = live_process_release,
	.add_unmoved = live_process_add_unmoved,
};
