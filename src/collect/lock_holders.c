// SPDX-License-Identifier: Apache-2.0
#include "collect/lock_holders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/fdinfo.h"
#include "collect/file_locks.h"
#include "util/file.h"
#include "util/memory.h"

#define OPENINGS_MAX 512 /* of one file, that are asked for their locks */
#define PARTIES_MAX 64

/* Who has a lock of the list; found when first asked for, as thousands may wait for one. */
struct resolved {
	bool done;
	struct parties parties;
};

struct lock_holders {
	struct machine *machine;
	struct arena *arena;
	bool read;
	struct file_lock_lines lines;
	struct resolved *resolved; /* one for each line */
};

struct lock_holders *lock_holders_create(struct machine *machine, struct arena *arena)
{
	struct lock_holders *holders = arena_new(arena, struct lock_holders, 1);

	holders->machine = machine;
	holders->arena = arena;
	return holders;
}

static void read_locks(struct lock_holders *holders)
{
	struct text content cleanup_text = {0};

	if (holders->read)
		return;
	holders->read = true;
	if (failed(file_read(AT_FDCWD, "/proc/locks", FILE_LOCKS_SIZE_MAX, &content)))
		return;
	file_locks_parse(content.bytes, content.length, &holders->lines);
	arena_adopt(holders->arena, holders->lines.items);
	holders->resolved = arena_new(holders->arena, struct resolved, holders->lines.count);
}

/* Whether the process has the lock by its descriptor: fdinfo lists what the description, or of
 * fcntl's locks the process, has (fs/locks.c, __show_fd_locks()). */
static bool has_lock(pid_t pid, int fd, const struct file_lock_line *lock)
{
	struct text content cleanup_text = {0};
	struct file_lock_lines lines = {0};
	char path[sizeof("/proc//fdinfo/") + 2 * 11];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	if (failed(file_read(AT_FDCWD, path, FDINFO_SIZE_MAX, &content)))
		return false;
	file_locks_parse(content.bytes, content.length, &lines);
	for (size_t i = 0; i < lines.count && !found; i++)
		found = file_lock_same(&lines.items[i], lock);
	free(lines.items);
	return found;
}

/* Those that have the open file description with which the lock was taken. */
static void find_sharers(struct lock_holders *holders, const struct file_lock_line *lock,
	const struct file_lock *wanted, struct parties *parties)
{
	struct open_files files =
		machine_find(holders->machine, wanted->device, wanted->inode, OPEN_ANYHOW);
	struct party *items = arena_new(holders->arena, struct party, PARTIES_MAX);
	size_t count = 0;

	parties->all = files.count <= OPENINGS_MAX && !machine_partial(holders->machine);
	for (size_t i = 0; i < files.count && i < OPENINGS_MAX && count < PARTIES_MAX; i++) {
		const struct open_file *file = &files.items[i];

		if ((count && items[count - 1].pid == file->pid) ||
			!has_lock(file->pid, file->fd, lock))
			continue;
		items[count++] = (struct party){.pid = file->pid};
	}
	if (count == 1)
		items[0].alone = parties->all;
	if (count == PARTIES_MAX)
		parties->all = false;
	/* The one who took it may have handed it on, and ended. */
	if (!count && lock->pid > 0) {
		parties->all = false;
		items[count++] = (struct party){.pid = lock->pid, .uncertain = true};
	}
	parties->items = items;
	parties->count = count;
}

static const struct parties *resolve(
	struct lock_holders *holders, size_t index, const struct file_lock *wanted)
{
	const struct file_lock_line *lock = &holders->lines.items[index];
	struct resolved *resolved = &holders->resolved[index];

	if (resolved->done)
		return &resolved->parties;
	resolved->done = true;
	if (lock->kind == FILE_LOCK_POSIX) {
		struct party *owner = arena_new(holders->arena, struct party, 1);

		/* 0: none that our pid namespace knows. Below: on another machine, by NFS. */
		*owner = (struct party){.pid = lock->pid, .alone = true};
		resolved->parties = (struct parties){owner, lock->pid > 0, lock->pid > 0};
	} else {
		find_sharers(holders, lock, wanted, &resolved->parties);
	}
	return &resolved->parties;
}

/* Adds those of @more that are not among the @count in @to yet. */
static size_t merge(struct party *to, size_t count, const struct parties *more)
{
	for (size_t i = 0; i < more->count && count < PARTIES_MAX; i++) {
		size_t known = 0;

		while (known < count && to[known].pid != more->items[i].pid)
			known++;
		if (known == count)
			to[count++] = more->items[i];
	}
	return count;
}

struct parties lock_holders_find(
	struct lock_holders *holders, pid_t pid, const struct file_lock *wanted)
{
	struct parties parties = {0};

	read_locks(holders);
	const struct file_lock_line *request =
		file_locks_find_request(&holders->lines, pid, wanted);
	if (!request)
		return parties;
	struct party *items = arena_new(holders->arena, struct party, PARTIES_MAX);
	parties = (struct parties){.items = items, .all = true};
	for (size_t i = 0; i < holders->lines.count; i++) {
		const struct file_lock_line *lock = &holders->lines.items[i];

		if (!file_lock_blocks(lock, request, pid))
			continue;
		/* A description's own locks give way to it. */
		if (wanted->kind == FILE_LOCK_DESCRIPTION && lock->kind == FILE_LOCK_DESCRIPTION &&
			has_lock(pid, wanted->fd, lock))
			continue;
		const struct parties *more = resolve(holders, i, wanted);
		parties.all &= more->all && more->count;
		parties.count = merge(items, parties.count, more);
	}
	if (!parties.count || parties.count == PARTIES_MAX)
		parties.all = false;
	return parties;
}
