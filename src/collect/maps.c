// SPDX-License-Identifier: Apache-2.0
#include "collect/maps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "collect/proc.h"
#include "collect/scan.h"
#include "util/memory.h"

/* The last path that was copied: mappings of one file stand together. */
struct last_path {
	const char *bytes;
	size_t length;
	const char *copy;
	bool deleted;
};

/* Undoes the kernel's only escape, \012 for a newline: fs/proc/task_mmu.c, show_map_vma(). */
static size_t unescape_newlines(char *path, size_t length)
{
	size_t to = 0;

	for (size_t from = 0; from < length; from++) {
		if (length - from >= 4 && memcmp(path + from, "\\012", 4) == 0) {
			path[to++] = '\n';
			from += 3;
		} else {
			path[to++] = path[from];
		}
	}
	path[to] = '\0';
	return to;
}

static void copy_path(struct scan path, struct last_path *last, struct arena *arena)
{
	size_t length = scan_left(&path);

	if (last->copy && last->length == length && memcmp(last->bytes, path.at, length) == 0)
		return;
	last->bytes = path.at;
	last->length = length;
	last->deleted = proc_take_deleted(path.at, &length);
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, path.at, length);
	unescape_newlines(copy, length);
	last->copy = copy;
}

static bool parse_permissions(struct scan *line, struct mapping *mapping)
{
	const char *at = line->at;

	if (scan_left(line) < 4)
		return false;
	mapping->readable = at[0] == 'r';
	mapping->writable = at[1] == 'w';
	mapping->executable = at[2] == 'x';
	mapping->shared = at[3] == 's';
	line->at += 4;
	return true;
}

static bool parse_line(
	struct scan line, struct mapping *mapping, struct last_path *last, struct arena *arena)
{
	uint64_t major, minor, inode;

	if (!scan_unsigned(&line, 16, &mapping->start) || !scan_literal(&line, "-") ||
		!scan_unsigned(&line, 16, &mapping->end) || !scan_literal(&line, " ") ||
		!parse_permissions(&line, mapping) || !scan_literal(&line, " ") ||
		!scan_unsigned(&line, 16, &mapping->offset) || !scan_literal(&line, " ") ||
		!scan_unsigned(&line, 16, &major) || !scan_literal(&line, ":") ||
		!scan_unsigned(&line, 16, &minor) || !scan_literal(&line, " ") ||
		!scan_unsigned(&line, 10, &inode) || mapping->start >= mapping->end ||
		major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	mapping->device = makedev((unsigned)major, (unsigned)minor);
	mapping->inode = inode;
	scan_blanks(&line);
	copy_path(line, last, arena);
	mapping->path = last->copy;
	mapping->deleted = last->deleted;
	return true;
}

struct mappings maps_parse(const char *bytes, size_t length, struct arena *arena)
{
	struct scan scan = scan_bytes(bytes, length), line;
	struct mapping *items cleanup_free = NULL;
	struct last_path last = {0};
	size_t count = 0, capacity = 0;

	while (scan_line(&scan, &line)) {
		struct mapping mapping = {0};

		if (!parse_line(line, &mapping, &last, arena) ||
			(count && mapping.start < items[count - 1].end))
			continue;
		array_reserve(items, count, capacity);
		items[count++] = mapping;
	}
	return (struct mappings){arena_copy(arena, items, count * sizeof(*items)), count};
}
