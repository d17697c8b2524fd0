// SPDX-License-Identifier: Apache-2.0
/*
 * Files: reading a file of /proc whole, and opening a file of the target's world
 * without ever opening a FIFO, a socket or a device.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "util/error.h"
#include "util/guard.h"
#include "util/text.h"

/* For declarations: int fd cleanup_close = open(…); a negative descriptor is left alone. */
void close_at(int *fd);
#define cleanup_close __attribute__((cleanup(close_at)))

/*
 * Reads @path, relative to @directory (AT_FDCWD for the working one), up to @limit
 * bytes, and replaces @content by it. What lies beyond the limit is left unread.
 */
struct error file_read(int directory, const char *path, size_t limit, struct text *content);

/*
 * The same for a file of /proc that the kernel writes by one call (its single_open()): a reading
 * gives all that is left of it, so that its end needs no reading of its own.
 */
struct error file_read_record(int directory, const char *path, size_t limit, struct text *content);

/*
 * The same as file_read() for a file that may give no answer, by the time of @patience_ns: the
 * error's number is ETIMEDOUT then. @path is a string literal.
 */
struct error file_read_guarded(struct guard *guard, int64_t patience_ns, int directory,
	const char *path, size_t limit, struct text *content);

/* The target of the symbolic link @path, NUL-terminated, into @target. */
struct error file_read_link(int directory, const char *path, struct text *target);

/*
 * Opens @path for reading if, and only if, it is a regular file: it is first opened
 * with O_PATH, which has no effect on what it names, and opened for real, with
 * O_NONBLOCK, once fstat() has told what it is. @status may be NULL.
 * The caller closes *fd.
 */
struct error file_open_regular(int directory, const char *path, int *fd, struct stat *status);
