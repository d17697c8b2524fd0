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
#include <sys/sysinfo.h>

#include "collect/live.h"
#include "collect/sighting.h"
#include "collect/task_iterator.h"
#include "collect/ways.h"
#include "util/memory.h"

#define ATTEMPTS 3

/* So many processes are looked at together: the more, the longer their threads must hold still. */
#define BATCH 128

/* To walk one process costs as much as to pass by so many tasks (measured). */
#define WALK_COST 150

/* No more threads than that are looked at again one by one, which takes the shortest time. */
#define FEW_THREADS 64

struct passes {
	struct session session;
	struct task_iterator *iterator;
	struct raw_stacks *stacks;
	struct task_records before, after; /* of two passes */
	struct task_filter filter;         /* as the request has it */
};

/* What was seen of processes, and is not accepted yet: those of a process stand together. */
struct sightings {
	struct sighting *items; /* heap */
	size_t count, capacity;
};

/* The process of that id, of @lives by rising id; NULL: it is not among them. */
static struct live *find_live(struct live *lives, size_t count, pid_t pid)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lives[middle].process->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && lives[low].process->pid == pid ? &lives[low] : NULL;
}

static int by_process(const void *one, const void *other)
{
	const struct sighting *a = one, *b = other;

	if (a->live != b->live)
		return (a->live > b->live) - (a->live < b->live);
	return (a->task > b->task) - (a->task < b->task);
}

/* Adds the threads that a pass told of to the processes whose they are. */
static void list_tasks(const struct task_records *records, struct live *lives, size_t count,
	struct sightings *sightings)
{
	struct live *live = NULL, *last = NULL;
	bool together = true;

	for (const struct task_record *record = NULL;
		(record = task_record_next(records, record));) {
		pid_t tid = (pid_t)record->mark.tid;

		if (!live || live->process->pid != (pid_t)record->mark.pid)
			live = find_live(lives, count, (pid_t)record->mark.pid);
		if (!live || !live_asks_for(live, tid))
			continue;
		together &= !last || last <= live;
		last = live;
		array_reserve(sightings->items, sightings->count, sightings->capacity);
		sightings->items[sightings->count++] =
			(struct sighting){.live = live, .task = live->count, .record = record};
		live_add_task(live, tid);
	}
	if (!together)
		qsort(sightings->items, sightings->count, sizeof(*sightings->items), by_process);
}

/*
 * One attempt at threads whose records were just taken. Those that did not sleep throughout are
 * kept at the front; their number.
 */
static size_t attempt(
	struct passes *passes, struct task_walk walk, struct sighting *sightings, size_t count)
{
	static const struct task_filter brief = {.states = UINT32_MAX, .brief = true};

