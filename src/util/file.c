// SPDX-License-Identifier: Apache-2.0
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/memory.h"

void close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* @at_once: a reading that gives less than there was room for gave the end. */
static struct error read_whole(
	int directory, const char *path, size_t limit, bool at_once, struct text *content)
{
	char buffer[16 * 1024];

	text_clear(content);
	int fd cleanup_close = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_errno(errno);
	while (content->length < limit) {
		size_t wanted = limit - content->length;
		ssize_t got = read(fd, buffer, wanted < sizeof(buffer) ? wanted : sizeof(buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_errno(errno);
		if (got == 0)
			break;
		text_append_bytes(content, buffer, (size_t)got);
		if (at_once && (size_t)got < wanted && (size_t)got < sizeof(buffer))
			break;
	}
	return NO_ERROR;
}

struct error file_read(int directory, const char *path, size_t limit, struct text *content)
{
	return read_whole(directory, path, limit, false, content);
}

struct error file_read_record(int directory, const char *path, size_t limit, struct text *content)
{
	return read_whole(directory, path, limit, true, content);
}

/* One reading under guard: heap memory that is the guard's where no answer comes. */
struct reading {
	int directory;
	const char *path;
	size_t limit;
	struct text content;
	struct error error;
};

static void read_file(void *argument)
{
	struct reading *reading = argument;

	reading->error =
		file_read(reading->directory, reading->path, reading->limit, &reading->content);
}

static void forget_reading(void *argument)
{
	struct reading *reading = argument;

	text_deinit(&reading->content);
	free(reading);
}

struct error file_read_guarded(struct guard *guard, int64_t patience_ns, int directory,
	const char *path, size_t limit, struct text *content)
{
	struct reading *reading = allocate_zeroed(1, sizeof(*reading));

	*reading = (struct reading){.directory = directory, .path = path, .limit = limit};
	text_clear(content);
	struct error error = guard_call(guard, read_file, forget_reading, reading, patience_ns);
	if (failed(error))
		return error;
	text_deinit(content);
	*content = reading->content;
	error = reading->error;
	free(reading);
	return error;
}

struct error file_read_link(int directory, const char *path, struct text *target)
{
	char buffer[PATH_MAX];
	ssize_t length = readlinkat(directory, path, buffer, sizeof(buffer));

	text_clear(target);
	if (length < 0)
		return error_errno(errno);
	text_append_bytes(target, buffer, (size_t)length);
	return NO_ERROR;
}

struct error file_open_regular(int directory, const char *path, int *fd, struct stat *status)
{
	struct stat own;
	char link[sizeof("/proc/self/fd/") + 10];
	int handle cleanup_close = openat(directory, path, O_PATH | O_CLOEXEC);

	*fd = -1;
	if (!status)
		status = &own;
	if (handle < 0 || fstat(handle, status) < 0)
		return error_errno(errno);
	if (!S_ISREG(status->st_mode))
		return error_because("not a regular file");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	*fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *fd < 0 ? error_errno(errno) : NO_ERROR;
}
