// SPDX-License-Identifier: Apache-2.0
/*
 * The way that stops nothing and is the fastest as well: a BPF program reads each thread's
 * registers and kernel stack from the kernel's own structs, and the user stacks are copied
 * meanwhile.
 *
 * A thread that sleeps holds still, registers and stack. That it slept from before its registers
 * were read until after its stack was copied is proved by a second pass: the count of its context
 * switches is the same, and it was on no CPU at either time. Those that went on are looked at
 * again; those that run each time are stopped for the copy, if that is allowed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collect/live.h"
#include "collect/live_process.h"
#include "collect/sighting.h"
#include "collect/task_iterator.h"
#include "collect/ways.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/search.h"

#define ATTEMPTS 3

/* No more threads than that are looked at again one by one, which takes the shortest time. */
#define FEW_THREADS 64

struct passes {
	struct session session;
	struct task_iterator *iterator;
	struct raw_stacks *stacks;
	struct task_records before, after; /* of two passes */
	struct task_filter filter;         /* as the request has it */
};

/* What was seen of a process and is not accepted yet. */
struct sightings {
	struct sighting *items; /* heap */
	size_t count, capacity;
};

static struct task_walk walk_of(const struct live *live)
{
	return (struct task_walk){live->process->pid, live->process->pid, 0};
}

/* Adds a thread that a pass told of, if the request asks for it. */
static void add_task(
	const struct task_record *record, struct live *live, struct sightings *sightings)
{
	pid_t tid = (pid_t)record->mark.tid;

	if (!live_asks_for(live, tid))
		return;
	array_reserve(sightings->items, sightings->count, sightings->capacity);
	sightings->items[sightings->count++] =
		(struct sighting){.live = live, .task = live->count, .record = record};
	live_add_task(live, tid);
}

/* Takes what is of the process as a whole from the record, if it is that of the main thread. */
static bool take_status(const struct task_record *record, struct live *live)
{
	if ((pid_t)record->mark.tid != live->process->pid || !record->namespace_pid)
		return false;
	live_take_status(live, &(struct proc_status){
				       .uid = record->uid,
				       .tracer = (pid_t)record->tracer,
				       .namespace_pid = (pid_t)record->namespace_pid,
			       });
	return true;
}

static void list_tasks(
	const struct task_records *records, struct live *live, struct sightings *sightings)
{
	bool has_status = false;

	for (const struct task_record *record = NULL;
		(record = task_record_next(records, record));) {
		has_status |= take_status(record, live);
		add_task(record, live, sightings);
	}
	if (!has_status)
		live_read_status(live);
}

/* Those that did not sleep since their records were taken are kept at the front; their number. */
static size_t judge(
	struct passes *passes, struct task_walk walk, struct sighting *sightings, size_t count)
{
	static const struct task_filter brief = {.states = UINT32_MAX, .brief = true};

	if (failed(task_iterator_pass(passes->iterator, walk, &brief, &passes->after)))
		return count;
	return sightings_judge(sightings, count, &passes->after, passes->stacks, passes->iterator);
}

/*
 * One attempt at threads whose records were just taken. Those that did not sleep throughout are
 * kept at the front; their number.
 */
static size_t attempt(
	struct passes *passes, struct task_walk walk, struct sighting *sightings, size_t count)
{
	sightings_take(sightings, count, passes->stacks);
	return judge(passes, walk, sightings, count);
}

static int by_tid(const void *one, const void *other)
{
	pid_t a = sighting_task(one)->thread.tid, b = sighting_task(other)->thread.tid;

	return (a > b) - (a < b);
}

static int compare_to_record(const void *key, const void *item)
{
	const struct task_record *record = key;
	pid_t a = (pid_t)record->mark.tid, b = sighting_task(item)->thread.tid;

	return (a > b) - (a < b);
}

/* Looks once more at threads of one process, whatever their states have become. */
static size_t look_again(
	struct passes *passes, struct task_walk walk, struct sighting *sightings, size_t count)
{
	static const struct task_filter all = {.states = UINT32_MAX};

	if (failed(task_iterator_pass(passes->iterator, walk, &all, &passes->before)))
		return count;
	for (size_t i = 0; i < count; i++)
		sightings[i].record = NULL;
	qsort(sightings, count, sizeof(*sightings), by_tid);
	for (const struct task_record *record = NULL;
		(record = task_record_next(&passes->before, record));) {
		struct sighting *sighting =
			bsearch(record, sightings, count, sizeof(*sightings), compare_to_record);

		if (sighting && (pid_t)record->mark.pid == walk.first_process)
			sighting->record = record;
	}
	return attempt(passes, walk, sightings, count);
}