	sightings_take(sightings, count, passes->stacks);
	if (failed(task_iterator_pass(passes->iterator, walk, &brief, &passes->after)))
		return count;
	return sightings_judge(sightings, count, &passes->after, passes->stacks, passes->iterator);
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
static size_t insist(struct passes *passes, struct sighting *sightings, size_t count)
{
	pid_t pid = count ? sightings->live->process->pid : 0;
	struct task_walk walk = {pid, pid, 0};

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

/* Ends the look at a process of whose threads so many have not proved to have slept. false: it is
 * to be begun again. */
static bool end_process(struct passes *passes, struct live *live, struct sighting *sightings,
	size_t count, bool last)
{
	const struct look_request *request = passes->session.request;
	struct task **tasks cleanup_free = allocate_zeroed(count, sizeof(*tasks));

	if (!live->count && (request->tid_count || request->states)) {
		live_forget(live);
		return true;
	}
	count = insist(passes, sightings, count);
	for (size_t i = 0; i < count; i++) {
		sighting_forget(&sightings[i]);
		tasks[i] = sighting_task(&sightings[i]);
	}
	if (count && request->stop == STOP_AUTO)
		live_stop_and_copy(live, tasks, count);
	return live_end(live, last);
}

/* Looks at processes together. Those that executed another program meanwhile are begun again. */
static void look_at(struct passes *passes, const pid_t *pids, size_t pid_count, int round)
{
	struct live *lives cleanup_free = allocate_zeroed(pid_count, sizeof(*lives));
	pid_t *again cleanup_free = allocate_zeroed(pid_count, sizeof(*again));
	struct sightings sightings = {0};
	size_t count = 0, again_count = 0, left = 0, next = 0;

	for (size_t i = 0; i < pid_count; i++)
		count += live_open(&lives[count], &passes->session, pids[i]);
	if (!count)
		return;
	struct task_walk walk = {lives[0].process->pid, lives[count - 1].process->pid, 0};
	struct error error =
		task_iterator_pass(passes->iterator, walk, &passes->filter, &passes->before);
	if (!failed(error)) {
		list_tasks(&passes->before, lives, count, &sightings);
		left = attempt(passes, walk, sightings.items, sightings.count);
	} else {
		gaps_add(&passes->session.look->gaps, passes->session.look->arena, STAGE_PROCESS,
			"the tasks could not be walked: %s", error.reason);
	}
	for (size_t i = 0; i < count; i++) {
		size_t first = next;
		pid_t pid = lives[i].process->pid;

		while (next < left && sightings.items[next].live == &lives[i])
			next++;
		if (failed(error))
			live_forget(&lives[i]);
		else if (!end_process(passes, &lives[i], sightings.items + first, next - first,
				 round == LIVE_ATTEMPTS))
			again[again_count++] = pid;
	}
	free(sightings.items);
	for (size_t i = 0; i < again_count; i++)
		look_at(passes, &again[i], 1, round + 1);
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

static int compare_pids(const void *one, const void *other)
{
	pid_t a = *(const pid_t *)one, b = *(const pid_t *)other;

	return (a > b) - (a < b);
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

/* How many processes are best looked at together: one by one, unless to walk each for itself costs
 * more than to walk all tasks for a batch of them. */
static size_t batch_of(size_t process_count)
{
	size_t batches = (process_count + BATCH - 1) / BATCH;
	struct sysinfo info;

	if (sysinfo(&info) < 0 || batches * info.procs > process_count * WALK_COST)
		return 1;
	return BATCH;
}

static void look_at_all(struct passes *passes)
{
	pid_t *pids cleanup_free =
		allocate_zeroed(passes->session.request->pid_count, sizeof(*pids));
	size_t count = keep_processes(passes, pids), batch = batch_of(count);

	for (size_t i = 0; i < count; i += batch)
		look_at(passes, &pids[i], count - i < batch ? count - i : batch, 1);
}

/* The records have the ids of the initial pid namespace: PROC_PID_INIT_INO,
 * include/linux/proc_ns.h. */
static bool has_initial_pids(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == 0xeffffffc;
}

static struct error collect_bpf(const struct look_request *request, struct look *look)
{
	struct passes passes = {0};

	if (request->stop == STOP_ALWAYS)
		return error_because("each thread shall be stopped");
	if (request->without_bpf)
		return error_because("the look is small");
	if (!has_initial_pids())
		return error_because("this is not the initial pid namespace");
	struct error error = task_iterator_create(&passes.iterator);
	if (failed(error))
		return error;
	session_init(&passes.session, request, look);
	passes.filter.states = states_of(request);
	passes.filter.no_kernel_threads = request->no_kernel_threads;
	passes.stacks = raw_stacks_create();
	look_at_all(&passes);
	raw_stacks_destroy(passes.stacks);
	session_deinit(&passes.session);
	task_records_deinit(&passes.before);
	task_records_deinit(&passes.after);
	task_iterator_destroy(passes.iterator);
	return NO_ERROR;
}

const struct collector collector_bpf = {
	.name = "bpf",
	.collect = collect_bpf,
	.release = live_release,
};
