// SPDX-License-Identifier: Apache-2.0
#include "collect/surroundings.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "collect/children.h"
#include "collect/lock_holders.h"
#include "util/file.h"

#define PARTIES_MAX 64

struct live_surroundings {
	struct surroundings base;
	struct machine *machine;
	struct arena *arena;
	struct lock_holders *locks;
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

static struct parties having_open(struct live_surroundings *live, dev_t device, ino_t inode)
{
	struct open_files files = machine_find(live->machine, device, inode);
	struct party *items = arena_new(live->arena, struct party, PARTIES_MAX);
	struct parties parties = {.items = items, .all = !machine_partial(live->machine)};

	for (size_t i = 0; i < files.count; i++) {
		if (parties.count && items[parties.count - 1].pid == files.items[i].pid)
			continue;
		if (parties.count == PARTIES_MAX) {
			parties.all = false;
			break;
		}
		items[parties.count++] = (struct party){.pid = files.items[i].pid};
	}
	return parties;
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
	return having_open(live, socket_device(), record->inode);
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
		.vfork_child = vfork_child,
	};
	live->machine = machine;
	live->arena = arena;
	live->locks = lock_holders_create(machine, arena);
	return &live->base;
}
