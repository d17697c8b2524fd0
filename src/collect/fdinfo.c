// SPDX-License-Identifier: Apache-2.0
#include "collect/fdinfo.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/memory.h"

#define LINE_MAX_LENGTH 256 /* longer lines are none of those that are understood */

struct watched_list {
	struct watched *items;
	size_t count, capacity;
};

/* What is gathered while lines are read. */
struct parse {
	struct fdinfo *info;
	struct watched_list watched;
};

static void take_flags(struct parse *parse, const char *value)
{
	parse->info->flags = (unsigned)strtoul(value, NULL, 8);
}

static void take_position(struct parse *parse, const char *value)
{
	parse->info->position = strtoll(value, NULL, 10);
}

/* A number that has to fit an int. */
static bool parse_int(const char *value, int *number)
{
	char *end;
	long parsed = strtol(value, &end, 10);

	if (end == value || parsed < INT_MIN || parsed > INT_MAX)
		return false;
	*number = (int)parsed;
	return true;
}

static void take_mount(struct parse *parse, const char *value)
{
	parse_int(value, &parse->info->mount);
}

/* fs/eventfd.c prints it in hexadecimal. */
static void take_counter(struct parse *parse, const char *value)
{
	parse->info->counter = strtoull(value, NULL, 16);
}

static void take_clock(struct parse *parse, const char *value)
{
	parse_int(value, &parse->info->clock);
}

static void take_ticks(struct parse *parse, const char *value)
{
	parse->info->ticks = strtoull(value, NULL, 10);
}

/* "(SECONDS, NANOSECONDS)" as nanoseconds, INT64_MAX where they are too many. */
static bool parse_timespec(const char *value, int64_t *ns)
{
	unsigned long long seconds, nanoseconds;

	if (sscanf(value, " (%20llu, %20llu)", &seconds, &nanoseconds) != 2)
		return false;
	if (nanoseconds >= NS_PER_SECOND || seconds > INT64_MAX / NS_PER_SECOND - 1)
		*ns = INT64_MAX;
	else
		*ns = (int64_t)(seconds * NS_PER_SECOND + nanoseconds);
	return true;
}

static void take_value(struct parse *parse, const char *value)
{
	parse_timespec(value, &parse->info->value_ns);
}

static void take_interval(struct parse *parse, const char *value)
{
	parse_timespec(value, &parse->info->interval_ns);
}

static void take_signals(struct parse *parse, const char *value)
{
	parse->info->signals = strtoull(value, NULL, 16);
}

static void take_pid(struct parse *parse, const char *value)
{
	int pid;

	if (parse_int(value, &pid)) {
		parse->info->has_pid = true;
		parse->info->pid = pid;
	}
}

static void take_identity(const char *value, int64_t *identity)
{
	char *end;
	long long parsed = strtoll(value, &end, 10);

	if (end != value && parsed >= 0)
		*identity = parsed;
}

static void take_eventfd_id(struct parse *parse, const char *value)
{
	take_identity(value, &parse->info->eventfd_id);
}

static void take_tty_index(struct parse *parse, const char *value)
{
	take_identity(value, &parse->info->tty_index);
}

static void take_fuse_connection(struct parse *parse, const char *value)
{
	take_identity(value, &parse->info->fuse_connection);
}

/* fs/eventpoll.c: "%8d events: %8x data: %16llx  pos:%lli ino:%lx sdev:%x" after "tfd: ". */
static int by_number(const void *one, const void *other)
{
	const struct watched *a = one, *b = other;

	return (a->fd > b->fd) - (a->fd < b->fd);
}

static void take_watched(struct parse *parse, const char *value)
{
	struct watched watched = {0};
	unsigned long inode;
	const char *tail = strstr(value, " ino:");

	if (parse->watched.count == FDINFO_WATCHED_MAX ||
		sscanf(value, " %10d events: %8x", &watched.fd, &watched.events) != 2)
		return;
	if (tail && sscanf(tail, " ino:%16lx", &inode) == 1)
		watched.inode = inode;
	array_reserve(parse->watched.items, parse->watched.count, parse->watched.capacity);
	parse->watched.items[parse->watched.count++] = watched;
}

/* To understand one more line: a function that takes its value, and a row here. */
static const struct {
	const char *name;
	void (*take)(struct parse *parse, const char *value);
} fields[] = {
	{"pos:", take_position},
	{"flags:", take_flags},
	{"mnt_id:", take_mount},
	{"eventfd-count:", take_counter},
	{"clockid:", take_clock},
	{"ticks:", take_ticks},
	{"it_value:", take_value},
	{"it_interval:", take_interval},
	{"sigmask:", take_signals},
	{"Pid:", take_pid},
	{"eventfd-id:", take_eventfd_id},
	{"tty-index:", take_tty_index},
	{"fuse_connection:", take_fuse_connection},
	{"tfd:", take_watched},
};

static void take_line(struct parse *parse, const char *line)
{
	for (size_t i = 0; i < array_length(fields); i++) {
		size_t length = strlen(fields[i].name);

		if (strncmp(line, fields[i].name, length) == 0) {
			fields[i].take(parse, line + length);
			return;
		}
	}
}

void fdinfo_parse(const char *bytes, size_t length, struct arena *arena, struct fdinfo *info)
{
	struct parse parse = {.info = info};
	const char *end = bytes + length;

	*info = (struct fdinfo){
		.mount = -1, .clock = -1, .eventfd_id = -1, .tty_index = -1, .fuse_connection = -1};
	while (length && bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t size = (size_t)((newline ? newline : end) - bytes);
		char line[LINE_MAX_LENGTH];

		if (size < sizeof(line)) {
			memcpy(line, bytes, size);
			line[size] = '\0';
			take_line(&parse, line);
		}
		bytes += size + 1;
		if (!newline)
			break;
	}
	if (parse.watched.count) {
		/* The kernel's order is that of addresses within it. */
		qsort(parse.watched.items, parse.watched.count, sizeof(*parse.watched.items),
			by_number);
		info->watched = arena_copy(arena, parse.watched.items,
			parse.watched.count * sizeof(*parse.watched.items));
		info->watched_count = parse.watched.count;
	}
	free(parse.watched.items);
}
