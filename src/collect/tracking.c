// SPDX-License-Identifier: Apache-2.0
#include "collect/tracking.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/proc.h"
#ifdef HAVE_BPF
#include "collect/task_iterator.h"
#endif
#include "util/file.h"
#include "util/memory.h"
#include "util/search.h"
#include "util/text.h"

/* A walk over one process takes 4 µs and 0.2 µs a thread, one over all tasks 1 µs for each of them
 * (measured, 6.18): see bpf.c, look_at_all(). */
#define TASKS_PER_PROCESS 4

struct tracking {
	struct task_iterator *iterator; /* NULL: by /proc */
	struct task_mark *marks;        /* heap; by rising pid, then tid */
	size_t count, capacity;
	struct text text;
	pid_t *kernel; /* heap; rising: kernel threads among what BPF gave no marks of */
	size_t kernel_count;
	size_t task_count; /* of the machine, when it was last walked; 0: not known */
#ifdef HAVE_BPF
	struct task_records records;
#endif
};

static void add_mark(struct tracking *tracking, const struct task_mark *mark)
{
	array_reserve(tracking->marks, tracking->count, tracking->capacity);
	tracking->marks[tracking->count++] = *mark;
}

static int compare_marks(const void *one, const void *other)
{
	const struct task_mark *a = one, *b = other;

	if (a->pid != b->pid)
		return a->pid > b->pid ? 1 : -1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

#ifdef HAVE_BPF

struct tracking *tracking_create(bool bpf)
{
	struct tracking *tracking = allocate_zeroed(1, sizeof(*tracking));

	if (bpf && failed(task_iterator_create(&tracking->iterator)))
		tracking->iterator = NULL;
	return tracking;
}

static void deinit_iterator(struct tracking *tracking)
{
	task_iterator_destroy(tracking->iterator);
	task_records_deinit(&tracking->records);
}

/* false: it could not be walked. */
static bool walk(struct tracking *tracking, pid_t first, pid_t last, const pid_t *pids,
	size_t count, bool kernel_threads)
{
	const struct task_filter brief = {
		.states = UINT32_MAX, .brief = true, .no_kernel_threads = !kernel_threads};
	size_t found;

	if (failed(task_iterator_pass(tracking->iterator, (struct task_walk){first, last, 0},
		    &brief, &tracking->records)))
		return false;
	const struct task_mark *marks = task_marks(&tracking->records, &found);
	for (size_t i = 0; i < found; i++) {
		pid_t pid = (pid_t)marks[i].pid;

		if (bsearch(&pid, pids, count, sizeof(pid), compare_pids))
			add_mark(tracking, &marks[i]);
	}
	return true;
}

static bool pass_by_bpf(
	struct tracking *tracking, const pid_t *pids, size_t count, bool kernel_threads)
{
	if (!tracking->iterator || !count)
		return tracking->iterator;
	if (count > 1 && count * TASKS_PER_PROCESS >= tracking->task_count) {
		bool walked = walk(tracking, 0, pids[count - 1], pids, count, kernel_threads);

		tracking->task_count = task_iterator_walked(tracking->iterator);
		return walked;
	}
	for (size_t i = 0; i < count; i++) {
		if (!walk(tracking, pids[i], pids[i], pids, count, kernel_threads))
			return false;
	}
	return true;
}

#else

struct tracking *tracking_create(bool bpf)
{
	(void)bpf;
	return allocate_zeroed(1, sizeof(struct tracking));
}

static void deinit_iterator(struct tracking *tracking)
{
	(void)tracking;
}

static bool pass_by_bpf(
	struct tracking *tracking, const pid_t *pids, size_t count, bool kernel_threads)
{
	(void)tracking, (void)pids, (void)count, (void)kernel_threads;
	return false;
}

#endif

void tracking_destroy(struct tracking *tracking)
{
	if (!tracking)
		return;
	deinit_iterator(tracking);
	free(tracking->marks);
	free(tracking->kernel);
	text_deinit(&tracking->text);
	free(tracking);
}

struct task_iterator *tracking_iterator(const struct tracking *tracking)
{
	return tracking->iterator;
}

static __u32 state_index(char letter)
{
	const char *found = letter ? strchr(TASK_STATE_LETTERS, letter) : NULL;

	return found ? (__u32)(found - TASK_STATE_LETTERS) : 0;
}

/* Where the kernel does not tell when it last ran, a thread is taken to run all the time. */
static void mark_by_proc(struct tracking *tracking, int tasks, pid_t pid, pid_t tid)
{
	struct task_mark mark = {.pid = (__u32)pid, .tid = (__u32)tid, .on_cpu = 1};
	struct text *text = &tracking->text;
	struct proc_stat stat;
	int64_t ran_at_ns;
	char path[32];

	snprintf(path, sizeof(path), "%d/sched", tid);
	if (!failed(file_read(tasks, path, 65536, text)) && text->length &&
		proc_parse_exec_start(text->bytes, text->length, &ran_at_ns)) {
		mark.exec_start_ns = (__u64)ran_at_ns;
		mark.on_cpu = 0;
	}
	snprintf(path, sizeof(path), "%d/stat", tid);
	if (failed(file_read(tasks, path, 4096, text)) || !text->length ||
		!proc_parse_stat(text->bytes, text->length, &stat))
		return;
	mark.state = state_index(stat.state);
	add_mark(tracking, &mark);
}

static void walk_by_proc(struct tracking *tracking, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
	if (!tasks) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			mark_by_proc(tracking, fd, pid, tid);
	}
	closedir(tasks);
}