/* Looks again at the threads that ran, as often as may be; the number of those that did each time.
 */
static size_t insist(
	struct passes *passes, struct live *live, struct sighting *sightings, size_t count)
{
	struct task_walk walk = walk_of(live);

	for (int i = 1; i < ATTEMPTS && count; i++) {
		size_t left = 0;

		if (count > FEW_THREADS) {
			count = look_again(passes, walk, sightings, count);
			continue;
		}
		for (size_t j = 0; j < count; j++) {
			struct sighting sighting = sightings[j];

			walk.thread = sighting_task(&sighting)->thread.tid;
			if (look_again(passes, walk, &sighting, 1))
				sightings[left++] = sighting;
		}
		walk.thread = 0;
		count = left;
	}
	return count;
}

/* Adds the threads that are known by their ids. */
static void list_known(struct live *live, struct sightings *sightings)
{
	const struct look_request *request = live->session->request;

	for (size_t i = 0; i < request->tid_count; i++) {
		array_reserve(sightings->items, sightings->count, sightings->capacity);
		sightings->items[sightings->count++] =
			(struct sighting){.live = live, .task = live->count};
		live_add_task(live, request->tids[i]);
	}
}

/* The first look at the threads that are asked for; *count becomes the number of those that did not
 * sleep throughout. */
static struct error look_first(
	struct passes *passes, struct live *live, struct sightings *sightings, size_t *count)
{
	struct task_walk walk = walk_of(live);

	if (passes->session.request->tids_are_known) {
		list_known(live, sightings);
		*count = sightings->count;
		return NO_ERROR;
	}
	struct error error =
		task_iterator_pass(passes->iterator, walk, &passes->filter, &passes->before);
	if (failed(error))
		return error;
	list_tasks(&passes->before, live, sightings);
	*count = attempt(passes, walk, sightings->items, sightings->count);
	return NO_ERROR;
}

/* Looks in passes; those that did not sleep throughout are stopped, where that is allowed. */
static struct error look_in_passes(
	struct passes *passes, struct live *live, struct sightings *sightings)
{
	size_t count;
	struct error error = look_first(passes, live, sightings, &count);

	if (failed(error))
		return error;
	struct sighting *items = sightings->items;
	count = insist(passes, live, items, count);
	struct task **tasks cleanup_free = allocate_zeroed(count, sizeof(*tasks));
	for (size_t i = 0; i < count; i++) {
		sighting_forget(&items[i]);
		tasks[i] = sighting_task(&items[i]);
	}
	if (count && passes->session.request->stop == STOP_AUTO)
		live_stop_and_copy(live, tasks, count);
	return NO_ERROR;
}

static void look_at(struct passes *passes, pid_t pid)
{
	const struct look_request *request = passes->session.request;
	struct look *look = passes->session.look;
	struct live live;
	bool done = false;

	for (int i = 1; !done && live_open(&live, &passes->session, pid); i++) {
		struct sightings sightings = {0};
		struct error error = look_in_passes(passes, &live, &sightings);

		free(sightings.items);
		done = failed(error) || (!live.count && (request->tid_count || request->states));
		if (failed(error))
			gaps_add(&look->gaps, look->arena, STAGE_PROCESS,
				"process %d: its threads could not be walked: %s", pid,
				error.reason);
		if (done)
			live_forget(&live);
		else
			done = live_end(&live, i == LIVE_ATTEMPTS);
	}
}

static __u32 states_of(const struct look_request *request)
{
	static const char letters[] = TASK_STATE_LETTERS;
	__u32 states = 0;

	if (!request->states)
		return UINT32_MAX;
	for (unsigned i = 0; letters[i]; i++)
		states |= strchr(request->states, letters[i]) ? 1U << i : 0;
	return states;
}

