// SPDX-License-Identifier: Apache-2.0
#include "collect/proc.h"

#include <limits.h>
#include <string.h>

#include "collect/scan.h"
#include "util/clock.h"

/* Undoes what proc_task_name() escapes in a name, which is newline and backslash alone. */
static void unescape_comm(const char *at, const char *end, char comm[PROC_COMM_SIZE + 1])
{
	size_t length = 0;

	for (; at < end && length < PROC_COMM_SIZE; at++) {
		if (*at == '\\' && end - at > 1 && (at[1] == 'n' || at[1] == '\\'))
			comm[length++] = *++at == 'n' ? '\n' : '\\';
		else
			comm[length++] = *at;
	}
	comm[length] = '\0';
}

bool proc_parse_stat(const char *bytes, size_t length, struct proc_stat *stat)
{
	enum {
		STATE = 3,
		PPID = 4,
		FLAGS = 9,
		START = 22,
		START_CODE = 26,
		START_STACK = 28,
		CPU = 39
	};
	struct scan scan = scan_bytes(bytes, length);
	const char *close = length ? memrchr(bytes, ')', length) : NULL;
	uint64_t pid, fields[CPU + 1] = {0};

	*stat = (struct proc_stat){.cpu = -1};
	/* The name may hold any byte, so it ends at the last parenthesis; numbers follow it. */
	if (!scan_unsigned(&scan, 10, &pid) || pid > INT_MAX || !scan_literal(&scan, " (") ||
		!close || close < scan.at)
		return false;
	stat->pid = (pid_t)pid;
	unescape_comm(scan.at, close, stat->comm);
	scan.at = close + 1;
	if (!scan_literal(&scan, " ") || scan.at == scan.end)
		return false;
	stat->state = *scan.at++;
	for (int field = PPID; field <= CPU; field++) {
		if (!scan_literal(&scan, " "))
			return false;
		if (!scan_unsigned(&scan, 10, &fields[field])) {
			int64_t negative;

			if (!scan_signed(&scan, &negative))
				return false;
		}
	}
	if (fields[PPID] > INT_MAX || fields[CPU] > INT_MAX)
		return false;
	stat->ppid = (pid_t)fields[PPID];
	stat->flags = fields[FLAGS];
	stat->start_ticks = fields[START];
	stat->start_code = fields[START_CODE];
	stat->start_stack = fields[START_STACK];
	stat->cpu = (int)fields[CPU];
	return true;
}

/* The first number of a line of numbers between blanks, or the last. */
static bool scan_number(struct scan line, bool last, int *value)
{
	bool found = false;
	uint64_t number;

	for (scan_blanks(&line); scan_unsigned(&line, 10, &number); scan_blanks(&line)) {
		if (number > INT_MAX)
			return false;
		*value = (int)number;
		found = true;
		if (!last)
			break;
	}
	return found;
}

bool proc_parse_status(const char *bytes, size_t length, struct proc_status *status)
{
	struct scan scan = scan_bytes(bytes, length), line;
	bool found = false;
	int value;

	*status = (struct proc_status){0};
	while (scan_line(&scan, &line)) {
		if (scan_literal(&line, "Tgid:") && scan_number(line, false, &value)) {
			status->process = value;
			found = true;
		} else if (scan_literal(&line, "TracerPid:") && scan_number(line, false, &value)) {
			status->tracer = value;
		} else if (scan_literal(&line, "Uid:")) {
			uint64_t uid;

			scan_blanks(&line);
			if (!scan_unsigned(&line, 10, &uid))
				continue;
			scan_blanks(&line);
			if (scan_unsigned(&line, 10, &uid) && uid <= UINT32_MAX)
				status->uid = (uid_t)uid;
		} else if (scan_literal(&line, "NSpid:") && scan_number(line, true, &value)) {
			status->namespace_pid = value;
		}
	}
	return found;
}

static bool scan_hexadecimal(struct scan *scan, uint64_t *value)
{
	return scan_literal(scan, " 0x") && scan_unsigned(scan, 16, value);
}

bool proc_parse_syscall(const char *bytes, size_t length, struct proc_syscall *syscall)
{
	struct scan scan = scan_bytes(bytes, length);
	int64_t number;

	*syscall = (struct proc_syscall){0};
	if (scan_literal(&scan, "running")) {
		syscall->running = true;
		return true;
	}
	if (!scan_signed(&scan, &number) || number > LONG_MAX)
		return false;
	struct proc_syscall parsed = {.entry = {.known = true, .number = number}};
	parsed.entry.in_syscall = number >= 0;
	for (size_t i = 0; number >= 0 && i < SYSCALL_ARGUMENTS; i++) {
		if (!scan_hexadecimal(&scan, &parsed.entry.arguments[i]))
			return false;
	}
	if (!scan_hexadecimal(&scan, &parsed.sp) || !scan_hexadecimal(&scan, &parsed.pc))
		return false;
	*syscall = parsed;
	return true;
}

bool proc_syscall_same(const struct proc_syscall *one, const struct proc_syscall *other)
{
	return !one->running && !other->running && one->sp == other->sp && one->pc == other->pc &&
	       one->entry.number == other->entry.number &&
	       memcmp(one->entry.arguments, other->entry.arguments, sizeof(one->entry.arguments)) ==
		       0;
}

