// SPDX-License-Identifier: Apache-2.0
#include "collect/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/file.h"
#include "util/memory.h"
#include "util/hash.h"

#define COMMAND_MAX 64   /* TASK_COMM_LEN is 16; kernel threads of workqueues are shown with more */
#define NETWORKS_MAX 256 /* namespaces that are searched */
#define TTY_DRIVERS_SIZE_MAX (64 * 1024)

struct command {
	pid_t pid;
	const char *name;
	UT_hash_handle hh;
};

struct network {
	ino_t namespace;
	struct sockets *sockets; /* NULL: not asked for yet */
	int process;             /* a directory of /proc in it, owned; -1: not needed yet */
	UT_hash_handle hh;
};

/* A process in a network namespace. */
struct network_member {
	ino_t namespace;
	pid_t pid;
	struct network *network; /* NULL: not asked for yet */
};

struct tty_range {
	unsigned major, first, last; /* minors */
};

struct machine {
	struct arena *arena;
	struct open_file_table open_files;

	struct command *commands;
	struct network *networks;
	ino_t own_namespace; /* 0: not asked for yet */
	bool networks_listed;
	struct network_member *members; /* one for each namespace */
	size_t member_count, member_capacity;

	bool ttys_read;
	struct tty_range *ttys;
	size_t tty_count, tty_capacity;
};

struct machine *machine_create(struct arena *arena)
{
	struct machine *machine = allocate_zeroed(1, sizeof(*machine));

	machine->arena = arena;
	return machine;
}

/* This thread's own network namespace; 0: not known. */
static ino_t own_namespace(struct machine *machine)
{
	struct stat status;

	if (!machine->own_namespace && stat("/proc/thread-self/ns/net", &status) == 0)
		machine->own_namespace = status.st_ino;
	return machine->own_namespace;
}

void machine_leave_out_peers(struct machine *machine)
{
	open_files_leave_out(&machine->open_files);
	machine->networks_listed = true;
}

void machine_destroy(struct machine *machine)
{
	struct network *network, *next;

	if (!machine)
		return;
	HASH_ITER(hh, machine->networks, network, next)
	{
		sockets_destroy(network->sockets);
		close_at(&network->process);
		HASH_DEL(machine->networks, network);
	}
	HASH_CLEAR(hh, machine->commands);
	open_files_deinit(&machine->open_files);
	free(machine->members);
	free(machine->ttys);
	free(machine);
}

struct open_files machine_find(
	struct machine *machine, dev_t device, ino_t inode, enum peer_access access)
{
	return open_files_find(&machine->open_files, device, inode, access);
}

struct open_files machine_files(struct machine *machine)
{
	return open_files_all(&machine->open_files);
}

bool machine_partial(struct machine *machine)
{
	return open_files_partial(&machine->open_files);
}

const char *machine_command(struct machine *machine, pid_t pid)
{
	struct text content cleanup_text = {0};
	char path[sizeof("/proc//comm") + 11];
	struct command *command;

	HASH_FIND_INT(machine->commands, &pid, command);
	if (command)
		return command->name;
	command = arena_new(machine->arena, struct command, 1);
	command->pid = pid;
	command->name = "?";
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (!failed(file_read_record(AT_FDCWD, path, COMMAND_MAX, &content)) && content.length) {
		/* The newline at the end is the kernel's, others are the name's. */
		size_t length = content.length - (content.bytes[content.length - 1] == '\n');

		command->name = arena_strndup(machine->arena, content.bytes, length);
	}
	HASH_ADD_INT(machine->commands, pid, command);
	return command->name;
}

static struct network *find_network(struct machine *machine, int process, ino_t namespace)
{
	struct network *network;

	HASH_FIND(hh, machine->networks, &namespace, sizeof(namespace), network);
	if (!network) {
		network = arena_new(machine->arena, struct network, 1);
		network->namespace = namespace;
		network->process = -1;
		network->sockets = sockets_create(
			process, namespace == own_namespace(machine), machine->arena);
		HASH_ADD(hh, machine->networks, namespace, sizeof(namespace), network);
	}
	return network;
}

struct sockets *machine_sockets(struct machine *machine, int process)
{
	struct stat status;

	if (fstatat(process, "ns/net", &status, 0) < 0)
		return machine_own_sockets(machine);
	return find_network(machine, process, status.st_ino)->sockets;
}

struct sockets *machine_own_sockets(struct machine *machine)
{
	return find_network(machine, AT_FDCWD, own_namespace(machine))->sockets;
}

/* Finds a process of each network namespace. */
static void list_networks(struct machine *machine)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	struct stat status;
	char path[64];

	machine->networks_listed = true;
	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		size_t known = 0;

		snprintf(path, sizeof(path), "%.20s/ns/net", entry->d_name);
		if (pid <= 0 || fstatat(dirfd(proc), path, &status, 0) < 0)
			continue;
		while (known < machine->member_count &&
			machine->members[known].namespace != status.st_ino)
			known++;
		if (known < machine->member_count || known == NETWORKS_MAX)
			continue;
		array_reserve(machine->members, machine->member_count, machine->member_capacity);
		machine->members[machine->member_count++] =
			(struct network_member){.namespace = status.st_ino, .pid = pid};
	}
	if (proc)
		closedir(proc);
}

struct sockets *machine_sockets_of(struct machine *machine, size_t index, int *process)
{
	char path[sizeof("/proc/") + 11];

	if (!machine->networks_listed)
		list_networks(machine);
	if (index >= machine->member_count)
		return NULL;
	struct network_member *member = &machine->members[index];
	if (!member->network) {
		snprintf(path, sizeof(path), "/proc/%d", member->pid);
		int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		member->network = find_network(machine, directory, member->namespace);
		member->network->process = directory;
	}
	*process = member->network->process;
	return member->network->sockets;
}

/* Lines of name, device's path, major, minor or FIRST-LAST, type (drivers/tty's proc_tty.c). */
static void read_ttys(struct machine *machine)
{
	struct text content cleanup_text = {0};
	char *rest, *line;

	machine->ttys_read = true;
	if (failed(file_read(AT_FDCWD, "/proc/tty/drivers", TTY_DRIVERS_SIZE_MAX, &content)))
		return;
	for (rest = content.bytes; (line = strsep(&rest, "\n"));) {
		struct tty_range range;
		int fields = sscanf(
			line, "%*s %*s %10u %10u-%10u", &range.major, &range.first, &range.last);

		if (fields < 2)
			continue;
		if (fields == 2)
			range.last = range.first;
		array_reserve(machine->ttys, machine->tty_count, machine->tty_capacity);
		machine->ttys[machine->tty_count++] = range;
	}
}

bool machine_is_tty(struct machine *machine, dev_t number)
{
	if (!machine->ttys_read)
		read_ttys(machine);
	for (size_t i = 0; i < machine->tty_count; i++) {
		const struct tty_range *range = &machine->ttys[i];

		if (range->major == major(number) && minor(number) >= range->first &&
			minor(number) <= range->last)
			return true;
	}
	/* Unix98 terminals take the majors 136 to 143, of which the file names the first. */
	return major(number) >= 136 && major(number) <= 143;
}
