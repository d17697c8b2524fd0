// SPDX-License-Identifier: Apache-2.0
/*
 * Fdinfo: what a file of /proc/PID/fdinfo says (proc_pid_fdinfo(5) and the show_fdinfo
 * functions of the kernel's fs/). A pure function from bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/descriptor.h"
#include "util/arena.h"

/* As much of the file as is read, and as many lines of an epoll's as are kept. */
#define FDINFO_SIZE_MAX (4U << 20)
#define FDINFO_WATCHED_MAX 32768

struct fdinfo {
	unsigned flags;   /* O_RDONLY … */
	int64_t position; /* bytes */
	int mount;        /* mount id, as in mountinfo; -1: not said */

	uint64_t counter; /* eventfd */

	int clock;        /* timerfd: CLOCK_MONOTONIC …; -1: not said */
	uint64_t ticks;   /* timerfd: times it fired, unread */
	int64_t value_ns; /* timerfd: until it fires; 0: disarmed */
	int64_t interval_ns;

	uint64_t signals; /* signalfd: bit n - 1 for signal n */

	bool has_pid;
	pid_t pid; /* pidfd: -1: ended, 0: not in our pid namespace */

	/* What the files of one thing have in common; -1: not said. */
	int64_t eventfd_id;      /* since Linux 5.2 */
	int64_t tty_index;       /* a pseudo terminal's master: the number of its /dev/pts/N */
	int64_t fuse_connection; /* /dev/fuse: the device number of the file system, newer kernels
				  */

	struct watched *watched; /* epoll */
	size_t watched_count;
};

/* Fills @info from @length bytes at @bytes; lines that are unknown or malformed count for nothing.
 */
void fdinfo_parse(const char *bytes, size_t length, struct arena *arena, struct fdinfo *info);
