// SPDX-License-Identifier: Apache-2.0
#include "cli/repeat.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "cli/generation.h"
#include "cli/look.h"
#include "cli/selection.h"
#include "collect/descriptors.h"
#include "collect/scheduler_clock.h"
#include "collect/surroundings.h"
#include "collect/tracking.h"
#include "elf/images.h"
#include "explain/explain.h"
#include "util/clock.h"
#include "util/guard.h"
#include "util/memory.h"

/* Names are resolved, and CPUs' clocks compared, no more often than that. */
#define SELECTION_NS (900 * NS_PER_MS)

/* A look that was given out, and what it leans on. */
struct taken {
	struct look look;
	struct generation **generations; /* heap; of its processes, by rising pid */
	size_t generation_count;
};

struct repeat {
	const struct options *options;
	struct arena *arena; /* of what all looks have in common */
	struct images *images;
	struct watch *watch; /* borrowed; NULL: none */
	struct guard *guard;
	struct scheduler_clock *clock;
	struct tracking *tracking;

	/* What the targets were when they were last resolved. */
	int64_t selected_ns; /* CLOCK_MONOTONIC; 0: never */
	struct look selection;
	struct pids pids;
	bool *missing; /* in the selection's arena */

	struct taken taken[2]; /* the last two, in turn */
	unsigned turn;
};

struct repeat *repeat_create(const struct options *options)
{
	struct repeat *repeat = allocate_zeroed(1, sizeof(*repeat));

	repeat->options = options;
	repeat->arena = arena_create();
	repeat->images = images_create(repeat->arena);
	repeat->guard = guard_create(NULL);
	repeat->tracking = tracking_create(options->stop != STOP_ALWAYS);
	return repeat;
}

void repeat_watch(struct repeat *repeat, struct watch *watch)
{
	guard_destroy(repeat->guard);
	repeat->guard = guard_create(watch);
	repeat->watch = watch;
}

static void forget(struct taken *taken)
{
	for (size_t i = 0; i < taken->generation_count; i++)
		generation_release(taken->generations[i]);
	free(taken->generations);
	arena_destroy(taken->look.arena);
	*taken = (struct taken){0};
}

void repeat_destroy(struct repeat *repeat)
{
	forget(&repeat->taken[0]);
	forget(&repeat->taken[1]);
	tracking_destroy(repeat->tracking);
	if (repeat->clock)
		scheduler_clock_destroy(repeat->clock);
	guard_destroy(repeat->guard);
	pids_deinit(&repeat->pids);
	arena_destroy(repeat->selection.arena);
	images_destroy(repeat->images);
	arena_destroy(repeat->arena);
	free(repeat);
}

/* Who the targets are, and the clocks that tell since when threads have waited. */
static void select_targets(struct repeat *repeat)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	if (repeat->selected_ns && now - repeat->selected_ns < SELECTION_NS)
		return;
	repeat->selected_ns = now;
	pids_deinit(&repeat->pids);
	repeat->pids = (struct pids){0};
	arena_destroy(repeat->selection.arena);
	look_begin(&repeat->selection, arena_create());
	repeat->missing = arena_new(repeat->selection.arena, bool, repeat->options->tid_count);
	selection_find(
		repeat->options, repeat->watch, &repeat->selection, &repeat->pids, repeat->missing);
	guard_forgive(repeat->guard);
	if (repeat->clock)
		scheduler_clock_destroy(repeat->clock);
	repeat->clock = scheduler_clock_create(repeat->guard);
}

static struct look_means means_of(const struct repeat *repeat)
{
	return (struct look_means){
		.iterator = tracking_iterator(repeat->tracking),
		.clock = repeat->clock,
		.guard = repeat->guard,
	};
}

/* The process as the last look found it; NULL: it did not. */
static struct generation *find_last(const struct taken *last, pid_t pid)
{
	size_t low = 0, high = last->generation_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (last->generations[middle]->process->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < last->generation_count && last->generations[low]->process->pid == pid)
		return last->generations[low];
	return NULL;
}

/* What has become of the threads of a process since the last look. */
struct change {
	bool *carries; /* by thread of the last generation */
	size_t carried, gone;
	pid_t *moved; /* or new */
	size_t moved_count;
};

static void change_deinit(struct change *change)
{
	free(change->carries);
	free(change->moved);
}

static bool asks_for(const struct options *options, const struct task_mark *mark)
{
	bool wanted = !options->tid_count;

	for (size_t i = 0; i < options->tid_count && !wanted; i++)
		wanted = options->tids[i] == (pid_t)mark->tid;
	return wanted &&
	       (!options->states || strchr(options->states, TASK_STATE_LETTERS[mark->state]));
}

