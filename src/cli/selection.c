// SPDX-License-Identifier: Apache-2.0
#include "cli/selection.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/text.h"

static void add_target_gap(
	struct look *look, const char *kind, const char *target, const char *reason)
{
	gaps_add(&look->gaps, look->arena, STAGE_PROCESS, "%s%s: %s", kind,
		escaped(look->arena, target), reason);
}

void selection_find(const struct options *options, struct watch *watch, struct look *look,
	struct pids *pids, bool *missing)
{
	struct error error;

	if (options->all) {
		error = targets_all(pids);
		if (failed(error))
			add_target_gap(look, "", "/proc", error.reason);
		return;
	}
	for (size_t i = 0; i < options->target_count; i++) {
		error = targets_resolve(options->targets[i], watch, pids);
		if (failed(error))
			add_target_gap(look, "", options->targets[i], error.reason);
	}
	for (size_t i = 0; i < options->tid_count && !options->target_count; i++) {
		const char *tid = arena_printf(look->arena, "%d", options->tids[i]);

		error = targets_resolve(tid, watch, pids);
		missing[i] = failed(error);
		if (missing[i])
			add_target_gap(look, "thread ", tid, error.reason);
	}
}

static bool has_thread(const struct look *look, pid_t tid)
{
	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			if (process->threads[j].tid == tid)
				return true;
		}
	}
	return false;
}

void selection_check(const struct options *options, struct look *look, const bool *missing)
{
	for (size_t i = 0; i < options->tid_count; i++) {
		if (missing[i] || has_thread(look, options->tids[i]))
			continue;
		gaps_add(&look->gaps, look->arena, STAGE_THREAD,
			"thread %d: none of the targets has it%s", options->tids[i],
			options->states ? ", or it is not in the states asked for" : "");
	}
}

void selection_drop_empty(struct look *look)
{
	size_t kept = 0;

	for (size_t i = 0; i < look->process_count; i++) {
		if (look->processes[i]->thread_count || look->processes[i]->goroutine_count ||
			look->processes[i]->gaps.first)
			look->processes[kept++] = look->processes[i];
	}
	look->process_count = kept;
}

static int compare_ids(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static const uint64_t *find_id(const uint64_t *ids, size_t count, uint64_t id)
{
	return count ? bsearch(&id, ids, count, sizeof(*ids), compare_ids) : NULL;
}

/* A selection from one process. */
struct selection {
	const struct options *options;
	uint64_t *ids; /* that were asked for, rising */
	bool *found;   /* of them */
	uint64_t *run; /* by the threads shown, rising */
	size_t run_count;
};

static bool is_wanted(const struct selection *selection, const struct goroutine *goroutine)
{
	const struct options *options = selection->options;
	const uint64_t *id = find_id(selection->ids, options->goroutine_count, goroutine->id);

	if (options->goroutine_count) {
		if (id)
			selection->found[id - selection->ids] = true;
		return id;
	}
	if (options->goroutines == GOROUTINES_OF_THREADS)
		return find_id(selection->run, selection->run_count, goroutine->id);
	return true;
}

/*
 * Where the graph of waits leads to goroutines, those that are left out must stay where they are:
 * what is kept is copied then.
 */
static void select_goroutines(
	const struct selection *selection, struct look *look, struct process *process)
{
	bool system_too =
		selection->options->render.runtime_frames || selection->options->goroutine_count;
	struct goroutine *kept = process->goroutines;
	size_t kept_count = 0;

	if (look->goroutines_tied)
		kept = arena_new(look->arena, struct goroutine, process->goroutine_count);
	for (size_t i = 0; i < process->goroutine_count; i++) {
		if (!is_wanted(selection, &process->goroutines[i]))
			continue;
		if (process->goroutines[i].is_system && !system_too)
			process->goroutines_left_out++;
		else
			kept[kept_count++] = process->goroutines[i];
	}
	if (process->goroutines)
		process->goroutines = kept;
	process->goroutine_count = kept_count;
}

/* The goroutines that the threads of @process run. */
static void find_run(struct selection *selection, const struct process *process)
{
	selection->run = reallocate(NULL, process->thread_count + 1, sizeof(*selection->run));
	selection->run_count = 0;
	for (size_t i = 0; i < process->thread_count; i++) {
		if (process->threads[i].goroutine)
			selection->run[selection->run_count++] = process->threads[i].goroutine;
	}
	qsort(selection->run, selection->run_count, sizeof(*selection->run), compare_ids);
}

/* The graph of waits may lead to those that are left out: they stay where they are. */
static void select_threads(
	const struct selection *selection, struct look *look, struct process *process)
{
	struct thread *kept = arena_new(look->arena, struct thread, process->thread_count);
	size_t kept_count = 0;

	for (size_t i = 0; i < process->thread_count; i++) {
		uint64_t goroutine = process->threads[i].goroutine;
		const uint64_t *id =
			find_id(selection->ids, selection->options->goroutine_count, goroutine);

		if (!id)
			continue;
		selection->found[id - selection->ids] = true;
		kept[kept_count++] = process->threads[i];
	}
	process->threads = kept;
	process->thread_count = kept_count;
}

void selection_of_goroutines(const struct options *options, struct look *look)
{
	size_t count = options->goroutine_count;
	struct selection selection = {
		.options = options,
		.ids = reallocate(NULL, count + 1, sizeof(uint64_t)),
		.found = allocate_zeroed(count + 1, sizeof(bool)),
	};

	for (size_t i = 0; i < count; i++)
		selection.ids[i] = options->goroutine_ids[i];
	qsort(selection.ids, count, sizeof(*selection.ids), compare_ids);
	for (size_t i = 0; i < look->process_count; i++) {
		struct process *process = look->processes[i];

		find_run(&selection, process);
		select_goroutines(&selection, look, process);
		if (count)
			select_threads(&selection, look, process);
		free(selection.run);
	}
	for (size_t i = 0; i < count; i++) {
		if (!selection.found[i])
			gaps_add(&look->gaps, look->arena, STAGE_GOROUTINE,
				"goroutine %" PRIu64 ": none of the targets has it",
				selection.ids[i]);
	}
	free(selection.ids);
	free(selection.found);
}
