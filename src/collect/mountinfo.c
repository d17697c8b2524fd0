// SPDX-License-Identifier: Apache-2.0
#include "collect/mountinfo.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* One line: ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS…] - TYPE SOURCE OPTIONS. Blanks and
 * newlines within a field are escaped by the kernel. */
struct mount_line {
	const char *start, *end;
};

/* The next line of what lies between *@at and @end; false: no more. */
static bool next_line(const char **at, const char *end, struct mount_line *line)
{
	if (*at >= end)
		return false;
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));
	*line = (struct mount_line){*at, newline ? newline : end};
	*at = newline ? newline + 1 : end;
	return true;
}

/* Reads the numbers at the start of the line. */
static bool read_numbers(struct mount_line line, int *mount, unsigned *major, unsigned *minor)
{
	char start[64];
	size_t length = (size_t)(line.end - line.start);

	if (length > sizeof(start) - 1)
		length = sizeof(start) - 1;
	memcpy(start, line.start, length);
	start[length] = '\0';
	return sscanf(start, "%9d %*d %9u:%9u", mount, major, minor) == 3;
}

bool mountinfo_is(const char *bytes, size_t length, dev_t device, const char *type)
{
	const char *at = bytes;
	size_t type_length = strlen(type);
	unsigned major, minor;
	struct mount_line line;
	int mount;

	while (length && next_line(&at, bytes + length, &line)) {
		const char *dash = memmem(line.start, (size_t)(line.end - line.start), " - ", 3);

		if (!dash || !read_numbers(line, &mount, &major, &minor) ||
			makedev(major, minor) != device)
			continue;
		dash += 3;
		if ((size_t)(line.end - dash) > type_length &&
			memcmp(dash, type, type_length) == 0 && dash[type_length] == ' ')
			return true;
	}
	return false;
}

bool mountinfo_has(const char *bytes, size_t length, int mount)
{
	const char *at = bytes;
	unsigned major, minor;
	struct mount_line line;
	int listed;

	while (length && next_line(&at, bytes + length, &line)) {
		if (read_numbers(line, &listed, &major, &minor) && listed == mount)
			return true;
	}
	return false;
}
