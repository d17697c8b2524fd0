// SPDX-License-Identifier: Apache-2.0
#include "collect/file_locks.h"

#include <limits.h>
#include <sys/sysmacros.h>

#include "collect/scan.h"
#include "util/memory.h"

/* Words are set apart by blanks. */
static bool scan_word(struct scan *scan, const char *word)
{
	struct scan ahead = *scan;

	scan_blanks(&ahead);
	if (!scan_literal(&ahead, word) ||
		(scan_left(&ahead) && *ahead.at != ' ' && *ahead.at != '\t'))
		return false;
	*scan = ahead;
	return true;
}

static void skip_word(struct scan *scan)
{
	scan_blanks(scan);
	while (scan->at < scan->end && *scan->at != ' ' && *scan->at != '\t')
		scan->at++;
}

static bool scan_kind(struct scan *scan, enum file_lock_kind *kind)
{
	static const struct {
		const char *word;
		enum file_lock_kind kind;
	} kinds[] = {
		{"FLOCK", FILE_LOCK_FLOCK},
		{"POSIX", FILE_LOCK_POSIX},
		{"OFDLCK", FILE_LOCK_DESCRIPTION},
	};

	for (size_t i = 0; i < array_length(kinds); i++) {
		if (scan_word(scan, kinds[i].word)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

/* "fe:00:10971451": the device's numbers are hexadecimal. */
static bool scan_file(struct scan *scan, struct file_lock_line *line)
{
	uint64_t major, minor;

	scan_blanks(scan);
	if (!scan_unsigned(scan, 16, &major) || !scan_literal(scan, ":") ||
		!scan_unsigned(scan, 16, &minor) || !scan_literal(scan, ":") ||
		!scan_unsigned(scan, 10, &line->inode) || major > UINT_MAX || minor > UINT_MAX)
		return false;
	line->device = makedev((unsigned)major, (unsigned)minor);
	return true;
}

static bool scan_range(struct scan *scan, struct file_lock_line *line)
{
	scan_blanks(scan);
	if (!scan_signed(scan, &line->first))
		return false;
	line->last = INT64_MAX;
	if (scan_word(scan, "EOF"))
		return true;
	scan_blanks(scan);
	return scan_signed(scan, &line->last);
}

/* [lock:] ID: [->] KIND ADVISORY READ|WRITE PID MAJOR:MINOR:INODE FIRST LAST */
static bool parse_line(struct scan scan, struct file_lock_line *line)
{
	uint64_t id;
	int64_t pid;

	*line = (struct file_lock_line){0};
	scan_literal(&scan, "lock:");
	scan_blanks(&scan);
	if (!scan_unsigned(&scan, 10, &id) || !scan_literal(&scan, ":"))
		return false;
	line->blocked = scan_word(&scan, "->");
	if (!scan_kind(&scan, &line->kind))
		return false;
	skip_word(&scan);
	line->exclusive = scan_word(&scan, "WRITE");
	if (!line->exclusive && !scan_word(&scan, "READ"))
		return false;
	scan_blanks(&scan);
	if (!scan_signed(&scan, &pid) || pid < INT_MIN || pid > INT_MAX)
		return false;
	line->pid = (pid_t)pid;
	return scan_file(&scan, line) && scan_range(&scan, line);
}

void file_locks_parse(const char *bytes, size_t length, struct file_lock_lines *lines)
{
	struct scan scan = scan_bytes(bytes, length), text;
	struct file_lock_line line;

	while (length && scan_line(&scan, &text)) {
		if (!parse_line(text, &line))
			continue;
		array_reserve(lines->items, lines->count, lines->capacity);
		lines->items[lines->count++] = line;
	}
}

static bool same_file(const struct file_lock_line *one, const struct file_lock_line *other)
{
	return one->device == other->device && one->inode == other->inode;
}

bool file_lock_same(const struct file_lock_line *one, const struct file_lock_line *other)
{
	return one->kind == other->kind && one->exclusive == other->exclusive &&
	       one->pid == other->pid && same_file(one, other) && one->first == other->first &&
	       one->last == other->last;
}

static bool is_request(const struct file_lock_line *line, pid_t pid, const struct file_lock *wanted)
{
	pid_t expected = wanted->kind == FILE_LOCK_DESCRIPTION ? -1 : pid;

	return line->blocked && line->kind == wanted->kind &&
	       line->exclusive == wanted->exclusive && line->pid == expected &&
	       line->inode == wanted->inode &&
	       (!wanted->has_range || (line->first == wanted->first && line->last == wanted->last));
}

const struct file_lock_line *file_locks_find_request(
	const struct file_lock_lines *lines, pid_t pid, const struct file_lock *wanted)
{
	const struct file_lock_line *found = NULL;

	for (size_t i = 0; i < lines->count; i++) {
		const struct file_lock_line *line = &lines->items[i];

		if (!is_request(line, pid, wanted))
			continue;
		if (line->device == wanted->device)
			return line;
		/* Of btrfs and overlayfs stat() tells another device: the inode must do, if it is
		 * of one file alone. */
		if (found && !same_file(found, line))
			return NULL;
		found = line;
	}
	return found;
}

bool file_lock_blocks(
	const struct file_lock_line *held, const struct file_lock_line *request, pid_t pid)
{
	if (held->blocked || !same_file(held, request) || !(held->exclusive || request->exclusive))
		return false;
	if ((held->kind == FILE_LOCK_FLOCK) != (request->kind == FILE_LOCK_FLOCK))
		return false;
	/* A process's own locks give way to it. */
	if (held->kind == FILE_LOCK_POSIX && request->kind == FILE_LOCK_POSIX && held->pid == pid)
		return false;
	return held->first <= request->last && request->first <= held->last;
}
