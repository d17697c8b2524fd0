// SPDX-License-Identifier: Apache-2.0
#include "elf/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf/target_file.h"
#include "util/file.h"

void root_init(struct root *root, pid_t process, struct guard *guard, bool *own_debug_is_dead)
{
	*root = (struct root){
		.process = process,
		.guard = guard,
		.directory = -1,
		.own_debug_is_dead = own_debug_is_dead,
	};
}

void root_deinit(struct root *root)
{
	close_at(&root->directory);
	root->directory = -1;
}

int root_directory(struct root *root)
{
	char path[sizeof("/proc//root") + 11];

	if (!root->sought) {
		root->sought = true;
		snprintf(path, sizeof(path), "/proc/%d/root", root->process);
		struct error error = target_directory_open(root->guard, path, &root->directory);
		root->is_stuck = error.number == ETIMEDOUT;
	}
	return root->directory;
}

struct error root_open_regular(int root, const char *path, int *fd, struct stat *status)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char link[sizeof("/proc/self/fd/") + 10];

	*fd = -1;
	if (root < 0)
		return error_errno(EACCES);
	int handle cleanup_close = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (handle < 0)
		return error_errno(errno);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	return file_open_regular(AT_FDCWD, link, fd, status);
}
