// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "util/memory.h"
#include "util/text.h"
#include "util/hash.h"

#define LINES_MAX 20 /* of a process: one can be built to have a reason for each thread */

/* The same stage and reason, however many threads have it. */
struct shared_gap {
	const char *key;
	const struct gap *gap;
	size_t thread_count; /* 0: of the process itself */
	pid_t first;
	UT_hash_handle hh;
};

static void add_gaps(struct shared_gap **shared, const struct gaps *gaps,
	const struct thread *thread, struct arena *arena)
{
	for_each_gap (gap, gaps) {
		const char *key = arena_printf(arena, "%s %s", stage_name(gap->stage), gap->reason);
		struct shared_gap *found;

		HASH_FIND_STR(*shared, key, found);
		if (!found) {
			found = arena_new(arena, struct shared_gap, 1);
			found->key = key;
			found->gap = gap;
			HASH_ADD_KEYPTR(hh, *shared, found->key, strlen(found->key), found);
		}
		if (thread && !found->thread_count++)
			found->first = thread->tid;
	}
}

static void report_line(
	const struct process *process, const char *comm, const struct shared_gap *shared)
{
	const char *stage = stage_name(shared->gap->stage);
	const char *reason = shared->gap->reason;

	if (shared->thread_count > 1)
		message("%d %s: %s: %s (%zu threads)", process->pid, comm, stage, reason,
			shared->thread_count);
	else if (shared->thread_count && process->thread_count > 1)
		message("%d %s: %s: %s (thread %d)", process->pid, comm, stage, reason,
			shared->first);
	else
		message("%d %s: %s: %s", process->pid, comm, stage, reason);
}

static bool report_process(const struct process *process, bool all)
{
	struct arena *arena cleanup_arena = arena_create();
	const char *comm = escaped(arena, process->comm ? process->comm : "?");
	struct shared_gap *shared = NULL, *next;
	size_t lines = 0, count;

	add_gaps(&shared, &process->gaps, NULL, arena);
	for (size_t i = 0; i < process->thread_count; i++)
		add_gaps(&shared, &process->threads[i].gaps, &process->threads[i], arena);
	count = HASH_COUNT(shared);
	for (struct shared_gap *at = shared; at; at = next) {
		next = at->hh.next;
		if (all || lines < LINES_MAX)
			report_line(process, comm, at);
		lines++;
	}
	if (!all && lines > LINES_MAX)
		message("%d %s: %zu things more could not be shown: -v lists them", process->pid,
			comm, lines - LINES_MAX);
	HASH_CLEAR(hh, shared);
	return count;
}

bool report_gaps(const struct look *look, bool all)
{
	bool any = false;

	for_each_gap (gap, &look->gaps) {
		message("%s", gap->reason);
		any = true;
	}
	for (size_t i = 0; i < look->process_count; i++)
		any |= report_process(look->processes[i], all);
	return any;
}
