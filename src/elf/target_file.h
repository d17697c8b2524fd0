// SPDX-License-Identifier: Apache-2.0
/*
 * Target file: a file of a target's world, opened under guard, since its file system may give no
 * answer (a server that is gone, a FUSE daemon that is stuck). Its server is asked for its
 * attributes then, and for bytes that are not in memory; when it has given these, it is taken to
 * answer.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "util/error.h"
#include "util/guard.h"

/*
 * As file_open_regular() with an absolute @path, or, where @in_root, as root_open_regular() with
 * @path in the directory @root. The error's number is ETIMEDOUT where there was no answer.
 */
struct error target_file_open(struct guard *guard, bool in_root, int root, const char *path,
	int *fd, struct stat *status);

/* The same of a directory, as a place to open others from. */
struct error target_directory_open(struct guard *guard, const char *path, int *fd);