static const struct task_mark *find_mark(const struct task_mark *marks, size_t count, pid_t tid)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((pid_t)marks[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && (pid_t)marks[low].tid == tid ? &marks[low] : NULL;
}

static struct change find_change(const struct repeat *repeat, const struct generation *last,
	const struct task_mark *marks, size_t count)
{
	size_t threads = last ? last->process->thread_count : 0;
	struct change change = {
		.carries = allocate_zeroed(threads + 1, sizeof(bool)),
		.moved = allocate_zeroed(count + 1, sizeof(pid_t)),
	};
	bool *held cleanup_free = allocate_zeroed(count + 1, sizeof(*held));

	for (size_t i = 0; i < threads; i++) {
		const struct thread *thread = &last->process->threads[i];
		const struct task_mark *mark = find_mark(marks, count, thread->tid);

		change.carries[i] = mark && tracking_held_still(thread, mark);
		if (change.carries[i])
			held[mark - marks] = true;
		change.carried += change.carries[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (!held[i] && asks_for(repeat->options, &marks[i]))
			change.moved[change.moved_count++] = (pid_t)marks[i].tid;
	}
	change.gone = threads - change.carried;
	return change;
}

/*
 * Looks at a process: at the @moved threads alone, or, with NULL, at all that the options ask for.
 * NULL: it is gone, or has none of them.
 */
static struct generation *find_anew(
	struct repeat *repeat, struct look *look, pid_t pid, const struct change *moved)
{
	const struct options *options = repeat->options;
	const struct look_means means = means_of(repeat);
	const struct looker looker = {options, NULL, repeat->images, &means};
	struct pids pids = {.items = &pid, .count = 1};
	struct look_request request = look_request(&looker, &pids);
	struct look part = {.arena = arena_create()};

	request.without_peers = options->kinds_only;
	if (moved) {
		request.tids = moved->moved;
		request.tid_count = moved->moved_count;
		request.tids_are_known = true;
		request.states = NULL;
	}
	struct collection collection = look_find(&looker, &request, &part);
	if (options->kinds_only && part.process_count)
		explain_process(arch_native, part.processes[0], part.arena);
	collection.used->release(&part);
	for_each_gap (gap, &part.gaps)
		gaps_add(&look->gaps, look->arena, gap->stage, "%s", gap->reason);
	if (part.process_count)
		return generation_create(part.arena, part.processes[0], collection.used);
	arena_destroy(part.arena);
	return NULL;
}

/* Takes a thread that held still for one that has moved. */
static void recall_first(struct change *change, const struct generation *last)
{
	size_t i = 0;

	while (!change->carries[i])
		i++;
	change->carries[i] = false;
	change->carried--;
	change->moved[change->moved_count++] = last->process->threads[i].tid;
}

/* The process as it is now, and how that is known at the least cost. */
static struct generation *find_process(
	struct repeat *repeat, struct look *look, const struct taken *last_taken, pid_t pid)
{
	struct generation *last = find_last(last_taken, pid), *now;
	size_t count;
	const struct task_mark *marks = tracking_marks(repeat->tracking, pid, &count);

	if (!count)
		return NULL;
	struct change change __attribute__((cleanup(change_deinit))) =
		find_change(repeat, last, marks, count);
	if (!change.moved_count && !change.carried)
		return NULL;
	if (!change.moved_count && !change.gone)
		return generation_reference(last);
	/* Some have ended: with one that stays, the process has a new generation as well. */
	if (!change.moved_count)
		recall_first(&change, last);
	/* A runtime's tasks may have gone to any of its threads. */
	if (!change.carried || last->process->runtime ||
		!generation_may_carry(last, change.moved_count))
		return find_anew(repeat, look, pid, NULL);
	now = find_anew(repeat, look, pid, &change);
	if (!now || now->process->runtime) {
		generation_release(now);
		return find_anew(repeat, look, pid, NULL);
	}
	generation_carry(now, last, change.carries);
	return now;
}

/* The processes as the generations have them, explained as far as they are not yet. */
static void give_out(struct repeat *repeat, struct taken *taken)
{
	struct look *look = &taken->look;
	struct look_means means = means_of(repeat);
	const struct looker looker = {repeat->options, NULL, repeat->images, &means};
	const struct collector *collector = NULL;
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	look->processes = arena_new(look->arena, struct process *, taken->generation_count);
	if (repeat->options->kinds_only) {
		for (size_t i = 0; i < taken->generation_count; i++)
			look->processes[look->process_count++] = taken->generations[i]->process;
		return;
	}
	means.machine = machine_create(look->arena);
	means.surroundings = surroundings_create(means.machine, look->arena);
	for (size_t i = 0; i < taken->generation_count; i++) {
		const struct generation *generation = taken->generations[i];

		collector = generation->collector;
		collector->add_unmoved(
			look, generation->process, now - generation->taken_ns, &means);
	}
	look->partial = repeat->options->tid_count || repeat->options->states;
	look_name_variables(&looker, look);
	look_explain(&looker, look);
	if (collector)
		collector->release(look);
	machine_destroy(means.machine);
}

static void find_all(struct repeat *repeat, struct taken *taken, const struct taken *last)
{
	const struct pids *pids = &repeat->pids;

	tracking_pass(repeat->tracking, pids->items, pids->count,
		!repeat->options->all || repeat->options->kernel_threads);
	taken->generations = allocate((pids->count + 1) * sizeof(*taken->generations));
	for (size_t i = 0; i < pids->count; i++) {
		struct generation *generation =
			find_process(repeat, &taken->look, last, pids->items[i]);

		if (generation)
			taken->generations[taken->generation_count++] = generation;
	}
}

const struct look *repeat_next(struct repeat *repeat)
{
	const struct options *options = repeat->options;
	struct taken *taken = &repeat->taken[repeat->turn++ % 2];
	struct look *look = &taken->look;

	forget(taken);
	select_targets(repeat);
	look_begin(look, arena_create());
	for_each_gap (gap, &repeat->selection.gaps)
		gaps_add(&look->gaps, look->arena, gap->stage, "%s", gap->reason);
	find_all(repeat, taken, &repeat->taken[repeat->turn % 2]);
	give_out(repeat, taken);
	selection_check(options, look, repeat->missing);
	selection_of_goroutines(options, look);
	if (options->render.partial)
		selection_drop_empty(look);
	return look;
}

bool repeat_has_targets(const struct repeat *repeat)
{
	for (size_t i = 0; i < repeat->pids.count; i++) {
		if (tracking_is_alive(repeat->tracking, repeat->pids.items[i]))
			return true;
	}
	return false;
}