bool proc_parse_exec_start(const char *bytes, size_t length, int64_t *exec_start_ns)
{
	struct scan scan = scan_bytes(bytes, length), line;

	/* The first line holds the task's name, raw: it can forge the key, not the number as well.
	 */
	while (scan_line(&scan, &line)) {
		uint64_t ms, fraction;

		if (!scan_literal(&line, "se.exec_start"))
			continue;
		scan_blanks(&line);
		if (!scan_literal(&line, ":"))
			continue;
		scan_blanks(&line);
		if (!scan_unsigned(&line, 10, &ms) || !scan_literal(&line, ".") ||
			scan_left(&line) != 6 || !scan_unsigned(&line, 10, &fraction) ||
			line.at != line.end || ms > INT64_MAX / NS_PER_MS - 1)
			continue;
		*exec_start_ns = (int64_t)(ms * NS_PER_MS + fraction);
		return true;
	}
	return false;
}

size_t proc_parse_cmdline(
	const char *bytes, size_t length, struct arena *arena, const char ***arguments)
{
	size_t count = 0, index = 0;

	*arguments = NULL;
	if (length > 1 && bytes[length - 1] == '\0' && bytes[length - 2] == '\0') {
		/* "a\0\0" is an empty last argument; a longer run is what a title left behind. */
		size_t end = length;

		while (end > 0 && bytes[end - 1] == '\0')
			end--;
		if (length - end > 2)
			length = end;
	}
	if (length == 0)
		return 0;
	for (size_t i = 0; i < length; i++)
		count += bytes[i] == '\0';
	count += bytes[length - 1] != '\0';
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, bytes, length);
	*arguments = arena_new(arena, const char *, count);
	for (size_t start = 0; start < length; start += strlen(copy + start) + 1)
		(*arguments)[index++] = copy + start;
	return count;
}

/* The text of a column, without the blanks that fill it. */
static const char *take_column(struct scan *line, size_t width, struct arena *arena)
{
	size_t length = scan_left(line) < width ? scan_left(line) : width;
	const char *text = line->at;

	line->at += length;
	while (length && text[length - 1] == ' ')
		length--;
	return arena_strndup(arena, text, length);
}

size_t proc_parse_limits(
	const char *bytes, size_t length, struct arena *arena, struct process_limit **limits)
{
	/* The columns of fs/proc/base.c, proc_pid_limits(), each with the blank after it. */
	enum { NAME = 26, VALUE = 21, UNIT = 10, MOST = 64 };
	struct scan scan = scan_bytes(bytes, length), line;
	size_t count = 0;

	*limits = arena_new(arena, struct process_limit, MOST);
	if (!scan_line(&scan, &line))
		return 0;
	while (count < MOST && scan_line(&scan, &line)) {
		if (scan_left(&line) < NAME + 2 * VALUE - 1)
			continue;
		struct process_limit *limit = &(*limits)[count++];

		limit->name = take_column(&line, NAME, arena);
		limit->soft = take_column(&line, VALUE, arena);
		limit->hard = take_column(&line, VALUE, arena);
		limit->unit = take_column(&line, UNIT, arena);
	}
	return count;
}

static bool is_hexadecimal(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_word(char c)
{
	return is_hexadecimal(c) || (c >= 'g' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The last run of exactly 64 hexadecimal digits that are a word of @path, or NULL. */
static const char *find_id(const struct scan *path)
{
	const char *found = NULL, *start = path->at;

	for (const char *at = path->at; at < path->end; at++) {
		bool ends = at + 1 == path->end || !is_word(at[1]);

		if (!is_word(*at)) {
			start = at + 1;
			continue;
		}
		if (ends && at + 1 - start == 64) {
			const char *digit = start;

			while (digit <= at && is_hexadecimal(*digit))
				digit++;
			if (digit > at)
				found = start;
		}
	}
	return found;
}

/* LXC: a path component "lxc.payload.NAME", or the one after "lxc" or "lxc.payload". */
static bool find_lxc(const struct scan *path, struct scan *name)
{
	struct scan rest = *path;
	bool after_lxc = false;

	while (rest.at < rest.end) {
		const char *slash = memchr(rest.at, '/', scan_left(&rest));
		struct scan component = {rest.at, slash ? slash : rest.end};

		rest.at = slash ? slash + 1 : rest.end;
		*name = component;
		if (scan_literal(name, "lxc.payload.") || after_lxc)
			return name->at < name->end;
		size_t length = scan_left(&component);
		after_lxc = (length == 3 && memcmp(component.at, "lxc", 3) == 0) ||
			    (length == 11 && memcmp(component.at, "lxc.payload", 11) == 0);
	}
	return false;
}

const char *proc_parse_container(const char *bytes, size_t length, struct arena *arena)
{
	struct scan scan = scan_bytes(bytes, length), line;

	/* "hierarchy:controllers:path", cgroups(7). */
	while (scan_line(&scan, &line)) {
		struct scan name;

		for (int i = 0; i < 2; i++) {
			const char *colon =
				line.at < line.end ? memchr(line.at, ':', scan_left(&line)) : NULL;

			line.at = colon ? colon + 1 : line.end;
		}
		if (line.at == line.end)
			continue;
		const char *id = find_id(&line);
		if (id)
			return arena_strndup(arena, id, 64);
		if (find_lxc(&line, &name))
			return arena_strndup(arena, name.at, scan_left(&name));
	}
	return NULL;
}

bool proc_take_deleted(const char *path, size_t *length)
{
	static const char mark[] = " (deleted)";
	size_t size = sizeof(mark) - 1;

	if (*length <= size || memcmp(path + *length - size, mark, size) != 0)
		return false;
	*length -= size;
	return true;
}
