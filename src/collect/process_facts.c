// SPDX-License-Identifier: Apache-2.0
#include "collect/process_facts.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/maps.h"
#include "collect/scan.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define PATIENCE_NS (2 * NS_PER_SECOND)
#define SMALL_FILE (64 * 1024)
#define CMDLINE_LIMIT (1024 * 1024)
#define MAPS_LIMIT (128 * 1024 * 1024)

bool process_read_status(int directory, struct proc_status *status)
{
	struct text text cleanup_text = {0};

	return !failed(file_read_record(directory, "status", SMALL_FILE, &text)) && text.length &&
	       proc_parse_status(text.bytes, text.length, status);
}

int process_open_stat(int directory, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "task/%d/stat", pid);
	return openat(directory, path, O_RDONLY | O_CLOEXEC);
}

bool process_read_stat(int file, struct proc_stat *stat)
{
	char line[4096]; /* fifty numbers and a comm of 64 bytes at most */
	ssize_t length;

	do {
		length = pread(file, line, sizeof(line), 0);
	} while (length < 0 && errno == EINTR);
	return length > 0 && proc_parse_stat(line, (size_t)length, stat);
}

static void set_times(struct process *process, const struct proc_stat *stat)
{
	int64_t ticks_per_second = sysconf(_SC_CLK_TCK);

	process->running_ns = process->started_at_ns = -1;
	if (ticks_per_second <= 0 ||
		stat->start_ticks > (uint64_t)(INT64_MAX / NS_PER_SECOND * ticks_per_second))
		return;
	int64_t ticks = (int64_t)stat->start_ticks;
	int64_t start = ticks / ticks_per_second * NS_PER_SECOND +
			ticks % ticks_per_second * (NS_PER_SECOND / ticks_per_second);
	int64_t running = clock_ns(CLOCK_BOOTTIME) - start;
	process->running_ns = running > 0 ? running : 0;
	process->started_at_ns = clock_ns(CLOCK_REALTIME) - process->running_ns;
}

static const char *read_link(int directory, const char *name, struct arena *arena)
{
	struct text target cleanup_text = {0};

	return failed(file_read_link(directory, name, &target)) ? NULL
								: text_to_arena(&target, arena);
}

void process_read_facts(struct process *process, int leader, const struct proc_stat *stat,
	bool places, struct arena *arena)
{
	struct text text cleanup_text = {0};

	process->pid = stat->pid;
	process->ppid = stat->ppid;
	process->state = stat->state;
	process->comm = arena_strdup(arena, stat->comm);
	process->is_kernel = stat->flags & PROC_FLAG_KERNEL_THREAD;
	set_times(process, stat);
	if (process->is_kernel || leader < 0)
		return;
	process->exe = read_link(leader, "exe", arena);
	if (!places)
		return;
	process->cwd = read_link(leader, "cwd", arena);
	if (!failed(file_read_record(leader, "cgroup", SMALL_FILE, &text)) && text.length)
		process->container = proc_parse_container(text.bytes, text.length, arena);
}

/* What is read of the program's file under guard: heap memory that is the guard's where no answer
 * comes. */
struct program {
	int leader;
	bool is_32_bit;
};

static void read_program(void *argument)
{
	struct program *program = argument;
	unsigned char ident[EI_NIDENT];
	int fd cleanup_close = -1;

	program->is_32_bit = !failed(file_open_regular(program->leader, "exe", &fd, NULL)) &&
			     pread(fd, ident, sizeof(ident), 0) == sizeof(ident) &&
			     memcmp(ident, ELFMAG, SELFMAG) == 0 && ident[EI_CLASS] == ELFCLASS32;
}

/*
 * Whether the process's program is of 32 bits. All mappings below 4 GiB (but for x86-64's vsyscall
 * page) make it probable, and only then is its ELF header read.
 */
static bool is_32_bit(const struct mappings *mappings, int leader, struct guard *guard)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->items[i];

		if (mapping->end > UINT64_C(1) << 32 && strcmp(mapping->path, "[vsyscall]") != 0)
			return false;
	}
	if (!mappings->count)
		return false;
	struct program *program = allocate_zeroed(1, sizeof(*program));
	program->leader = leader;
	if (failed(guard_call(guard, read_program, free, program, PATIENCE_NS)))
		return false;
	bool answer = program->is_32_bit;
	free(program);
	return answer;
}

