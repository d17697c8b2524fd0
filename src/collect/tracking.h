// SPDX-License-Identifier: Apache-2.0
/*
 * Tracking: which threads of processes have run since they were looked at. By BPF that takes one
 * brief pass over them all; without, /proc is asked for each thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bpf/task_record.h"
#include "collect/collector.h"

struct tracking;

/* Loads the BPF program, if @bpf and as far as it may be had; the caller owns it. */
struct tracking *tracking_create(bool bpf);
void tracking_destroy(struct tracking *tracking);

/* What looks can be taken with as well; NULL: no BPF. */
struct task_iterator *tracking_iterator(const struct tracking *tracking);

/* Takes the marks of all threads of the processes, whose ids rise; without @kernel_threads as far
 * as that is told there. */
void tracking_pass(struct tracking *tracking, const pid_t *pids, size_t count, bool kernel_threads);

/* The marks that the last pass took of a process, by rising tid; none: it is gone. */
const struct task_mark *tracking_marks(const struct tracking *tracking, pid_t pid, size_t *count);

/* Whether the process had a thread then that had not ended. */
bool tracking_is_alive(const struct tracking *tracking, pid_t pid);

/* Whether the thread has not run since it was looked at, as its mark shows that was taken later,
 * and is in the state that it was in. */
bool tracking_held_still(const struct thread *thread, const struct task_mark *mark);
