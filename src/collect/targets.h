// SPDX-License-Identifier: Apache-2.0
/* Targets: from what the user names (a PID, a process name, everything) to process ids. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

struct watch;

struct pids {
	pid_t *items; /* heap; rising, each once */
	size_t count, capacity;
};

void pids_deinit(struct pids *pids);

/*
 * Adds the processes that @target names: a PID, or a TID (then its process), or every
 * process of that name as pidof finds it: the comm, argv[0] or its last part, the last part of
 * exe; a process never matches itself. Fails with a reason ("no process has that name …") where
 * none does; says so too where /proc is mounted with hidepid and may hide it. @watch, which may be
 * NULL, is that over the calling thread.
 */
struct error targets_resolve(const char *target, struct watch *watch, struct pids *pids);

/* Adds every process, kernel threads too, but not this one. */
struct error targets_all(struct pids *pids);
