// SPDX-License-Identifier: Apache-2.0
/* Root: files by their path in a target's world, its chroots and mount namespace included. */
#pragma once

#include <sys/stat.h>

#include "util/error.h"

/*
 * As file_open_regular(), with @path taken from the root directory @root, which symbolic
 * links can't leave (openat2(), Linux 5.6); -1 as @root is refused. The caller closes *fd.
 */
struct error root_open_regular(int root, const char *path, int *fd, struct stat *status);
