// SPDX-License-Identifier: Apache-2.0
#include "collect/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "collect/describe.h"
#include "collect/fdinfo.h"
#include "collect/machine.h"
#include "collect/mountinfo.h"
#include "collect/open_files.h"
#include "collect/peers.h"
#include "collect/socket_facts.h"
#include "util/file.h"
#include "util/memory.h"

#define DELETED " (deleted)"
#define REFUSED "needs CAP_SYS_PTRACE: run with sudo"
#define NAME_SIZE (sizeof("fdinfo/") + 16)
#define MOUNTINFO_SIZE_MAX (4U << 20)
/* What is found is kept in pages of so many numbers. */
#define PAGE_SHIFT 9
#define PAGE_SIZE (1 << PAGE_SHIFT)

struct live_descriptors {
	struct descriptors base;
	pid_t pid;
	int process; /* /proc/PID, borrowed; -1: it is gone */
	struct machine *machine;
	struct arena *arena;

	bool opened;
	int directory;       /* /proc/PID/fd; -1: can't be had */
	const char *refusal; /* why; NULL: the process is gone */

	const struct descriptor ***pages; /* heap, the pages too; by number >> PAGE_SHIFT */
	size_t page_count;

	bool mounts_read;
	struct text mounts; /* mountinfo */

	struct sockets *sockets; /* of its network namespace; NULL: not asked for yet */

	bool listed;
	int *numbers;
	size_t number_count, number_capacity;
};

static void open_directory(struct live_descriptors *live)
{
	if (live->opened)
		return;
	live->opened = true;
	if (live->process < 0)
		return;
	live->directory = open_files_directory(live->process);
	if (live->directory < 0 && (errno == EACCES || errno == EPERM))
		live->refusal = REFUSED;
	else if (live->directory < 0 && errno != ENOENT && errno != ESRCH)
		live->refusal = error_errno(errno).reason;
}

static void read_info(struct live_descriptors *live, int fd, struct fdinfo *info)
{
	struct text content cleanup_text = {0};
	char path[NAME_SIZE + sizeof("../")];

	snprintf(path, sizeof(path), "../fdinfo/%d", fd);
	/* What could not be read leaves the values of an empty file. */
	if (failed(file_read_record(live->directory, path, FDINFO_SIZE_MAX, &content)))
		text_clear(&content);
	fdinfo_parse(content.bytes, content.length, live->arena, info);
}

/* The kind of what the link calls "anon_inode:NAME" (fs/ and the callers of anon_inode_getfd()). To
 * tell one more apart: a line here, one in the model, one in describe.c. */
static const struct {
	const char *link;
	enum descriptor_kind kind;
} anonymous[] = {
	{"anon_inode:[eventfd]", DESCRIPTOR_EVENTFD},
	{"anon_inode:[timerfd]", DESCRIPTOR_TIMERFD},
	{"anon_inode:[signalfd]", DESCRIPTOR_SIGNALFD},
	{"anon_inode:inotify", DESCRIPTOR_INOTIFY},
	{"anon_inode:[fanotify]", DESCRIPTOR_FANOTIFY},
	{"anon_inode:[eventpoll]", DESCRIPTOR_EPOLL},
	{"anon_inode:[pidfd]", DESCRIPTOR_PIDFD},
	{"anon_inode:[io_uring]", DESCRIPTOR_IO_URING},
};

/* The link of a file that has a name in a file system begins with a slash, whatever the name. */
static enum descriptor_kind kind_of_link(const char *link)
{
	for (size_t i = 0; i < array_length(anonymous); i++) {
		if (strcmp(anonymous[i].link, link) == 0)
			return anonymous[i].kind;
	}
	return DESCRIPTOR_ANONYMOUS;
}

/*
 * Whether a regular file is a POSIX message queue: on a file system of type mqueue, where that is
 * mounted. mq_open() goes by a mount that no mountinfo lists; then, a name of one part
 * with the one size that all queues have (ipc/mqueue.c, FILENT_SIZE) is telling. statfs() would
 * know, but may wait for ever for a network file system.
 */
