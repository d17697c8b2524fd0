// SPDX-License-Identifier: Apache-2.0
#include "elf/target_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "elf/root.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define PATIENCE_NS (2 * NS_PER_SECOND)

/* One opening: heap memory that is the guard's where no answer comes. */
struct opening {
	bool in_root;
	int root;
	int fd;
	struct stat status;
	struct error error;
	char path[];
};

/*
 * Asks a file's server for its attributes, and does not return unless it answers. An opening alone
 * does not ask for all: NFS may know enough by a delegation or, with nocto, by its cache
 * (fs/nfs/inode.c, nfs_getattr(); statx(2)).
 */
static void ask_server(int fd)
{
	struct statx unused;

	statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &unused);
}

static void open_file(void *argument)
{
	struct opening *opening = argument;

	if (opening->in_root)
		opening->error = root_open_regular(
			opening->root, opening->path, &opening->fd, &opening->status);
	else
		opening->error =
			file_open_regular(AT_FDCWD, opening->path, &opening->fd, &opening->status);
	if (!failed(opening->error))
		ask_server(opening->fd);
}

static void forget_file(void *argument)
{
	struct opening *opening = argument;

	close_at(&opening->fd);
	free(opening);
}

struct error target_file_open(
	struct guard *guard, bool in_root, int root, const char *path, int *fd, struct stat *status)
{
	size_t size = strlen(path) + 1;
	struct opening *opening = allocate_zeroed(1, sizeof(*opening) + size);

	opening->in_root = in_root;
	opening->root = root;
	opening->fd = -1;
	memcpy(opening->path, path, size);
	*fd = -1;
	struct error error = guard_call(guard, open_file, forget_file, opening, PATIENCE_NS);
	if (failed(error))
		return error;
	*fd = opening->fd;
	*status = opening->status;
	error = opening->error;
	free(opening);
	return error;
}