static void read_cmdline(
	struct process *process, int leader, struct guard *guard, struct arena *arena, bool *stuck)
{
	struct text text cleanup_text = {0};
	struct error error =
		file_read_guarded(guard, PATIENCE_NS, leader, "cmdline", CMDLINE_LIMIT, &text);

	*stuck = error.number == ETIMEDOUT;
	if (failed(error) || !text.length)
		return;
	process->cmdline_count =
		proc_parse_cmdline(text.bytes, text.length, arena, &process->cmdline);
	if (text.length == CMDLINE_LIMIT)
		gaps_add(&process->gaps, arena, STAGE_PROCESS,
			"the command line is longer than 1 MiB: the rest was not read");
}

int process_read_space(
	struct process *process, int leader, struct guard *guard, struct arena *arena, bool *stuck)
{
	struct text text cleanup_text = {0};
	struct error error =
		file_read_guarded(guard, PATIENCE_NS, leader, "maps", MAPS_LIMIT, &text);

	*stuck = error.number == ETIMEDOUT;
	if (!*stuck)
		read_cmdline(process, leader, guard, arena, stuck);
	if (failed(error))
		return error.number ? error.number : EIO;
	if (text.length == MAPS_LIMIT)
		gaps_add(&process->gaps, arena, STAGE_PROCESS,
			"the list of mappings is longer than 128 MiB: the rest was not read");
	if (text.length)
		process->mappings = maps_parse(text.bytes, text.length, arena);
	process->is_32_bit = is_32_bit(&process->mappings, leader, guard);
	return 0;
}

static int by_name(const void *one, const void *other)
{
	const struct process_namespace *a = one, *b = other;

	return strcmp(a->name, b->name);
}

/* The links of /proc/PID/ns: "net" → "net:[4026531840]". */
static void read_namespaces(
	struct process_info *info, struct process *process, int directory, struct arena *arena)
{
	enum { MOST = 64 };
	struct text target cleanup_text = {0};
	int fd = openat(directory, "ns", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *links = fd < 0 ? NULL : fdopendir(fd);

	if (!links) {
		if (fd >= 0)
			close(fd);
		return;
	}
	info->namespaces = arena_new(arena, struct process_namespace, MOST);
	for (struct dirent *entry; info->namespace_count < MOST && (entry = readdir(links));) {
		uint64_t inode;

		if (entry->d_name[0] == '.')
			continue;
		struct error error = file_read_link(fd, entry->d_name, &target);
		if (failed(error)) {
			gaps_add(&process->gaps, arena, STAGE_PROCESS, "namespaces: %s",
				error.reason);
			break;
		}
		struct scan scan = scan_bytes(target.bytes, target.length);
		const char *bracket = memchr(target.bytes, '[', target.length);
		scan.at = bracket ? bracket + 1 : scan.end;
		if (scan_unsigned(&scan, 10, &inode))
			info->namespaces[info->namespace_count++] = (struct process_namespace){
				arena_strdup(arena, entry->d_name), inode};
	}
	closedir(links);
	qsort(info->namespaces, info->namespace_count, sizeof(*info->namespaces), by_name);
}

void process_read_info(struct process *process, int directory, struct arena *arena)
{
	struct process_info *info = arena_new(arena, struct process_info, 1);
	struct text text cleanup_text = {0};
	const int *fds;

	process->info = info;
	struct error error = file_read(directory, "limits", SMALL_FILE, &text);
	if (failed(error))
		gaps_add(&process->gaps, arena, STAGE_PROCESS, "limits: %s", error.reason);
	else if (text.length)
		info->limit_count =
			proc_parse_limits(text.bytes, text.length, arena, &info->limits);
	read_namespaces(info, process, directory, arena);
	size_t count = process->descriptors->list(process->descriptors, &fds);
	info->descriptors = arena_new(arena, const struct descriptor *, count);
	for (size_t i = 0; i < count; i++) {
		const struct descriptor *descriptor =
			process->descriptors->find(process->descriptors, fds[i]);

		if (descriptor)
			info->descriptors[info->descriptor_count++] = descriptor;
	}
}
