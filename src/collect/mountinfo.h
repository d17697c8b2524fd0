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
