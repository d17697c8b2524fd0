// SPDX-License-Identifier: Apache-2.0
/* Process facts: what /proc/PID tells of a process as a whole. */
#pragma once

#include <stdbool.h>

#include "collect/proc.h"
#include "model/process.h"
#include "util/arena.h"
#include "util/guard.h"

/* /proc/PID/stat; false: the process is gone. */
bool process_read_stat(int directory, struct proc_stat *stat);

/*
 * Fills in ids, comm, times, exe, cwd, container, from @stat, the files under @directory,
 * /proc/PID, and those under @leader, that of a thread which has the address space.
 * What is refused stays unknown.
 */
void process_read_facts(struct process *process, int directory, int leader,
	const struct proc_stat *stat, struct arena *arena);

/*
 * Reads what the process's mmap_lock, or its memory, can keep one waiting for: the mappings, the
 * command line and whether it is of 32 bits. An errno value if there are no mappings for it, else
 * 0; *stuck becomes whether there was no answer in time.
 */
int process_read_space(
	struct process *process, int leader, struct guard *guard, struct arena *arena, bool *stuck);

/* Limits, namespaces and open descriptors; process->descriptors must be there. */
void process_read_info(struct process *process, int directory, struct arena *arena);
