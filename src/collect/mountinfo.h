// SPDX-License-Identifier: Apache-2.0
/* Mountinfo: which file system a device number is of, see proc_pid_mountinfo(5). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether a line of the @length bytes at @bytes says that @device is of the file system @type. */
bool mountinfo_is(const char *bytes, size_t length, dev_t device, const char *type);

/* Whether a mount with that id is listed. */
bool mountinfo_has(const char *bytes, size_t length, int mount);

/* A mounted file system: pieces of the bytes, as the kernel escapes them. */
struct mount_facts {
	dev_t device;
	const char *type, *source, *options; /* the file system's own options */
	size_t type_length, source_length, options_length;
};

/* The file system @device; false: it is not listed. */
bool mountinfo_find_device(
	const char *bytes, size_t length, dev_t device, struct mount_facts *facts);

/* The one that the absolute path lies on, links not followed; false: none does. */
bool mountinfo_find_path(
	const char *bytes, size_t length, const char *path, struct mount_facts *facts);

/* The value of @name among @length bytes of options, "addr" in "rw,addr=10.0.0.7": its length, and
 * where it begins in *value; 0: there is none. */
size_t mountinfo_option(const char *options, size_t length, const char *name, const char **value);
