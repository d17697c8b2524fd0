// SPDX-License-Identifier: Apache-2.0
#include "util/thread_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "util/file.h"

bool thread_can_run(pid_t tid)
{
	struct text stat cleanup_text = {0};
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	if (failed(file_read(AT_FDCWD, path, 4096, &stat)) || !stat.length)
		return false;
	const char *close = strrchr(stat.bytes, ')');
	return close && strncmp(close, ") R", 3) == 0;
}
