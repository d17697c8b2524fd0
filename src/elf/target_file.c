// SPDX-License-Identifier: Apache-2.0
#include "elf/target_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "elf/root.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define PATIENCE_NS (2 * NS_PER_SECOND)

enum opening_way { OPEN_FILE, OPEN_IN_ROOT, OPEN_DIRECTORY };

/* One opening: heap memory that is the guard's where no answer comes. */
struct opening {
	enum opening_way way;
	int root; /* of OPEN_IN_ROOT */
	int fd;
	struct stat status;
	struct error error;
	char path[];
};

/*
 * Asks the server of a file or directory for its attributes, and does not return unless it answers.
 * An opening alone does not ask for all: NFS may know enough by a delegation or, with nocto, by its
 * cache (fs/nfs/inode.c, nfs_getattr(); statx(2)).
 */
static void ask_server(int fd)
{
	struct statx unused;

	statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &unused);
}

static void open_file(void *argument)
{
	struct opening *opening = argument;

	switch (opening->way) {
	case OPEN_FILE:
		opening->error =
			file_open_regular(AT_FDCWD, opening->path, &opening->fd, &opening->status);
		break;
	case OPEN_IN_ROOT:
		opening->error = root_open_regular(
			opening->root, opening->path, &opening->fd, &opening->status);
		break;
	case OPEN_DIRECTORY:
		opening->fd = open(opening->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		opening->error = opening->fd < 0 ? error_errno(errno) : NO_ERROR;
	}
	if (!failed(opening->error))
		ask_server(opening->fd);
}

static void forget_file(void *argument)
{
	struct opening *opening = argument;

	close_at(&opening->fd);
	free(opening);
}

static struct error open_under_guard(struct guard *guard, enum opening_way way, int root,
	const char *path, int *fd, struct stat *status)
{
	size_t size = strlen(path) + 1;
	struct opening *opening = allocate_zeroed(1, sizeof(*opening) + size);

	opening->way = way;
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

struct error target_file_open(
	struct guard *guard, bool in_root, int root, const char *path, int *fd, struct stat *status)
{
	return open_under_guard(guard, in_root ? OPEN_IN_ROOT : OPEN_FILE, root, path, fd, status);
}

struct error target_directory_open(struct guard *guard, const char *path, int *fd)
{
	struct stat unused;

	return open_under_guard(guard, OPEN_DIRECTORY, -1, path, fd, &unused);
}
