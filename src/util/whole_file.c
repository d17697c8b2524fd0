// SPDX-License-Identifier: Apache-2.0
#include "util/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/memory.h"
#include "util/text.h"

/* The path with its symbolic links followed, as far as it is there; heap. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);

	if (real)
		return real;
	char *copy = strdup(path);
	if (!copy)
		out_of_memory();
	return copy;
}

/* The folder that the path is in; heap. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");

	if (!folder)
		out_of_memory();
	return folder;
}

static bool is_other_kind(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

struct error whole_file_check(const char *path)
{
	char *real cleanup_free = resolve(path);
	char *folder cleanup_free = folder_of(real);
	struct stat status;

	if (stat(real, &status) == 0 && S_ISDIR(status.st_mode))
		return error_errno(EISDIR);
	if (is_other_kind(real))
		return faccessat(AT_FDCWD, real, W_OK, AT_EACCESS) < 0 ? error_errno(errno)
								       : NO_ERROR;
	if (strlen(path) == 0 || path[strlen(path) - 1] == '/')
		return error_errno(EISDIR);
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0 ? error_errno(errno)
									: NO_ERROR;
}

/* A new file beside the path, with the rights that a new file has, or the old one had. */
static int create_beside(const char *path, char **beside)
{
	struct text name cleanup_text = {0};
	struct stat status;
	const char *slash = strrchr(path, '/');
	mode_t mask = umask(0);

	umask(mask);
	if (slash)
		text_append_bytes(&name, path, (size_t)(slash - path) + 1);
	text_append_format(&name, ".%.200s.XXXXXX", slash ? slash + 1 : path);
	int fd = mkostemp(name.bytes, O_CLOEXEC);
	if (fd < 0)
		return -1;
	fchmod(fd, stat(path, &status) == 0 ? status.st_mode & 07777 : 0666 & ~mask);
	*beside = name.bytes;
	name = (struct text){0};
	return fd;
}

struct error whole_file_begin(struct whole_file *file, const char *path)
{
	*file = (struct whole_file){.path = resolve(path)};
	int fd = is_other_kind(file->path) ? open(file->path, O_WRONLY | O_CLOEXEC)
					   : create_beside(file->path, &file->beside);
	int error = errno;

	file->stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (file->stream)
		return NO_ERROR;
	if (fd >= 0) {
		error = errno;
		close(fd);
	}
	whole_file_drop(file);
	return error_errno(error);
}

struct error whole_file_finish(struct whole_file *file)
{
	bool written = !ferror(file->stream);

	errno = 0;
	written &= fflush(file->stream) == 0;
	/* A machine that goes down must not leave the name of something empty. */
	if (written && file->beside)
		written = fsync(fileno(file->stream)) == 0;
	if (fclose(file->stream) != 0)
		written = false;
	file->stream = NULL;
	if (written && file->beside) {
		written = rename(file->beside, file->path) == 0;
		if (written) {
			free(file->beside);
			file->beside = NULL;
		}
	}
	struct error error = written ? NO_ERROR : error_errno(errno ? errno : EIO);
	whole_file_drop(file);
	return error;
}

void whole_file_drop(struct whole_file *file)
{
	if (file->stream)
		fclose(file->stream);
	if (file->beside)
		unlink(file->beside);
	free(file->beside);
	free(file->path);
	*file = (struct whole_file){0};
}
