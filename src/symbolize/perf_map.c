// SPDX-License-Identifier: Apache-2.0
#include "symbolize/perf_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/root.h"
#include "elf/target_file.h"
#include "symbolize/demangle.h"
#include "util/file.h"
#include "util/memory.h"
#include "util/search.h"

#define FILE_LIMIT (256 * 1024 * 1024)
#define LINE_LIMIT 4096
#define PRUNE_COUNT 4096
#define PRUNE_SIZE (16 * 1024 * 1024)

/* A line that covers some of the addresses. */
struct perf_map_entry {
	uint64_t start;
	size_t first, last; /* the addresses [first, last) */
	char *name;
	size_t name_length;
};

void perf_map_init(struct perf_map *map, const uint64_t *addresses, size_t count)
{
	*map = (struct perf_map){.addresses = addresses,
		.count = count,
		.prune_count = PRUNE_COUNT,
		.prune_size = PRUNE_SIZE};
}

/* The first index from @at on that no entry has taken; @next[i] > i where one has. */
static size_t find_free(size_t *next, size_t at)
{
	while (next[at] != at) {
		next[at] = next[next[at]];
		at = next[at];
	}
	return at;
}

/*
 * From the last line back, each entry takes the addresses that no later one took; what gets none
 * is freed. @owners, if not NULL, is told the entry of each address.
 */
static void prune(struct perf_map *map, const struct perf_map_entry **owners)
{
	size_t *next cleanup_free = allocate((map->count + 1) * sizeof(*next));
	size_t kept = map->entry_count;

	if (!kept)
		return;
	for (size_t i = 0; i <= map->count; i++)
		next[i] = i;
	map->names_size = 0;
	for (size_t i = map->entry_count; i-- > 0;) {
		struct perf_map_entry *entry = &map->entries[i];
		size_t at = find_free(next, entry->first);

		if (at >= entry->last) {
			free(entry->name);
			continue;
		}
		map->entries[--kept] = *entry;
		map->names_size += entry->name_length;
		for (; at < entry->last; at = find_free(next, at)) {
			next[at] = at + 1;
			if (owners)
				owners[at] = &map->entries[kept];
		}
	}
	if (owners)
		return;
	map->entry_count -= kept;
	memmove(map->entries, map->entries + kept, map->entry_count * sizeof(*map->entries));
	if (2 * map->entry_count > map->prune_count)
		map->prune_count = 2 * map->entry_count;
	if (2 * map->names_size > map->prune_size)
		map->prune_size = 2 * map->names_size;
}

/* A hexadecimal number, with or without 0x, and the blanks behind it; false where there is none. */
static bool parse_number(const char **at, const char *end, uint64_t *number)
{
	const char *digit = *at;
	int digits = 0;

	if (end - digit > 2 && digit[0] == '0' && (digit[1] == 'x' || digit[1] == 'X'))
		digit += 2;
	for (*number = 0; digit < end && digits < 17; digit++, digits++) {
		unsigned char letter = (unsigned char)(*digit | 0x20);

		if (*digit >= '0' && *digit <= '9')
			*number = *number << 4 | (uint64_t)(*digit - '0');
		else if (letter >= 'a' && letter <= 'f')
			*number = *number << 4 | (uint64_t)(letter - 'a' + 10);
		else
			break;
	}
	if (digits == 0 || digits > 16 || digit == end || *digit != ' ')
		return false;
	while (digit < end && *digit == ' ')
		digit++;
	*at = digit;
	return true;
}

