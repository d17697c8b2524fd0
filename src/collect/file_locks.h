// SPDX-License-Identifier: Apache-2.0
/*
 * File locks: what /proc/locks tells, and the lines "lock:" of /proc/PID/fdinfo/FD, which have the
 * same form (fs/locks.c, lock_get_status()). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/surroundings.h"

#define FILE_LOCKS_SIZE_MAX (16U << 20) /* as much of the file as is read */

struct file_lock_line {
	enum file_lock_kind kind;
	bool blocked; /* it is asked for, and not had yet */
	bool exclusive;
	pid_t pid;    /* of whoever took it or asks for it; of an open file description's: -1 */
	dev_t device; /* of the file, as the kernel has it: stat() may tell another one */
	uint64_t inode;
	int64_t first, last; /* as in struct file_lock */
};

struct file_lock_lines {
	struct file_lock_line *items; /* heap */
	size_t count, capacity;
};

/* Adds the locks that @length bytes at @bytes tell of. Lines of another kind, as those of leases,
 * or malformed, count for nothing. */
void file_locks_parse(const char *bytes, size_t length, struct file_lock_lines *lines);

/* Whether both are the same lock: who took it, on which bytes of which file, how. */
bool file_lock_same(const struct file_lock_line *one, const struct file_lock_line *other);

/* The line of @lines that is the request @wanted of the process @pid; NULL: it is not there. */
const struct file_lock_line *file_locks_find_request(
	const struct file_lock_lines *lines, pid_t pid, const struct file_lock *wanted);

/* Whether @held is had and keeps @request, of the process @pid, waiting. */
bool file_lock_blocks(
	const struct file_lock_line *held, const struct file_lock_line *request, pid_t pid);
