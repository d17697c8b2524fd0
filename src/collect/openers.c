// SPDX-License-Identifier: Apache-2.0
#include "collect/openers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/children.h"
#include "collect/fdinfo.h"
#include "util/file.h"
#include "util/memory.h"

#define PARTIES_MAX 64
#define FDINFO_READ_MAX 16384 /* files that are asked what they are */
#define FAMILY_FILES_MAX 4096 /* descriptors of one process */
#define FDINFO_ENOUGH 1024    /* bytes of fdinfo in which the lines that matter stand */

enum what { EVENTFD, MASTER, FUSE };

/* A file whose fdinfo tells which thing it is of. */
struct telling_file {
	enum what what;
	int64_t identity; /* -1: fdinfo does not say it */
	dev_t device;     /* of the file's own node */
	pid_t pid;
};

struct openers {
	struct machine *machine;
	struct arena *arena;
	bool read, all; /* all: nothing could not be looked into */
	struct telling_file *files;
	size_t count, capacity;

	/* The eventfds of the process that was asked for last and of its nearest, by pid. */
	pid_t family_of;
	struct telling_file *family; /* heap until the arena takes it */
	size_t family_count;
};

struct openers *openers_create(struct machine *machine, struct arena *arena)
{
	struct openers *openers = arena_new(arena, struct openers, 1);

	openers->machine = machine;
	openers->arena = arena;
	return openers;
}

/* What the file is, if fdinfo may tell which; false: another, or an eventfd. */
static bool find_what(const struct open_file *file, enum what *what)
{
	*what = file->represents == DEVICE_PTMX ? MASTER : FUSE;
	return file->represents == DEVICE_PTMX || file->represents == DEVICE_FUSE;
}

/* @name: of the link in the @directory /proc/PID/fd. */
static bool is_eventfd(int directory, const char *name)
{
	char link[sizeof("anon_inode:[eventfd]")];

	return readlinkat(directory, name, link, sizeof(link)) == sizeof(link) - 1 &&
	       memcmp(link, "anon_inode:[eventfd]", sizeof(link) - 1) == 0;
}

static int64_t read_identity(const struct open_file *file, enum what what, struct arena *scratch)
{
	struct text content cleanup_text = {0};
	char path[sizeof("/proc//fdinfo/") + 2 * 11];
	struct fdinfo info;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", file->pid, file->fd);
	if (failed(file_read(AT_FDCWD, path, FDINFO_ENOUGH, &content)))
		return -1;
	fdinfo_parse(content.bytes, content.length, scratch, &info);
	return what == EVENTFD  ? info.eventfd_id
	       : what == MASTER ? info.tty_index
				: info.fuse_connection;
}

static void read_files(struct openers *openers)
{
	struct arena *scratch cleanup_arena = arena_create();
	struct open_files files;

	if (openers->read)
		return;
	openers->read = true;
	openers->all = !machine_partial(openers->machine);
	files = machine_files(openers->machine);
	for (size_t i = 0; i < files.count; i++) {
		enum what what;

		if (!find_what(&files.items[i], &what))
			continue;
		if (openers->count == FDINFO_READ_MAX) {
			openers->all = false;
			break;
		}
		array_reserve(openers->files, openers->count, openers->capacity);
		openers->files[openers->count++] = (struct telling_file){
			.what = what,
			.identity = read_identity(&files.items[i], what, scratch),
			.device = files.items[i].device,
			.pid = files.items[i].pid,
		};
	}
	arena_adopt(openers->arena, openers->files);
}

/* Adds the eventfds that the process has among its first descriptors. */
static void read_eventfds(pid_t pid, struct telling_file **files, size_t *count, size_t *capacity)
{
	struct arena *scratch cleanup_arena = arena_create();
	char path[sizeof("/proc//fd") + 11];
	const struct dirent *entry;
	size_t seen = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory)) && seen++ < FAMILY_FILES_MAX) {
		if (entry->d_name[0] == '.' || !is_eventfd(dirfd(directory), entry->d_name))
			continue;
		struct open_file file = {.pid = pid, .fd = atoi(entry->d_name)};
		array_reserve(*files, *count, *capacity);
		(*files)[(*count)++] = (struct telling_file){
			.what = EVENTFD,
			.identity = read_identity(&file, EVENTFD, scratch),
			.pid = pid,
		};
	}
	closedir(directory);
}

