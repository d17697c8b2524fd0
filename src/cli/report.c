// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "util/memory.h"
#include "util/text.h"
#include "util/hash.h"

#define LINES_MAX 20 /* of a process: one can be built to have a reason for each thread */

/* The same stage and reason, however many threads, or goroutines, have it. */
struct shared_gap {
	const char *key;
	const struct gap *gap;
	const char *noun; /* "thread"; NULL: of the process itself alone */
	size_t count;     /* of these */
	uint64_t first;
	UT_hash_handle hh;
};

/* @noun: NULL for the process's own. */
static void add_gaps(struct shared_gap **shared, const struct gaps *gaps, const char *noun,
	uint64_t id, struct arena *arena)
{
	bool of_goroutine = noun && strcmp(noun, "goroutine") == 0;

	for_each_gap (gap, gaps) {
		const char *key = arena_printf(
			arena, "%d %s %s", of_goroutine, stage_name(gap->stage), gap->reason);
		struct shared_gap *found;

		HASH_FIND_STR(*shared, key, found);
		if (!found) {
			found = arena_new(arena, struct shared_gap, 1);
			found->key = key;
			found->gap = gap;
			HASH_ADD_KEYPTR(hh, *shared, found->key, strlen(found->key), found);
		}
		if (noun && !found->count++) {
			found->noun = noun;
			found->first = id;
		}
	}
}

static void report_line(
	const struct process *process, const char *comm, const struct shared_gap *shared)
{
	const char *stage = stage_name(shared->gap->stage);
	const char *reason = shared->gap->reason;
	bool alone =
		shared->noun && strcmp(shared->noun, "thread") == 0 && process->thread_count == 1;

	if (shared->noun && shared->count > 1)
		message("%d %s: %s: %s (%zu %ss)", process->pid, comm, stage, reason, shared->count,
			shared->noun);
	else if (shared->noun && !alone)
		message("%d %s: %s: %s (%s %" PRIu64 ")", process->pid, comm, stage, reason,
			shared->noun, shared->first);
	else
		message("%d %s: %s: %s", process->pid, comm, stage, reason);
}

static bool report_process(const struct process *process, bool all)
{
	struct arena *arena cleanup_arena = arena_create();
	const char *comm = escaped(arena, process->comm ? process->comm : "?");
	struct shared_gap *shared = NULL, *next;
	size_t lines = 0, count;

	add_gaps(&shared, &process->gaps, NULL, 0, arena);
	for (size_t i = 0; i < process->thread_count; i++)
		add_gaps(&shared, &process->threads[i].gaps, "thread",
			(uint64_t)process->threads[i].tid, arena);
	for (size_t i = 0; i < process->goroutine_count; i++)
		add_gaps(&shared, &process->goroutines[i].gaps, "goroutine",
			process->goroutines[i].id, arena);
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