static void end_line(struct perf_map *map)
{
	uint64_t start, size, stop;

	if (!map->line.length || !map->count)
		return;
	const char *at = map->line.bytes, *end = at + map->line.length;
	if (!parse_number(&at, end, &start) || !parse_number(&at, end, &size) || at == end ||
		__builtin_add_overflow(start, size, &stop))
		return;
	size_t first = lower_bound(map->addresses, map->count, start);
	size_t last = lower_bound(map->addresses, map->count, stop);
	if (first >= last)
		return;
	array_reserve(map->entries, map->entry_count, map->entry_capacity);
	struct perf_map_entry *entry = &map->entries[map->entry_count++];
	*entry = (struct perf_map_entry){
		.start = start, .first = first, .last = last, .name_length = (size_t)(end - at)};
	entry->name = allocate(entry->name_length + 1);
	memcpy(entry->name, at, entry->name_length);
	entry->name[entry->name_length] = '\0';
	map->names_size += entry->name_length;
	if (map->entry_count >= map->prune_count || map->names_size >= map->prune_size)
		prune(map, NULL);
}

void perf_map_feed(struct perf_map *map, const char *bytes, size_t length)
{
	while (length) {
		const char *newline = memchr(bytes, '\n', length);
		size_t piece = newline ? (size_t)(newline - bytes) : length;
		size_t room = map->line.length < LINE_LIMIT ? LINE_LIMIT - map->line.length : 0;

		text_append_bytes(&map->line, bytes, piece < room ? piece : room);
		if (piece > room && room)
			text_append(&map->line, "…");
		if (!newline)
			return;
		end_line(map);
		text_clear(&map->line);
		bytes += piece + 1;
		length -= piece + 1;
	}
}

void perf_map_finish(struct perf_map *map, struct symbol *symbols, struct arena *arena)
{
	const struct perf_map_entry **owners cleanup_free =
		allocate_zeroed(map->count, sizeof(*owners));

	end_line(map);
	prune(map, NULL);
	prune(map, owners); /* whatever is left owns something, so no entry moves any more */
	for (size_t i = 0; i < map->count; i++) {
		const struct perf_map_entry *owner = owners[i];

		symbols[i] = (struct symbol){0};
		if (!owner)
			continue;
		if (i && owner == owners[i - 1])
			symbols[i] = symbols[i - 1];
		else
			symbols[i] = (struct symbol){
				.name = demangle(arena_strdup(arena, owner->name), arena),
				.start = owner->start};
	}
	for (size_t i = 0; i < map->entry_count; i++)
		free(map->entries[i].name);
	free(map->entries);
	text_deinit(&map->line);
	*map = (struct perf_map){0};
}

void perf_map_find(struct process *process, struct root *root, const uint64_t *addresses,
	size_t count, struct symbol *symbols, struct arena *arena)
{
	char path[sizeof("tmp/perf-.map") + 10];
	char buffer[64 * 1024];
	struct perf_map map;
	struct stat status;
	int fd cleanup_close = -1;
	size_t done = 0;
	ssize_t got = 0;

	memset(symbols, 0, count * sizeof(*symbols));
	snprintf(path, sizeof(path), "tmp/perf-%d.map",
		process->namespace_pid > 0 ? process->namespace_pid : process->pid);
	if (!count || root_directory(root) < 0)
		return;
	struct error error =
		target_file_open(process->guard, true, root_directory(root), path, &fd, &status);
	if (error.number == ENOENT)
		return;
	if (failed(error)) {
		gaps_add(&process->gaps, arena, STAGE_SYMBOLS, "/%s: %s", path, error.reason);
		return;
	}
	if (status.st_uid != 0 && status.st_uid != process->uid && status.st_uid != geteuid()) {
		gaps_add(&process->gaps, arena, STAGE_SYMBOLS,
			"/%s belongs to user %u and not to the process's, so it is not believed",
			path, (unsigned)status.st_uid);
		return;
	}
	perf_map_init(&map, addresses, count);
	while (done < FILE_LIMIT &&
		((got = read(fd, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR))) {
		if (got < 0)
			continue;
		perf_map_feed(&map, buffer, (size_t)got);
		done += (size_t)got;
	}
	perf_map_finish(&map, symbols, arena);
	if (done >= FILE_LIMIT)
		gaps_add(&process->gaps, arena, STAGE_SYMBOLS,
			"/%s is longer than 256 MiB, of which the rest was not read", path);
}