/* Those of the processes, in @kept, that have threads in the states asked for: their number. */
static size_t keep_processes(struct passes *passes, pid_t *kept)
{
	const struct look_request *request = passes->session.request;
	struct task_filter filter = passes->filter;
	size_t count = request->pid_count, mark_count, kept_count = 0;

	memcpy(kept, request->pids, count * sizeof(*kept));
	filter.brief = true;
	if (!request->states || count < 2 ||
		failed(task_iterator_pass(passes->iterator,
			(struct task_walk){0, kept[count - 1], 0}, &filter, &passes->after)))
		return count;
	const struct task_mark *marks = task_marks(&passes->after, &mark_count);
	bool *has cleanup_free = allocate_zeroed(count, sizeof(*has));
	for (size_t i = 0; i < mark_count; i++) {
		pid_t pid = (pid_t)marks[i].pid;
		const pid_t *found = bsearch(&pid, kept, count, sizeof(pid), compare_pids);

		if (found)
			has[found - kept] = true;
	}
	for (size_t i = 0; i < count; i++) {
		if (has[i])
			kept[kept_count++] = kept[i];
	}
	return kept_count;
}

/* The records of a pass over all processes, by process. */
struct census {
	const struct task_record **records; /* heap */
	size_t count;
	uint64_t *newest; /* heap; by CPU: when the thread that ran last was charged for it */
	size_t cpus;
};

static int compare_records(const void *one, const void *other)
{
	const struct task_record *a = *(const struct task_record *const *)one;
	const struct task_record *b = *(const struct task_record *const *)other;

	if (a->mark.pid != b->mark.pid)
		return a->mark.pid < b->mark.pid ? -1 : 1;
	return (a->mark.tid > b->mark.tid) - (a->mark.tid < b->mark.tid);
}

static struct census take_census(const struct task_records *all)
{
	struct census census = {0};
	size_t capacity = 0;

	for (const struct task_record *record = NULL; (record = task_record_next(all, record));) {
		array_reserve(census.records, census.count, capacity);
		census.records[census.count++] = record;
		if (record->cpu >= census.cpus)
			census.cpus = record->cpu + 1;
	}
	if (census.count)
		qsort(census.records, census.count, sizeof(*census.records), compare_records);
	census.newest = allocate_zeroed(census.cpus, sizeof(*census.newest));
	for (size_t i = 0; i < census.count; i++) {
		const struct task_record *record = census.records[i];

		if (record->mark.exec_start_ns > census.newest[record->cpu])
			census.newest[record->cpu] = record->mark.exec_start_ns;
	}
	return census;
}

static void census_deinit(struct census *census)
{
	free(census->records);
	free(census->newest);
}

/* The process's records, the first at *first: their number. */
static size_t find_process(const struct census *census, pid_t pid, size_t *first)
{
	size_t low = 0, end;

	for (size_t high = census->count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if ((pid_t)census->records[middle]->mark.pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < census->count && (pid_t)census->records[end]->mark.pid == pid;)
		end++;
	*first = low;
	return end - low;
}

/* Whether none of these threads has run for long, so that they may be expected to sleep on. */
static bool are_quiet(const struct census *census, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		const struct task_record *record = census->records[i];

		if (record->mark.on_cpu || TASK_STATE_LETTERS[record->mark.state] == 'R' ||
			census->newest[record->cpu] - record->mark.exec_start_ns < NS_PER_SECOND)
			return false;
	}
	return count;
}

/* Processes that are looked at together. */
struct together {
	struct live *lives; /* heap */
	size_t *numbers;    /* heap; which of the pids each of them is */
	size_t count;
	struct sightings sightings;
};

/* Ends the part of those processes of which each thread held still: they are @done. */
static void end_together(struct together *together, size_t moved, bool *done)
{
	bool *is_moved cleanup_free = allocate_zeroed(together->count, sizeof(*is_moved));

	for (size_t i = 0; i < moved; i++)
		is_moved[together->sightings.items[i].live - together->lives] = true;
	for (size_t i = 0; i < together->count; i++) {
		if (is_moved[i])
			live_forget(&together->lives[i]);
		else
			done[together->numbers[i]] = live_end(&together->lives[i], false);
	}
}

/*
 * Looks at those of the processes that have been quiet, between two passes over all of them:
 * whatever ran meanwhile is none that is @done, and has to be looked at for itself.
 */
