// SPDX-License-Identifier: Apache-2.0
/*
 * Parsers of the files of /proc/PID, each from bytes to values and nothing else: they
 * open nothing. The bytes may be anything; what does not parse gives false or less.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/process.h"
#include "model/syscall.h"
#include "util/arena.h"

/* The kernel's names of workqueue threads are its longest: fs/proc/array.c, proc_task_name(). */
#define PROC_COMM_SIZE 64

/* PF_KTHREAD and PF_EXITING, include/linux/sched.h. */
#define PROC_FLAG_EXITING 0x00000004
#define PROC_FLAG_KERNEL_THREAD 0x00200000

/* /proc/PID/stat and /proc/PID/task/TID/stat: proc(5). */
struct proc_stat {
	pid_t pid, ppid;
	char comm[PROC_COMM_SIZE + 1]; /* raw: the kernel's escapes are undone */
	char state;
	uint64_t flags;
	uint64_t start_ticks;             /* since boot, in units of sysconf(_SC_CLK_TCK) */
	uint64_t start_code, start_stack; /* 1 and 0 without the right to know them */
	int cpu;
};
bool proc_parse_stat(const char *bytes, size_t length, struct proc_stat *stat);

/* /proc/PID/status. What it lacks is 0. */
struct proc_status {
	pid_t process; /* Tgid */
	pid_t tracer;
	pid_t namespace_pid; /* in the innermost pid namespace */
	uid_t uid;           /* effective */
};
bool proc_parse_status(const char *bytes, size_t length, struct proc_status *status);

/* /proc/PID/syscall: fs/proc/base.c, proc_pid_syscall(). */
struct proc_syscall {
	bool running; /* it was not blocked: nothing else is known */
	struct syscall_entry entry;
	uint64_t sp, pc;
};
bool proc_parse_syscall(const char *bytes, size_t length, struct proc_syscall *syscall);

/* Whether both are blocked in the same call, at the same place. */
bool proc_syscall_same(const struct proc_syscall *one, const struct proc_syscall *other);

/*
 * se.exec_start of /proc/PID/sched in ns: the scheduler's clock when the task last began to run
 * or was last charged for it (kernel/sched/fair.c, update_curr()). It stands still while the
 * task does not run, so that two readings that are the same prove that it did not run between.
 */
bool proc_parse_exec_start(const char *bytes, size_t length, int64_t *exec_start_ns);

/* /proc/PID/cmdline: its arguments, in @arena; empty ones at the end that overwrite others (as
 * programs do that set their title) are left out. */
size_t proc_parse_cmdline(
	const char *bytes, size_t length, struct arena *arena, const char ***arguments);

/* /proc/PID/limits, in @arena. */
size_t proc_parse_limits(
	const char *bytes, size_t length, struct arena *arena, struct process_limit **limits);

/*
 * The id of the container that /proc/PID/cgroup tells of, in @arena; NULL for none. Known are
 * ids of 64 hexadecimal digits (docker, containerd, podman, CRI-O, Kubernetes) and LXC's names.
 */
const char *proc_parse_container(const char *bytes, size_t length, struct arena *arena);

/* Whether a link's target or a mapping's path ends in " (deleted)"; then *length is less that. */
bool proc_take_deleted(const char *path, size_t *length);
