// SPDX-License-Identifier: Apache-2.0
#include "top/rows.h"

#include <stdlib.h>
#include <string.h>

#include "explain/group.h"
#include "top/columns.h"
#include "util/text.h"

const char *pain_name(enum pain pain)
{
	static const char *const names[PAINS] = {
		[PAIN_DEADLOCKED] = "deadlocked",
		[PAIN_RUNNING] = "running",
		[PAIN_UNINTERRUPTIBLE] = "uninterruptible",
		[PAIN_HELD] = "held up",
		[PAIN_WAITING] = "waiting",
		[PAIN_RESTING] = "resting",
	};

	return names[pain];
}

/* Whether @holder tells whom to look at: "any other thread of its process" does not. */
static bool is_telling(const struct process *process, const struct holder *holder)
{
	return holder->unseen || holder->pid != process->pid || holder->tid || holder->goroutine;
}

static bool is_held(const struct process *process, const struct thread *thread)
{
	const struct wait *wait = thread->wait;

	if (thread->state == 'T' || thread->state == 't' || thread->state == 'Z')
		return true; /* by who stopped it, or does not take its status */
	for (size_t i = 0; wait && i < wait->holder_count; i++) {
		if (is_telling(process, &wait->holders[i]))
			return true;
	}
	return false;
}

enum pain thread_pain(const struct process *process, const struct thread *thread)
{
	if (thread->wait && thread->wait->deadlock)
		return PAIN_DEADLOCKED;
	if (thread_rests_in_role(thread))
		return PAIN_RESTING;
	switch (thread->state) {
	case 'R':
		return PAIN_RUNNING;
	case 'D':
		return PAIN_UNINTERRUPTIBLE;
	case 'I':
	case 'P':
	case 'X':
		return PAIN_RESTING;
	default:
		if (thread->wait && thread->wait->idle)
			return PAIN_RESTING;
		return is_held(process, thread) ? PAIN_HELD : PAIN_WAITING;
	}
}

#define COMPARE(left, right) (((left) > (right)) - ((left) < (right)))

/* For whom the most wait first, then the longest in its wait. */
static int by_pain(const struct row *left, const struct row *right)
{
	int order = COMPARE(left->pain, right->pain);

	if (!order)
		order = COMPARE(right->thread->holds_up, left->thread->holds_up);
	if (!order)
		order = COMPARE(right->thread->blocked_ns, left->thread->blocked_ns);
	if (!order)
		order = COMPARE(left->process->pid, right->process->pid);
	return order ? order : COMPARE(left->thread->tid, right->thread->tid);
}

/* Those that rest stand last, however the others are ordered. */
static int by_settings(const void *left_row, const void *right_row, void *argument)
{
	const struct row_settings *settings = argument;
	const struct row *left = left_row, *right = right_row;
	int order = COMPARE(left->pain == PAIN_RESTING, right->pain == PAIN_RESTING);

	if (order)
		return order;
	if (settings->sort) {
		const struct column *column = column_among(settings->sort, settings->kind);

		order = column_compare(column, left, right);
	}
	if (!order && settings->kind == ROWS_STACKS && !settings->sort) {
		order = COMPARE(left->pain, right->pain);
		order = order ? order : COMPARE(right->count, left->count);
	}
	if (!order)
		order = by_pain(left, right);
	return settings->reversed ? -order : order;
}

/* What is needed while rows are built. */
struct building {
	const struct look *look;
	const struct facts *facts;
	const struct row_settings *settings;
	struct arena *arena;
	struct rows rows;
	struct text cells; /* scratch */
};

static struct row row_of_thread(const struct building *building, const struct process *process,
	const struct thread **thread)
{
	return (struct row){
		.look = building->look,
		.process = process,
		.thread = *thread,
		.threads = thread,
		.count = 1,
		.pain = thread_pain(process, *thread),
	};
}

static bool contains(struct building *building, const struct row *row)
{
	struct text *cells = &building->cells;

	for (int i = 0; i < COLUMNS; i++) {
		text_clear(cells);
		column_table[i].append(cells, row);
		if (cells->length && strcasestr(cells->bytes, building->settings->filter))
			return true;
	}
	return false;
}

