// SPDX-License-Identifier: Apache-2.0
/*
 * Machine: what is found about all processes while the descriptors of some are named. Each
 * thing is read at most once, when first asked for. Created by descriptors.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include "collect/descriptors.h"
#include "collect/sockets.h"

/* Devices that have another end: Documentation/admin-guide/devices.txt of the kernel. */
#define MACHINE_FUSE makedev(10, 229)
#define MACHINE_PTMX makedev(5, 2)

/*
 * That a process has a file open: one that is no directory, and no device but those above, which
 * have another end.
 */
struct open_file {
	dev_t device;
	ino_t inode;
	dev_t represents; /* devices: their number */
	pid_t pid;
	int fd;
	bool is_anonymous; /* an anon_inode: many of them share an inode */
	/* Of pipes, FIFOs and sockets. Neither: opened with O_PATH, which is no end of anything. */
	bool readable, writable;
};

struct open_files {
	const struct open_file *items; /* those of one file by rising pid, then fd; the machine's */
	size_t count;
};

/* What one has to be able to do with a file to be at the other end of it. */
enum peer_access {
	PEER_ANY, /* to read or to write */
	PEER_READS,
	PEER_WRITES,
	OPEN_ANYHOW, /* for files that have no other end */
};

/*
 * Who has the file open with that access, this process left out: until the next call.
 */
struct open_files machine_find(
	struct machine *machine, dev_t device, ino_t inode, enum peer_access access);

/* The same of all files, those of one file together. */
struct open_files machine_files(struct machine *machine);

/* Whether machine_find() could not look into some processes. */
bool machine_partial(struct machine *machine);

/* The comm of a process, raw; "?" where there is none any more. */
const char *machine_command(struct machine *machine, pid_t pid);

/*
 * The sockets of the network namespace of the process whose directory of /proc is @process; ours
 * where the namespace may not be known, since no two sockets of the machine share an inode.
 */
struct sockets *machine_sockets(struct machine *machine, int process);

/*
 * The sockets of the network namespaces that processes of the machine are in, each once: that of
 * @index, from 0, and with *process a directory of /proc in it, the machine's; NULL past the last.
 */
struct sockets *machine_sockets_of(struct machine *machine, size_t index, int *process);

/* The sockets of our own namespace. */
struct sockets *machine_own_sockets(struct machine *machine);

/* Whether the character device is a terminal, as /proc/tty/drivers tells. */
bool machine_is_tty(struct machine *machine, dev_t number);

/*
 * Opens the directory "fd" of the process whose directory of /proc is @process: its main thread's,
 * or, where that has ended before the others and so has none, another thread's. -1 with errno
 * where it can't be had. The caller closes it.
 */
int machine_open_files(int process);
