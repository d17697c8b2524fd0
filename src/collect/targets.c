// SPDX-License-Identifier: Apache-2.0
#include "collect/targets.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/hidepid.h"
#include "collect/proc.h"
#include "collect/process_facts.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/guard.h"
#include "util/memory.h"
#include "util/search.h"

/* As much of a command line as is read for its first argument. */
#define ARGUMENT_LIMIT (PATH_MAX + 1)

/* The command line is in the process's memory, which may give no answer. */
#define PATIENCE_NS (100 * NS_PER_MS)

void pids_deinit(struct pids *pids)
{
	free(pids->items);
	*pids = (struct pids){0};
}

static void add(struct pids *pids, pid_t pid)
{
	size_t at = pids->count;

	while (at > 0 && pids->items[at - 1] > pid)
		at--;
	if (at > 0 && pids->items[at - 1] == pid)
		return;
	array_reserve(pids->items, pids->count, pids->capacity);
	memmove(pids->items + at + 1, pids->items + at, (pids->count - at) * sizeof(pid_t));
	pids->items[at] = pid;
	pids->count++;
}

/* Every process that can be seen, this one left out, rising. */
static struct error list_processes(struct pids *pids)
{
	DIR *proc = opendir("/proc");
	const pid_t self = getpid();

	if (!proc)
		return error_errno(errno);
	for (struct dirent *entry; (entry = readdir(proc));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == self)
			continue;
		array_reserve(pids->items, pids->count, pids->capacity);
		pids->items[pids->count++] = pid;
	}
	closedir(proc);
	if (pids->count)
		qsort(pids->items, pids->count, sizeof(*pids->items), compare_pids);
	return NO_ERROR;
}

static int open_process(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool read_stat(int directory, struct text *buffer, struct proc_stat *stat)
{
	return !failed(file_read_record(directory, "stat", 4096, buffer)) && buffer->length &&
	       proc_parse_stat(buffer->bytes, buffer->length, stat);
}

static bool last_part_is(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, name) == 0;
}

static bool exe_is(int directory, const char *name, struct text *buffer)
{
	if (failed(file_read_link(directory, "exe", buffer)) || buffer->length == 0)
		return false;
	if (proc_take_deleted(buffer->bytes, &buffer->length))
		buffer->bytes[buffer->length] = '\0';
	return last_part_is(buffer->bytes, name);
}

static bool is_named(pid_t pid, const char *name, struct guard *guard, struct text *buffer)
{
	int directory cleanup_close = open_process(pid);
	struct proc_stat stat;

	if (directory < 0 || !read_stat(directory, buffer, &stat))
		return false;
	if (strcmp(stat.comm, name) == 0)
		return true;
	if (stat.flags & PROC_FLAG_KERNEL_THREAD)
		return false;
	if (exe_is(directory, name, buffer))
		return true;
	if (failed(file_read_guarded(
		    guard, PATIENCE_NS, directory, "cmdline", ARGUMENT_LIMIT, buffer)) ||
		buffer->length == 0)
		return false;
	return strcmp(buffer->bytes, name) == 0 || last_part_is(buffer->bytes, name);
}

static struct error resolve_name(const char *name, struct watch *watch, struct pids *pids)
{
	struct pids all = {0};
	struct text buffer cleanup_text = {0};
	struct error error = list_processes(&all);
	struct guard *guard = guard_create(watch);
	size_t found = 0;

	for (size_t i = 0; i < all.count; i++) {
		if (!is_named(all.items[i], name, guard, &buffer))
			continue;
		add(pids, all.items[i]);
		found++;
	}
	guard_destroy(guard);
	pids_deinit(&all);
	if (failed(error) || found)
		return error;
	if (hidepid_hides())
		return error_because(
			"no process that can be seen has that name, but /proc is mounted "
			"with hidepid: run with sudo to see all");
	return error_because("no process has that name");
}

/* Whether it is surely a process's id, no thread's (kernel/fork.c, pidfd_open(), since 5.3). */
static bool is_process(pid_t id)
{
	int fd cleanup_close = (int)syscall(SYS_pidfd_open, id, 0);

	return fd >= 0;
}

static struct error resolve_id(pid_t id, struct pids *pids)
{
	struct proc_status status;
	int directory cleanup_close = open_process(id);

	if (directory >= 0 && id != getpid() && is_process(id)) {
		add(pids, id);
		return NO_ERROR;
	}
	if (directory >= 0 && process_read_status(directory, &status)) {
		if (status.process == getpid())
			return error_because("that is this very process");
		add(pids, status.process);
		return NO_ERROR;
	}
	/* A signal that is none tells whether the id is somebody's, whatever /proc hides. */
	if (kill(id, 0) == 0 || errno == EPERM) {
		if (hidepid_hides())
			return error_because(
				"it exists, but /proc is mounted with hidepid and hides "
				"it: run with sudo");
		return error_because("it exists, but /proc does not show it");
	}
	return error_because("no process or thread has that id");
}

struct error targets_resolve(const char *target, struct watch *watch, struct pids *pids)
{
	char *end;

	if (!isdigit((unsigned char)target[0]))
		return resolve_name(target, watch, pids);
	errno = 0;
	long id = strtol(target, &end, 10);
	if (*end)
		return resolve_name(target, watch, pids);
	if (errno || id <= 0 || id > INT_MAX)
		return error_because("no process or thread has that id");
	return resolve_id((pid_t)id, pids);
}

struct error targets_all(struct pids *pids)
{
	struct pids all = {0};
	struct error error = list_processes(&all);

	for (size_t i = 0; i < all.count; i++)
		add(pids, all.items[i]);
	pids_deinit(&all);
	return error;
}
