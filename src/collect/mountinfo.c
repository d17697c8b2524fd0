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

/* The next field of the line from *at on, set apart by blanks; false: there is none. */
static bool next_field(const char **at, const char *end, const char **field, size_t *length)
{
	while (*at < end && **at == ' ')
		(*at)++;
	*field = *at;
	while (*at < end && **at != ' ')
		(*at)++;
	*length = (size_t)(*at - *field);
	return *length;
}

/* The fields of a line: of the mount point as well. false: it is malformed. */
static bool read_line(
	struct mount_line line, struct mount_facts *facts, const char **point, size_t *point_length)
{
	const char *at = line.start, *dash, *field;
	size_t length;
	unsigned major, minor;
	int mount;

	*facts = (struct mount_facts){0};
	if (!read_numbers(line, &mount, &major, &minor))
		return false;
	facts->device = makedev(major, minor);
	for (int i = 0; i < 4; i++) { /* ID PARENT MAJOR:MINOR ROOT */
		if (!next_field(&at, line.end, &field, &length))
			return false;
	}
	if (!next_field(&at, line.end, point, point_length))
		return false;
	dash = memmem(at, (size_t)(line.end - at), " - ", 3);
	if (!dash)
		return false;
	at = dash + 3;
	if (!next_field(&at, line.end, &facts->type, &facts->type_length) ||
		!next_field(&at, line.end, &facts->source, &facts->source_length))
		return false;
	next_field(&at, line.end, &facts->options, &facts->options_length);
	return true;
}

bool mountinfo_find_device(
	const char *bytes, size_t length, dev_t device, struct mount_facts *facts)
{
	const char *at = bytes, *point;
	struct mount_line line;
	size_t point_length;

	while (length && next_line(&at, bytes + length, &line)) {
		if (read_line(line, facts, &point, &point_length) && facts->device == device)
			return true;
	}
	return false;
}

/* The next byte of an escaped field: "\\040" is a blank. -1: its end. */
static int next_byte(const char **at, const char *end)
{
	const char *digits = *at + 1;

	if (*at >= end)
		return -1;
	if (**at != '\\' || end - *at < 4)
		return (unsigned char)*(*at)++;
	*at += 4;
	return (digits[0] & 3) << 6 | (digits[1] & 7) << 3 | (digits[2] & 7);
}

/* How many bytes of @path the mount point takes, if the path lies on it; 0: it does not. */
static size_t covers(const char *point, size_t point_length, const char *path)
{
	const char *end = point + point_length;
	size_t taken = 0;

	for (int byte; (byte = next_byte(&point, end)) >= 0; taken++) {
		if (!path[taken] || byte != (unsigned char)path[taken])
			return 0;
	}
	if (taken == 1) /* the root */
		return taken;
	return path[taken] == '/' || path[taken] == '\0' ? taken : 0;
}

bool mountinfo_find_path(
	const char *bytes, size_t length, const char *path, struct mount_facts *facts)
{
	const char *at = bytes, *point;
	size_t most = 0, point_length;
	struct mount_facts found;
	struct mount_line line;

	while (length && path[0] == '/' && next_line(&at, bytes + length, &line)) {
		size_t taken = read_line(line, &found, &point, &point_length)
				       ? covers(point, point_length, path)
				       : 0;

		/* What is mounted later at the same place covers what was. */
		if (!taken || taken < most)
			continue;
		most = taken;
		*facts = found;
	}
	return most;
}

size_t mountinfo_option(const char *options, size_t length, const char *name, const char **value)
{
	size_t name_length = strlen(name);
	const char *end = options + length;

	while (length && options < end) {
		const char *comma = memchr(options, ',', (size_t)(end - options));
		const char *stop = comma ? comma : end;

		if ((size_t)(stop - options) > name_length + 1 &&
			memcmp(options, name, name_length) == 0 && options[name_length] == '=') {
			*value = options + name_length + 1;
			return (size_t)(stop - *value);
		}
		options = stop + 1;
	}
	return 0;
}