/*
 * Of a process, its parent and its children, who come by each other's descriptors with fork(). To
 * look into all processes would take longer than all the rest of a look at a few threads.
 */
static void read_family(struct openers *openers, pid_t pid, pid_t parent)
{
	size_t capacity = 0;

	if (openers->family_of == pid)
		return;
	struct parties children = children_find(pid, 0, 0, openers->arena);
	openers->family_of = pid;
	openers->family = NULL;
	openers->family_count = 0;
	if (parent > 1)
		read_eventfds(parent, &openers->family, &openers->family_count, &capacity);
	for (size_t i = 0; i < children.count; i++)
		read_eventfds(
			children.items[i].pid, &openers->family, &openers->family_count, &capacity);
	arena_adopt(openers->arena, openers->family);
}

struct search {
	struct party items[PARTIES_MAX];
	size_t count;
	bool all;
};

static void add(struct search *search, pid_t pid, bool uncertain)
{
	for (size_t i = 0; i < search->count; i++) {
		if (search->items[i].pid == pid)
			return;
	}
	if (search->count == PARTIES_MAX) {
		search->all = false;
		return;
	}
	search->items[search->count++] = (struct party){.pid = pid, .uncertain = uncertain};
}

static struct parties finish(const struct openers *openers, const struct search *search)
{
	return (struct parties){
		.items = arena_copy(
			openers->arena, search->items, search->count * sizeof(*search->items)),
		.count = search->count,
		.all = search->all,
	};
}

struct parties openers_of_file(struct openers *openers, dev_t device, ino_t inode)
{
	struct open_files files = machine_find(openers->machine, device, inode, OPEN_ANYHOW);
	struct search search = {.all = !machine_partial(openers->machine)};

	for (size_t i = 0; i < files.count; i++)
		add(&search, files.items[i].pid, false);
	return finish(openers, &search);
}

struct parties openers_of_eventfd(struct openers *openers, pid_t pid, pid_t parent, int64_t id)
{
	struct search search = {0};

	read_family(openers, pid, parent);
	add(&search, pid, false);
	for (size_t i = 0; i < openers->family_count; i++) {
		if (openers->family[i].identity == id)
			add(&search, openers->family[i].pid, false);
	}
	return finish(openers, &search);
}

static dev_t device_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_dev : 0;
}

/*
 * The master's file is the node ptmx that was opened: of the terminal's own file system, or of
 * /dev, which leads to whatever is mounted at pts beside it (Documentation/filesystems/devpts.rst).
 */
struct parties openers_of_master(struct openers *openers, dev_t device, unsigned index)
{
	struct search exact = {0}, near = {0};
	bool is_ours = device_of("/dev/pts") == device;
	dev_t node = device_of("/dev/ptmx");

	read_files(openers);
	exact.all = near.all = openers->all;
	for (size_t i = 0; i < openers->count; i++) {
		const struct telling_file *file = &openers->files[i];

		if (file->what != MASTER || file->identity != index)
			continue;
		if (file->device == device)
			add(&exact, file->pid, false);
		else if (!is_ours || file->device == node)
			add(&near, file->pid, !is_ours);
	}
	return finish(openers, exact.count ? &exact : &near);
}

struct parties openers_of_fuse(struct openers *openers, dev_t device)
{
	struct search exact = {0}, near = {0};

	read_files(openers);
	exact.all = openers->all;
	for (size_t i = 0; i < openers->count; i++) {
		const struct telling_file *file = &openers->files[i];

		if (file->what != FUSE)
			continue;
		/* The device number is the kernel's own: 20 bits of minor (linux/kdev_t.h). */
		if (file->identity >= 0 &&
			file->identity == ((int64_t)major(device) << 20 | minor(device)))
			add(&exact, file->pid, false);
		else if (file->identity < 0)
			add(&near, file->pid, true);
	}
	return finish(openers, exact.count ? &exact : &near);
}
