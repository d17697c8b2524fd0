// SPDX-License-Identifier: Apache-2.0
#include "elf/target_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "elf/root.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define PATIENCE_NS (2 * NS_PER_SECOND)

/* So much of a file is sought for what is not in memory. */
#define ASKED_MAX (1 << 30)

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

/*
 * Reads a byte that is not in memory, and does not return unless the server answers: it may know a
 * file's attributes and yet have no disk to read it from.
 */
static void ask_for_bytes(int fd, const struct stat *status)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = status->st_size < ASKED_MAX ? (size_t)status->st_size : ASKED_MAX;
	size_t count = (size + page - 1) / page, absent = 0;
	unsigned char *pages = allocate_zeroed(count, 1);
	char byte;

	void *mapped = count ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (mapped != MAP_FAILED) {
		if (mincore(mapped, size, pages) == 0) {
			while (absent < count && pages[absent] & 1)
				absent++;
		}
		munmap(mapped, size);
	}
	free(pages);
	if (absent < count && pread(fd, &byte, 1, (off_t)(absent * page)) < 0) {
		/* that is an answer too */
	}
}

/* Whether the file lies on no block device of its own: that may be a server's. */
static bool may_have_server(const struct stat *status)
{
	return major(status->st_dev) == 0;
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
	if (failed(opening->error))
		return;
	ask_server(opening->fd);
	if (opening->way != OPEN_DIRECTORY && may_have_server(&opening->status))
		ask_for_bytes(opening->fd, &opening->status);
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