static bool is_message_queue(struct live_descriptors *live, const struct descriptor *descriptor,
	const struct statx *file, int mount)
{
	const struct text *mounts = &live->mounts;

	if (file->stx_size != 80 || major(descriptor->device) != 0 || !descriptor->path)
		return false;
	if (!live->mounts_read && failed(file_read(live->directory, "../mountinfo",
					  MOUNTINFO_SIZE_MAX, &live->mounts)))
		text_clear(&live->mounts);
	live->mounts_read = true;
	if (!mounts->length)
		return false;
	if (mountinfo_is(mounts->bytes, mounts->length, descriptor->device, "mqueue"))
		return true;
	return mount >= 0 && !mountinfo_has(mounts->bytes, mounts->length, mount) &&
	       !strchr(descriptor->path + 1, '/');
}

static enum descriptor_kind kind_of_mode(struct live_descriptors *live,
	const struct descriptor *descriptor, const struct statx *file, int mount)
{
	switch (file->stx_mode & S_IFMT) {
	case S_IFREG:
		return is_message_queue(live, descriptor, file, mount) ? DESCRIPTOR_MESSAGE_QUEUE
								       : DESCRIPTOR_FILE;
	case S_IFDIR:
		return DESCRIPTOR_DIRECTORY;
	case S_IFCHR:
		return machine_is_tty(live->machine, descriptor->represents)
			       ? DESCRIPTOR_TTY
			       : DESCRIPTOR_CHARACTER_DEVICE;
	case S_IFBLK:
		return DESCRIPTOR_BLOCK_DEVICE;
	case S_IFIFO:
		return DESCRIPTOR_FIFO;
	case S_IFSOCK: /* a socket's place in a file system, opened with O_PATH */
		return DESCRIPTOR_FILE;
	default:
		return DESCRIPTOR_UNKNOWN;
	}
}

static void set_kind(struct live_descriptors *live, struct descriptor *descriptor,
	const struct statx *file, int mount)
{
	const char *path = descriptor->path;

	if (path && path[0] != '/') {
		descriptor->kind = S_ISFIFO(file->stx_mode)   ? DESCRIPTOR_PIPE
				   : S_ISSOCK(file->stx_mode) ? DESCRIPTOR_SOCKET
							      : kind_of_link(path);
	} else {
		descriptor->kind = kind_of_mode(live, descriptor, file, mount);
	}
}

/*
 * Reads the link; false: @fd is not open. That the kernel ends it with " (deleted)" is believed
 * where the file has no name left: otherwise it may be part of its name.
 */
static bool read_link(
	struct live_descriptors *live, const char *name, struct descriptor *descriptor)
{
	struct text link cleanup_text = {0};
	struct error error = file_read_link(live->directory, name, &link);

	if (error.number == ENOENT || error.number == ESRCH)
		return false;
	if (error.number == EACCES || error.number == EPERM)
		descriptor->problem = REFUSED;
	else if (error.number == ENAMETOOLONG)
		descriptor->problem = "its path is longer than the kernel tells";
	else if (failed(error))
		descriptor->problem = error.reason;
	else
		descriptor->path = text_to_arena(&link, live->arena);
	return true;
}

static void take_off_deleted(struct live_descriptors *live, struct descriptor *descriptor)
{
	size_t length = strlen(descriptor->path), suffix = strlen(DELETED);

	if (length <= suffix || strcmp(descriptor->path + length - suffix, DELETED) != 0)
		return;
	descriptor->deleted = true;
	descriptor->path = arena_strndup(live->arena, descriptor->path, length - suffix);
}

static void set_info(struct descriptor *descriptor, const struct fdinfo *info)
{
	descriptor->flags = info->flags;
	descriptor->position = info->position;
	descriptor->counter = info->counter;
	descriptor->eventfd_id = info->eventfd_id;
	descriptor->clock = info->clock;
	descriptor->ticks = info->ticks;
	descriptor->expires_ns = info->value_ns ? info->value_ns : -1;
	descriptor->interval_ns = info->interval_ns;
	descriptor->signals = info->signals;
	descriptor->pid = info->pid;
	descriptor->watched = info->watched;
	descriptor->watched_count = info->watched_count;
}

