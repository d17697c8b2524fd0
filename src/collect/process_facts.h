// SPDX-License-Identifier: Apache-2.0
/* Process facts: what /proc/PID tells of a process as a whole. */
#pragma once

#include <stdbool.h>

#include "collect/proc.h"
#include "model/process.h"
#include "util/arena.h"

/* /proc/PID/stat; false: the process is gone. */
bool process_read_stat(int directory, struct proc_stat *stat);

/*
 * Fills in ids, comm, times, command line, exe, cwd, container, from @stat, the files under
 * @directory, /proc/PID, and those under @leader, that of a thread which has the address space.
 * What is refused stays unknown.
 */
void process_read_facts(struct process *process, int directory, int leader,
	const struct proc_stat *stat, struct arena *arena);

/* Reads the mappings and whether the process is of 32 bits; an errno value, or 0. */
int process_read_maps(struct process *process, int directory, struct arena *arena);

/* Limits, namespaces and open descriptors; process->descriptors must be there. */
void process_read_info(struct process *process, int directory, struct arena *arena);
