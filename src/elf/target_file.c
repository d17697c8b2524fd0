// SPDX-License-Identifier: Apache-2.0
#include "elf/target_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

static void open_file(void *argument)
{
	struct opening *opening = argument;

	if (opening->in_root)
		opening->error = root_open_regular(
			opening->root, opening->path, &opening->fd, &opening->status);
	else
		opening->error =
			file_open_regular(AT_FDCWD, opening->path, &opening->fd, &opening->status);
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