static void add_pipe_peers(struct live_descriptors *live, struct descriptor *descriptor)
{
	enum peer_access access = PEER_ANY;

	if (!descriptor->readable && !descriptor->writable)
		return;
	if (!descriptor->writable)
		access = PEER_WRITES;
	else if (!descriptor->readable)
		access = PEER_READS;
	descriptor_add_peers(descriptor, live->pid, descriptor->device, descriptor->inode, access,
		live->machine, live->arena);
}

static void add_socket(
	struct live_descriptors *live, const char *name, struct descriptor *descriptor)
{
	int process cleanup_close =
		openat(live->directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[sizeof("/proc/self/fd//") + 2 * 11], protocol[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%.10s", live->directory, name);
	length = getxattr(path, "system.sockprotoname", protocol, sizeof(protocol) - 1);
	protocol[length > 0 ? length : 0] = '\0';
	descriptor_add_socket(descriptor, live->pid, process, protocol, live->machine, live->arena);
}

/* The process that a pidfd names counts as who is at its other end. */
static void add_pidfd_peer(struct live_descriptors *live, struct descriptor *descriptor)
{
	if (descriptor->pid <= 0)
		return;
	descriptor->peers = arena_new(live->arena, struct peer, 1);
	descriptor->peers[0] = (struct peer){.pid = descriptor->pid,
		.comm = machine_command(live->machine, descriptor->pid),
		.fd = -1};
	descriptor->peer_count = 1;
}

static void add_other_end(
	struct live_descriptors *live, const char *name, struct descriptor *descriptor)
{
	switch (descriptor->kind) {
	case DESCRIPTOR_PIPE:
	case DESCRIPTOR_FIFO:
		add_pipe_peers(live, descriptor);
		break;
	case DESCRIPTOR_SOCKET:
		add_socket(live, name, descriptor);
		break;
	case DESCRIPTOR_PIDFD:
		add_pidfd_peer(live, descriptor);
		break;
	default:
		break;
	}
}

/* Whether the file could be looked at; AT_STATX_DONT_SYNC: without asking a file server,
 * which may not answer. The file is not opened. */
static bool read_status(struct live_descriptors *live, const char *name,
	struct descriptor *descriptor, struct statx *file)
{
	struct stat link;

	if (statx(live->directory, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
		    file) < 0) {
		if (!descriptor->problem)
			descriptor->problem = error_errno(errno).reason;
		return false;
	}
	descriptor->device = makedev(file->stx_dev_major, file->stx_dev_minor);
	descriptor->inode = file->stx_ino;
	descriptor->represents = makedev(file->stx_rdev_major, file->stx_rdev_minor);
	if (fstatat(live->directory, name, &link, AT_SYMLINK_NOFOLLOW) == 0) {
		descriptor->readable = link.st_mode & S_IRUSR;
		descriptor->writable = link.st_mode & S_IWUSR;
	}
	return true;
}

/* Reads all about @fd; NULL: it is not open. */
static struct descriptor *read_descriptor(struct live_descriptors *live, int fd)
{
	struct descriptor *descriptor = arena_new(live->arena, struct descriptor, 1);
	char name[NAME_SIZE];
	struct fdinfo info;
	struct statx file;

	*descriptor =
		(struct descriptor){.fd = fd, .clock = -1, .expires_ns = -1, .eventfd_id = -1};
	snprintf(name, sizeof(name), "%d", fd);
	if (!read_link(live, name, descriptor))
		return NULL;
	if (read_status(live, name, descriptor, &file)) {
		if (descriptor->path && !file.stx_nlink)
			take_off_deleted(live, descriptor);
		read_info(live, fd, &info);
		set_info(descriptor, &info);
		set_kind(live, descriptor, &file, info.mount);
		add_other_end(live, name, descriptor);
	}
	descriptor->text = descriptor_describe(descriptor, live->arena);
	return descriptor;
}

static struct descriptor *refused(struct live_descriptors *live, int fd)
{
	struct descriptor *descriptor = arena_new(live->arena, struct descriptor, 1);

	*descriptor = (struct descriptor){
		.fd = fd, .clock = -1, .expires_ns = -1, .text = "?", .problem = live->refusal};
	return descriptor;
}

static void remember(struct live_descriptors *live, const struct descriptor *descriptor)
{
	size_t page = (size_t)descriptor->fd >> PAGE_SHIFT;

	if (page >= live->page_count) {
		size_t count = page + 1 > 2 * live->page_count ? page + 1 : 2 * live->page_count;

		live->pages = reallocate(live->pages, count, sizeof(*live->pages));
		memset(live->pages + live->page_count, 0,
			(count - live->page_count) * sizeof(*live->pages));
		live->page_count = count;
	}
	if (!live->pages[page])
		live->pages[page] = allocate_zeroed(PAGE_SIZE, sizeof(**live->pages));
	live->pages[page][descriptor->fd % PAGE_SIZE] = descriptor;
}

static const struct descriptor *live_find(struct descriptors *descriptors, int fd)
{
	struct live_descriptors *live = (struct live_descriptors *)descriptors;
	const struct descriptor *descriptor = NULL;

	if (fd < 0)
		return NULL;
	size_t page = (size_t)fd >> PAGE_SHIFT;
	if (page < live->page_count && live->pages[page])
		descriptor = live->pages[page][fd % PAGE_SIZE];
	if (descriptor)
		return descriptor;
	open_directory(live);
	if (live->directory < 0)
		return live->refusal ? refused(live, fd) : NULL;
	descriptor = read_descriptor(live, fd);
	if (descriptor)
		remember(live, descriptor);
	return descriptor;
}

static int compare_numbers(const void *left, const void *right)
{
	int a = *(const int *)left, b = *(const int *)right;

	return (a > b) - (a < b);
}

static void read_numbers(struct live_descriptors *live)
{
	int copy = openat(live->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!stream) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(stream))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		array_reserve(live->numbers, live->number_count, live->number_capacity);
		live->numbers[live->number_count++] = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(stream);
	if (live->number_count)
		qsort(live->numbers, live->number_count, sizeof(*live->numbers), compare_numbers);
}

static size_t live_list(struct descriptors *descriptors, const int **fds)
{
	struct live_descriptors *live = (struct live_descriptors *)descriptors;

	open_directory(live);
	if (!live->listed && live->directory >= 0)
		read_numbers(live);
	live->listed = true;
	*fds = live->numbers;
	return live->number_count;
}

static bool live_is_client(struct descriptors *descriptors, ino_t inode)
{
	struct live_descriptors *live = (struct live_descriptors *)descriptors;

	if (live->process < 0)
		return false;
	if (!live->sockets)
		live->sockets = machine_sockets(live->machine, live->process);
	return sockets_is_client_inode(live->sockets, live->process, (uint32_t)inode);
}

struct descriptors *descriptors_open(
	pid_t pid, int process, struct machine *machine, struct arena *arena)
{
	struct live_descriptors *live = allocate_zeroed(1, sizeof(*live));

	live->base = (struct descriptors){
		.find = live_find, .list = live_list, .is_client = live_is_client};
	live->pid = pid;
	live->process = process;
	live->machine = machine;
	live->arena = arena;
	live->directory = -1;
	return &live->base;
}

void descriptors_close(struct descriptors *descriptors)
{
	struct live_descriptors *live = (struct live_descriptors *)descriptors;

	if (!live)
		return;
	if (live->directory >= 0)
		close(live->directory);
	for (size_t i = 0; i < live->page_count; i++)
		free(live->pages[i]);
	free(live->pages);
	text_deinit(&live->mounts);
	free(live->numbers);
	free(live);
}
