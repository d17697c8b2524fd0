// SPDX-License-Identifier: Apache-2.0
/* Root: files by their path in a target's world, its chroots and mount namespace included. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/guard.h"

/* A process's root directory, opened when it is first needed. */
struct root {
	pid_t process;       /* whose /proc/PID/root it is */
	struct guard *guard; /* borrowed; NULL: nothing of it is taken for stuck */
	int directory;       /* -1: not opened, refused, or its file system gives no answer */
	bool sought, is_stuck;
	/* Debug files are not sought any more below it, or below this world's own root: one gave
	 * no answer. The latter is of all processes, and somebody else's. */
	bool debug_is_dead;
	bool *own_debug_is_dead;
	bool lacks_debug; /* some were not sought, or sought in vain, for that reason */
};

/* What it opens is closed by root_deinit(). */
void root_init(struct root *root, pid_t process, struct guard *guard, bool *own_debug_is_dead);
void root_deinit(struct root *root);

/* A descriptor of the directory, the root's own; -1: refused, or there is no answer. */
int root_directory(struct root *root);

/*
 * As file_open_regular(), with @path taken from the root directory @root, which symbolic
 * links can't leave (openat2(), Linux 5.6); -1 as @root is refused. The caller closes *fd.
 */
struct error root_open_regular(int root, const char *path, int *fd, struct stat *status);
