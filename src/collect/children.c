// SPDX-License-Identifier: Apache-2.0
#include "collect/children.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/proc.h"
#include "util/file.h"

#define CHILDREN_MAX 64
#define THREADS_MAX 256 /* of the parent, that are asked for theirs */
#define CHILDREN_SIZE_MAX 65536
#define STAT_SIZE_MAX 4096

struct children {
	struct party items[CHILDREN_MAX];
	size_t count, threads;
	pid_t parent, group;
	bool all, listed;
};

/* Adds the process if it lives, and is one that is asked for. */
static void add_child(struct children *children, pid_t pid)
{
	struct text content cleanup_text = {0};
	struct proc_stat stat;
	char path[sizeof("/proc//stat") + 11];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (failed(file_read(AT_FDCWD, path, STAT_SIZE_MAX, &content)) ||
		!proc_parse_stat(content.bytes, content.length, &stat) ||
		stat.ppid != children->parent || strchr("ZX", stat.state) ||
		(children->group && getpgid(pid) != children->group))
		return;
	if (children->count == CHILDREN_MAX) {
		/* The youngest is the last to come. */
		memmove(children->items, children->items + 1,
			(CHILDREN_MAX - 1) * sizeof(*children->items));
		children->count--;
		children->all = false;
	}
	children->items[children->count++] = (struct party){.pid = pid};
}

/* What the kernel lists of a thread, the eldest first (fs/proc/array.c); false: it lists none, for
 * want of CONFIG_PROC_CHILDREN. */
static bool add_of_thread(struct children *children, pid_t tid)
{
	struct text content cleanup_text = {0};
	char path[sizeof("/proc//task//children") + 2 * 11];
	char *rest;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", children->parent, tid);
	struct error error = file_read(AT_FDCWD, path, CHILDREN_SIZE_MAX, &content);
	if (failed(error))
		return error.number == ESRCH;
	rest = content.length ? content.bytes : NULL;
	for (char *word; (word = strsep(&rest, " "));) {
		pid_t pid = (pid_t)strtol(word, NULL, 10);

		if (pid > 0)
			add_child(children, pid);
	}
	return true;
}

/* Calls @visit with each number in the directory @path until that gives false. */
static void visit_numbers(const char *path, struct children *children,
	bool (*visit)(struct children *children, pid_t pid))
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
			!visit(children, (pid_t)strtol(entry->d_name, NULL, 10)))
			break;
	}
	closedir(directory);
}

static bool visit_thread(struct children *children, pid_t tid)
{
	/* Another thread may get a child at any time. */
	children->all &= tid == children->parent;
	children->listed = add_of_thread(children, tid);
	return children->listed && ++children->threads < THREADS_MAX;
}

static bool visit_process(struct children *children, pid_t pid)
{
	add_child(children, pid);
	return true;
}

struct parties children_find(pid_t pid, pid_t tid, pid_t group, struct arena *arena)
{
	struct children children = {.parent = pid, .group = group, .all = true};

	if (group == OWN_GROUP)
		children.group = getpgid(pid);
	char path[sizeof("/proc//task") + 11];

	if (tid) {
		children.listed = add_of_thread(&children, tid);
	} else {
		snprintf(path, sizeof(path), "/proc/%d/task", pid);
		visit_numbers(path, &children, visit_thread);
	}
	/* Where that is not listed, by their parent's id; then of all of its threads. */
	if (!children.listed)
		visit_numbers("/proc", &children, visit_process);
	return (struct parties){
		.items =
			arena_copy(arena, children.items, children.count * sizeof(*children.items)),
		.count = children.count,
		.all = children.all && children.count,
	};
}

struct parties children_find_vfork(pid_t pid, pid_t tid, struct arena *arena)
{
	struct parties children = children_find(pid, tid, 0, arena);

	if (!children.count)
		return children;
	struct party *youngest =
		arena_copy(arena, &children.items[children.count - 1], sizeof(*children.items));
	long order = syscall(SYS_kcmp, pid, youngest->pid, KCMP_VM, 0, 0);
	if (order > 0)
		return (struct parties){0};
	/* Without CONFIG_KCMP, or the right to ask, it is the likeliest. */
	youngest->alone = order == 0;
	youngest->uncertain = order < 0;
	return (struct parties){.items = youngest, .count = 1, .all = order == 0};
}