static bool is_kernel_thread(struct tracking *tracking, pid_t pid)
{
	struct text *text = &tracking->text;
	struct proc_stat stat;
	char path[32];

	if (tracking->kernel_count &&
		bsearch(&pid, tracking->kernel, tracking->kernel_count, sizeof(pid), compare_pids))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return !failed(file_read(AT_FDCWD, path, 4096, text)) && text->length &&
	       proc_parse_stat(text->bytes, text->length, &stat) &&
	       stat.flags & PROC_FLAG_KERNEL_THREAD;
}

/*
 * Asks /proc for processes that the pass told nothing of: there are kernels that keep a task from
 * BPF. But most of those are kernel threads, or gone.
 */
static void walk_hidden(
	struct tracking *tracking, const pid_t *pids, size_t count, bool kernel_threads)
{
	size_t marked = tracking->count, at = 0, kernel_count = 0;
	pid_t *kernel = allocate((count + 1) * sizeof(*kernel));

	for (size_t i = 0; i < count; i++) {
		while (at < marked && (pid_t)tracking->marks[at].pid < pids[i])
			at++;
		if (at < marked && (pid_t)tracking->marks[at].pid == pids[i])
			continue;
		if (!kernel_threads && is_kernel_thread(tracking, pids[i]))
			kernel[kernel_count++] = pids[i];
		else
			walk_by_proc(tracking, pids[i]);
	}
	free(tracking->kernel);
	tracking->kernel = kernel;
	tracking->kernel_count = kernel_count;
}

static void sort(struct tracking *tracking)
{
	size_t i = 1;

	while (i < tracking->count &&
		compare_marks(&tracking->marks[i - 1], &tracking->marks[i]) < 0)
		i++;
	if (i < tracking->count)
		qsort(tracking->marks, tracking->count, sizeof(*tracking->marks), compare_marks);
}

void tracking_pass(struct tracking *tracking, const pid_t *pids, size_t count, bool kernel_threads)
{
	tracking->count = 0;
	if (!pass_by_bpf(tracking, pids, count, kernel_threads))
		tracking->count = 0;
	sort(tracking);
	walk_hidden(tracking, pids, count, kernel_threads);
	sort(tracking);
}

static size_t first_from(const struct tracking *tracking, pid_t pid)
{
	size_t low = 0, high = tracking->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((pid_t)tracking->marks[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct task_mark *tracking_marks(const struct tracking *tracking, pid_t pid, size_t *count)
{
	size_t first = first_from(tracking, pid);

	*count = first_from(tracking, pid + 1) - first;
	return tracking->marks ? tracking->marks + first : NULL;
}

bool tracking_held_still(const struct thread *thread, const struct task_mark *mark)
{
	return !mark->on_cpu && thread->ran_at_ns >= 0 && !thread->vanished &&
	       (__u64)thread->ran_at_ns == mark->exec_start_ns &&
	       thread->state == TASK_STATE_LETTERS[mark->state];
}

bool tracking_is_alive(const struct tracking *tracking, pid_t pid)
{
	size_t count;
	const struct task_mark *marks = tracking_marks(tracking, pid, &count);

	for (size_t i = 0; i < count; i++) {
		if (!strchr("ZX", TASK_STATE_LETTERS[marks[i].state]))
			return true;
	}
	return false;
}
