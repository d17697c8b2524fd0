// SPDX-License-Identifier: Apache-2.0
/* Process facts: what /proc/PID tells of a process as a whole. */
#pragma once

#include <stdbool.h>

#include "collect/proc.h"
#include "model/process.h"
#include "util/arena.h"
#include "util/guard.h"

/* /proc/PID/status; false: the process is gone. */
bool process_read_status(int directory, struct proc_status *status);

/*
 * Opens the file "stat" of the process's main thread, which has the same facts as that of the
 * process: for the latter the kernel sums up the times of all threads (fs/proc/array.c,
 * do_task_stat()). -1: the process is gone. The caller closes it.
 */
int process_open_stat(int directory, pid_t pid);

/* Reads what that file tells now; false: the process is gone. */
bool process_read_stat(int file, struct proc_stat *stat);

/*
 * Fills in ids, comm, times and exe, if @places are asked for cwd and container as well, from
 * @stat and the files under @leader, the directory of a thread which has the address
 * space. What is refused stays unknown.
 */
void process_read_facts(struct process *process, int leader, const struct proc_stat *stat,
	bool places, struct arena *arena);

/*
 * Reads what the process's mmap_lock, or its memory, can keep one waiting for: the mappings, the
 * command line and whether it is of 32 bits. An errno value if there are no mappings for it, else
 * 0; *stuck becomes whether there was no answer in time.
 */
int process_read_space(
	struct process *process, int leader, struct guard *guard, struct arena *arena, bool *stuck);

/* Limits, namespaces and open descriptors; process->descriptors must be there. */
void process_read_info(struct process *process, int directory, struct arena *arena);
