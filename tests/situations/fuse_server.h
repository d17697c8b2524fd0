// SPDX-License-Identifier: Apache-2.0
/*
 * A FUSE file system of one file, which a companion serves (include/uapi/linux/fuse.h) until it is
 * told to fall silent.
 */
#pragma once

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define HUNG_FILE_SIZE 65536

/* A mounted file system that is about to fall silent. */
struct hung {
	char path[PATH_MAX]; /* of its one file */
	int file;            /* the same, open */
	pid_t server;
	int switch_file;    /* has it silent */
	atomic_int *silent; /* the same, mapped */
};

/*
 * Mounts it on @directory, in a mount namespace of its own. Its file holds what the file @image
 * does, which stays as it is; -1: nobody reads or writes it. @cached: it is read and written by way
 * of the page cache.
 */
struct hung mount_hung(const char *directory, int image, bool cached);
