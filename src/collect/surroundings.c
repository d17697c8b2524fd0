// SPDX-License-Identifier: Apache-2.0
#include "collect/surroundings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "collect/children.h"
#include "collect/lock_holders.h"
#include "collect/mountinfo.h"
#include "collect/openers.h"
#include "collect/sysv.h"
#include "util/file.h"

#define MOUNTINFO_SIZE_MAX (4U << 20)

struct live_surroundings {
	struct surroundings base;
	struct machine *machine;
	struct arena *arena;
	struct lock_holders *locks;
	struct openers *openers;
	/* The mounts of the process that was asked for last. */
	pid_t mounts_of;
	char *mounts;
	size_t mounts_length;
};

static struct live_surroundings *live_of(struct surroundings *surroundings)
{
	return (struct live_surroundings *)surroundings;
}

static struct parties lock_holders(
	struct surroundings *surroundings, pid_t pid, const struct file_lock *wanted)
{
	return lock_holders_find(live_of(surroundings)->locks, pid, wanted);
}

static struct parties children(struct surroundings *surroundings, pid_t pid, pid_t tid, pid_t group)
{
	return children_find(pid, tid, group, live_of(surroundings)->arena);
}

/* The directory of a process in /proc; the caller closes it. */
static int open_process(pid_t pid)
{
	char path[sizeof("/proc/") + 11];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static dev_t socket_device(void)
{
	int socket_ cleanup_close = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat status;

	return fstat(socket_, &status) == 0 ? status.st_dev : 0;
}

static struct parties unix_socket(struct surroundings *surroundings, pid_t pid, const char *name,
	size_t length, bool listening)
{
	struct live_surroundings *live = live_of(surroundings);
	int process cleanup_close = open_process(pid);

	if (process < 0)
		return (struct parties){0};
	const struct socket_record *record = sockets_find_named(
		machine_sockets(live->machine, process), process, name, length, listening);
	if (!record)
		return (struct parties){0};
	return openers_of_file(live->openers, socket_device(), record->inode);
}

static struct parties file_openers(struct surroundings *surroundings, dev_t device, ino_t inode)
{
	return openers_of_file(live_of(surroundings)->openers, device, inode);
}

static struct parties eventfd_openers(
	struct surroundings *surroundings, pid_t pid, pid_t parent, int64_t id)
{
	return openers_of_eventfd(live_of(surroundings)->openers, pid, parent, id);
}

static struct parties terminal_masters(
	struct surroundings *surroundings, dev_t device, unsigned index)
{
	return openers_of_master(live_of(surroundings)->openers, device, index);
}

static struct parties fuse_servers(struct surroundings *surroundings, dev_t device)
{
	return openers_of_fuse(live_of(surroundings)->openers, device);
}

static pid_t queue_user(struct surroundings *surroundings, pid_t pid, int id, bool receiver)
{
	(void)surroundings;
	return sysv_queue_user(pid, id, receiver);
}

static pid_t semaphore_user(struct surroundings *surroundings, pid_t pid, int id, int number)
{
	(void)surroundings;
	return sysv_semaphore_user(pid, id, number);
}

static void read_mounts(struct live_surroundings *live, pid_t pid)
{
	struct text content cleanup_text = {0};
	char path[sizeof("/proc//mountinfo") + 11];

	if (live->mounts_of == pid)
		return;
	live->mounts_of = pid;
	live->mounts_length = 0;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	if (failed(file_read(AT_FDCWD, path, MOUNTINFO_SIZE_MAX, &content)))
		return;
	live->mounts = arena_copy(live->arena, content.bytes, content.length);
	live->mounts_length = content.length;
}

/* The name of a block device, "vda1"; NULL: the number is none's. */
static const char *block_device(dev_t device, struct arena *arena)
{
	struct text link cleanup_text = {0};
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	if (!major(device) || failed(file_read_link(AT_FDCWD, path, &link)))
		return NULL;
	const char *slash = strrchr(link.bytes, '/');
	return slash ? arena_strdup(arena, slash + 1) : NULL;
}

static bool file_system(struct surroundings *surroundings, pid_t pid, dev_t device,
	const char *path, struct file_system *found)
{
	struct live_surroundings *live = live_of(surroundings);
	struct mount_facts facts;
	const char *server;

	*found = (struct file_system){.device = device, .by_path = path};
	read_mounts(live, pid);
	if (path ? !mountinfo_find_path(live->mounts, live->mounts_length, path, &facts)
		 : !mountinfo_find_device(live->mounts, live->mounts_length, device, &facts)) {
		found->disk = path ? NULL : block_device(device, live->arena);
		return found->disk;
	}
	size_t length = mountinfo_option(facts.options, facts.options_length, "addr", &server);
	found->device = facts.device;
	found->type = arena_strndup(live->arena, facts.type, facts.type_length);
	found->source = arena_strndup(live->arena, facts.source, facts.source_length);
	found->server = length ? arena_strndup(live->arena, server, length) : NULL;
	found->disk =
		strncmp(found->source, "/dev/", 5) == 0 && strcmp(found->source, "/dev/root") != 0
			? found->source
			: block_device(facts.device, live->arena);
	return true;
}

static struct parties vfork_child(struct surroundings *surroundings, pid_t pid, pid_t tid)
{
	return children_find_vfork(pid, tid, live_of(surroundings)->arena);
}

struct surroundings *surroundings_create(struct machine *machine, struct arena *arena)
{
	struct live_surroundings *live = arena_new(arena, struct live_surroundings, 1);

	live->base = (struct surroundings){
		.lock_holders = lock_holders,
		.children = children,
		.unix_socket = unix_socket,
		.file_openers = file_openers,
		.eventfd_openers = eventfd_openers,
		.terminal_masters = terminal_masters,
		.fuse_servers = fuse_servers,
		.queue_user = queue_user,
		.semaphore_user = semaphore_user,
		.file_system = file_system,
		.vfork_child = vfork_child,
	};
	live->machine = machine;
	live->arena = arena;
	live->openers = openers_create(machine, arena);
	live->locks = lock_holders_create(machine, arena);
	return &live->base;
}
