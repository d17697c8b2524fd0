// SPDX-License-Identifier: Apache-2.0
#include "elf/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/file.h"

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