static void look_at_quiet(struct passes *passes, const pid_t *pids, size_t count, bool *done)
{
	struct task_walk walk = {pids[0], pids[count - 1], 0};
	struct task_records all = {0};

	if (failed(task_iterator_pass(passes->iterator, walk, &passes->filter, &all))) {
		task_records_deinit(&all);
		return;
	}
	struct census census = take_census(&all);
	struct together together = {
		.lives = allocate_zeroed(count, sizeof(*together.lives)),
		.numbers = allocate_zeroed(count, sizeof(*together.numbers)),
	};
	for (size_t i = 0; i < count; i++) {
		struct sightings *sightings = &together.sightings;
		struct live *live = &together.lives[together.count];
		size_t first, threads = find_process(&census, pids[i], &first);
		size_t before = sightings->count;
		bool has_status = false;

		if (!are_quiet(&census, first, threads))
			continue;
		done[i] = !live_open(live, &passes->session, pids[i]);
		if (done[i])
			continue;
		for (size_t j = first; j < first + threads; j++) {
			has_status |= take_status(census.records[j], live);
			add_task(census.records[j], live, sightings);
		}
		if (!has_status)
			live_read_status(live);
		together.numbers[together.count++] = i;
		sightings_take(sightings->items + before, threads, passes->stacks);
	}
	size_t moved = judge(passes, walk, together.sightings.items, together.sightings.count);
	end_together(&together, moved, done);
	free(together.sightings.items);
	free(together.lives);
	free(together.numbers);
	census_deinit(&census);
	task_records_deinit(&all);
}

static int compare_processes(const void *one, const void *other)
{
	const struct process *a = *(const struct process *const *)one;
	const struct process *b = *(const struct process *const *)other;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

/* Whether the look is at all of many processes, and at most of those that there are. */
static bool is_of_most(const struct look_request *request)
{
	enum { MANY_PROCESSES = 100 };
	struct stat proc;

	/* fs/proc/root.c, proc_root_getattr(): /proc has a link for each process. */
	return request->pid_count >= MANY_PROCESSES && !request->tid_count && !request->states &&
	       stat("/proc", &proc) == 0 && proc.st_nlink / 4 <= request->pid_count;
}

/*
 * Most processes are walked for themselves: to start the walk takes 10 µs, and each thread 0.2 µs,
 * while a walk of all tasks takes 1 µs for each (measured, 6.18: kernel/bpf/task_iter.c,
 * task_seq_get_next(), looks for the next id), and its threads need hold still for less long. Where
 * nearly all are asked for, those that have slept for long are walked together.
 */
static void look_at_all(struct passes *passes)
{
	enum { TOGETHER = 1000 }; /* they have several files open each, and hold still meanwhile */
	const struct look_request *request = passes->session.request;
	struct look *look = passes->session.look;
	pid_t *pids cleanup_free = allocate_zeroed(request->pid_count, sizeof(*pids));
	bool *done cleanup_free = allocate_zeroed(request->pid_count, sizeof(*done));
	size_t count = keep_processes(passes, pids);

	for (size_t i = 0; i < count && is_of_most(request); i += TOGETHER)
		look_at_quiet(
			passes, pids + i, count - i < TOGETHER ? count - i : TOGETHER, done + i);
	for (size_t i = 0; i < count; i++) {
		if (!done[i])
			look_at(passes, pids[i]);
	}
	if (look->process_count)
		qsort(look->processes, look->process_count, sizeof(struct process *),
			compare_processes);
}

static struct error collect_bpf(const struct look_request *request, struct look *look)
{
	struct passes passes = {0};

	if (request->stop == STOP_ALWAYS)
		return error_because("each thread shall be stopped");
	if (request->without_bpf)
		return error_because("the look is small");
	struct task_iterator *own = NULL;
	passes.iterator = request->means ? request->means->iterator : NULL;
	struct error error = passes.iterator ? NO_ERROR : task_iterator_create(&own);
	if (failed(error))
		return error;
	if (own)
		passes.iterator = own;
	session_init(&passes.session, request, look);
	passes.filter.states = states_of(request);
	passes.filter.no_kernel_threads = request->no_kernel_threads;
	passes.stacks = raw_stacks_create();
	look_at_all(&passes);
	raw_stacks_destroy(passes.stacks);
	session_deinit(&passes.session);
	task_records_deinit(&passes.before);
	task_records_deinit(&passes.after);
	task_iterator_destroy(own);
	return NO_ERROR;
}

const struct collector collector_bpf = {
	.name = "bpf",
	.collect = collect_bpf,
	.release = live_process_release,
	.add_unmoved = live_process_add_unmoved,
};
