// SPDX-License-Identifier: Apache-2.0
/*
 * Machine: what is found about all processes while the descriptors of some are named. Each
 * thing is read at most once, when first asked for. Created by descriptors.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "collect/descriptors.h"
#include "collect/open_files.h"
#include "collect/sockets.h"

/* As open_files_find(), open_files_all() and open_files_partial(), of what processes have open. */
struct open_files machine_find(
	struct machine *machine, dev_t device, ino_t inode, enum peer_access access);
struct open_files machine_files(struct machine *machine);
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