static bool is_wanted(struct building *building, const struct row *row)
{
	const struct row_settings *settings = building->settings;

	if (settings->of_one_user && row->process->uid != settings->uid)
		return false;
	if (settings->states && *settings->states &&
		(!row->thread->state || !strchr(settings->states, row->thread->state)))
		return false;
	return !settings->filter || !*settings->filter || contains(building, row);
}

/* What has changed of the thread that stands for the row, or in how many there are. */
static void mark(const struct building *building, struct row *row)
{
	const struct facts *facts = building->facts;
	const struct thread_facts *first = facts_find(facts, row->process->pid, row->thread->tid);
	bool all_new = true;

	if (!first)
		return;
	row->changed = first->changed;
	for (size_t i = 0; i < row->count; i++) {
		const struct thread_facts *one =
			facts_find(facts, row->process->pid, row->threads[i]->tid);

		if (one && one->is_new)
			row->count_changed = true;
		else
			all_new = false;
	}
	row->is_new = all_new;
}

static const char *key_of(struct building *building, const struct row *row)
{
	const struct row_settings *settings = building->settings;

	if (!settings->sort || settings->sort->compare)
		return NULL;
	text_clear(&building->cells);
	settings->sort->append(&building->cells, row);
	return building->cells.length ? text_to_arena(&building->cells, building->arena) : NULL;
}

static void add_row(struct building *building, struct row row)
{
	struct rows *rows = &building->rows;

	if (row.pain == PAIN_RESTING && building->settings->hides_resting) {
		rows->hidden++;
		return;
	}
	mark(building, &row);
	row.key = key_of(building, &row);
	rows->items[rows->count++] = row;
}

/* One row for all @threads, for which that of most interest stands. */
static void add_together(struct building *building, const struct process *process,
	const struct thread **threads, size_t count)
{
	struct row best = row_of_thread(building, process, &threads[0]);

	for (size_t i = 1; i < count; i++) {
		struct row one = row_of_thread(building, process, &threads[i]);

		if (by_pain(&one, &best) < 0)
			best = one;
	}
	best.threads = threads;
	best.count = count;
	add_row(building, best);
}

/* A process with no other threads than these, for what groups all that a process has. */
static const struct process *process_of(struct building *building, const struct process *process,
	const struct thread **threads, size_t count)
{
	struct process *part = arena_copy(building->arena, process, sizeof(*process));

	if (count == process->thread_count)
		return part;
	part->threads = arena_new(building->arena, struct thread, count);
	part->thread_count = count;
	for (size_t i = 0; i < count; i++)
		part->threads[i] = *threads[i];
	return part;
}

static void add_stacks(struct building *building, const struct process *process,
	const struct thread **threads, size_t count)
{
	struct thread_groups groups =
		group_threads(process_of(building, process, threads, count), true, building->arena);

	for (size_t i = 0; i < groups.count; i++)
		add_together(building, process, groups.items[i].threads, groups.items[i].count);
}

static void add_process(struct building *building, const struct process *process)
{
	const struct thread **threads =
		arena_new(building->arena, const struct thread *, process->thread_count);
	size_t count = 0;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];
		struct row row = row_of_thread(building, process, &thread);

		if (!is_wanted(building, &row))
			continue;
		threads[count++] = thread;
		building->rows.threads++;
		building->rows.pains[row.pain]++;
	}
	if (!count)
		return;
	if (building->settings->kind == ROWS_PROCESSES)
		add_together(building, process, threads, count);
	else if (building->settings->kind == ROWS_STACKS)
		add_stacks(building, process, threads, count);
	for (size_t i = 0; building->settings->kind == ROWS_THREADS && i < count; i++)
		add_row(building, row_of_thread(building, process, &threads[i]));
}

struct rows rows_build(const struct look *look, const struct facts *facts,
	const struct row_settings *settings, struct arena *arena)
{
	struct building building = {
		.look = look, .facts = facts, .settings = settings, .arena = arena};
	size_t most = 0;

	for (size_t i = 0; i < look->process_count; i++)
		most += look->processes[i]->thread_count;
	building.rows.items = arena_new(arena, struct row, most);
	for (size_t i = 0; i < look->process_count; i++)
		add_process(&building, look->processes[i]);
	text_deinit(&building.cells);
	qsort_r(building.rows.items, building.rows.count, sizeof(*building.rows.items), by_settings,
		(void *)settings);
	return building.rows;
}
