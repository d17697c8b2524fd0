// SPDX-License-Identifier: Apache-2.0
/* Files by their names, and what reaches the disk. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "syscalls/table.h"

static const struct name at_items[] = {
	NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_REMOVEDIR),
	NAME(AT_SYMLINK_FOLLOW),
	NAME(AT_NO_AUTOMOUNT),
	NAME(AT_EMPTY_PATH),
	NAME(AT_STATX_FORCE_SYNC),
	NAME(AT_STATX_DONT_SYNC),
};
static const struct names at_flags = NAMES(at_items);

static const struct name range_items[] = {
	NAME(SYNC_FILE_RANGE_WAIT_BEFORE),
	NAME(SYNC_FILE_RANGE_WRITE),
	NAME(SYNC_FILE_RANGE_WAIT_AFTER),
};
static const struct names range_flags = NAMES(range_items);

static const struct name allocate_items[] = {
	NAME(FALLOC_FL_KEEP_SIZE),
	NAME(FALLOC_FL_PUNCH_HOLE),
	NAME(FALLOC_FL_COLLAPSE_RANGE),
	NAME(FALLOC_FL_ZERO_RANGE),
	NAME(FALLOC_FL_INSERT_RANGE),
	NAME(FALLOC_FL_UNSHARE_RANGE),
};
static const struct names allocate_modes = NAMES(allocate_items);

/* A mode is looked at only where a file may come into being (open(2)). */
static size_t openat_used(const uint64_t *arguments)
{
	return arguments[2] & O_CREAT || (arguments[2] & O_TMPFILE) == O_TMPFILE ? 4 : 3;
}

static size_t open_used(const uint64_t *arguments)
{
	return arguments[1] & O_CREAT || (arguments[1] & O_TMPFILE) == O_TMPFILE ? 3 : 2;
}

#define FD                                                                                         \
	{                                                                                          \
		"fd", &argument_descriptor                                                         \
	}
#define DIRECTORY                                                                                  \
	{                                                                                          \
		"dirfd", &argument_directory                                                       \
	}
#define PATH                                                                                       \
	{                                                                                          \
		"pathname", &argument_string                                                       \
	}
#define OPEN_FLAGS                                                                                 \
	{                                                                                          \
		"flags", &argument_open_flags                                                      \
	}
#define AT_FLAGS                                                                                   \
	{                                                                                          \
		"flags", &argument_flags, &at_flags                                                \
	}
#define MODE                                                                                       \
	{                                                                                          \
		"mode", &argument_mode                                                             \
	}
#define STATUS                                                                                     \
	{                                                                                          \
		"statbuf", &argument_pointer                                                       \
	}
#define OLD_PATH                                                                                   \
	{                                                                                          \
		"oldpath", &argument_string                                                        \
	}
#define NEW_PATH                                                                                   \
	{                                                                                          \
		"newpath", &argument_string                                                        \
	}
#define OLD_DIRECTORY                                                                              \
	{                                                                                          \
		"olddirfd", &argument_directory                                                    \
	}
#define NEW_DIRECTORY                                                                              \
	{                                                                                          \
		"newdirfd", &argument_directory                                                    \
	}
#define BUFFER                                                                                     \
	{                                                                                          \
		"buf", &argument_pointer                                                           \
	}

static const struct syscall_row rows[] = {
	{"open", CALL_OPEN, {PATH, OPEN_FLAGS, MODE}, open_used},
	{"openat", CALL_OPEN, {DIRECTORY, PATH, OPEN_FLAGS, MODE}, openat_used},
	{"openat2", CALL_OPEN,
		{DIRECTORY, PATH, {"how", &argument_pointer}, {"size", &argument_size}}},
	{"creat", CALL_OPEN, {PATH, MODE}},
	{"stat", CALL_OTHER, {PATH, STATUS}},
	{"lstat", CALL_OTHER, {PATH, STATUS}},
	{"fstat", CALL_OTHER, {FD, STATUS}},
	{"newfstatat", CALL_OTHER, {DIRECTORY, PATH, STATUS, AT_FLAGS}},
	{"statx", CALL_OTHER,
		{DIRECTORY, PATH, AT_FLAGS, {"mask", &argument_hexadecimal},
			{"statxbuf", &argument_pointer}}},
	{"statfs", CALL_OTHER, {{"path", &argument_string}, BUFFER}},
	{"fstatfs", CALL_OTHER, {FD, BUFFER}},
	{"access", CALL_OTHER, {PATH, MODE}},
	{"faccessat", CALL_OTHER, {DIRECTORY, PATH, MODE}},
	{"faccessat2", CALL_OTHER, {DIRECTORY, PATH, MODE, AT_FLAGS}},
	{"readlink", CALL_OTHER, {PATH, BUFFER, {"bufsiz", &argument_size}}},
	{"readlinkat", CALL_OTHER, {DIRECTORY, PATH, BUFFER, {"bufsiz", &argument_size}}},
	{"rename", CALL_OTHER, {OLD_PATH, NEW_PATH}},
	{"renameat", CALL_OTHER, {OLD_DIRECTORY, OLD_PATH, NEW_DIRECTORY, NEW_PATH}},
	{"renameat2", CALL_OTHER,
		{OLD_DIRECTORY, OLD_PATH, NEW_DIRECTORY, NEW_PATH,
			{"flags", &argument_hexadecimal}}},
	{"link", CALL_OTHER, {OLD_PATH, NEW_PATH}},
	{"linkat", CALL_OTHER, {OLD_DIRECTORY, OLD_PATH, NEW_DIRECTORY, NEW_PATH, AT_FLAGS}},
	{"symlink", CALL_OTHER, {{"target", &argument_string}, {"linkpath", &argument_string}}},
	{"unlink", CALL_OTHER, {PATH}},
	{"unlinkat", CALL_OTHER, {DIRECTORY, PATH, AT_FLAGS}},
	{"mkdir", CALL_OTHER, {PATH, MODE}},
	{"mkdirat", CALL_OTHER, {DIRECTORY, PATH, MODE}},
	{"rmdir", CALL_OTHER, {PATH}},
	{"chdir", CALL_OTHER, {{"path", &argument_string}}},
	{"chmod", CALL_OTHER, {PATH, MODE}},
	{"truncate", CALL_OTHER, {{"path", &argument_string}, {"length", &argument_long}}},
	{"ftruncate", CALL_OTHER, {FD, {"length", &argument_long}}},
	{"fallocate", CALL_OTHER,
		{FD, {"mode", &argument_flags, &allocate_modes}, {"offset", &argument_long},
			{"len", &argument_long}}},
	{"fsync", CALL_SYNC, {FD}},
	{"fdatasync", CALL_SYNC, {FD}},
	{"syncfs", CALL_SYNC, {FD}},
	{"sync", CALL_SYNC, {}},
	{"sync_file_range", CALL_SYNC,
		{FD, {"offset", &argument_long}, {"nbytes", &argument_long},
			{"flags", &argument_flags, &range_flags}}},
};

const struct syscall_family syscalls_files = FAMILY(rows);
