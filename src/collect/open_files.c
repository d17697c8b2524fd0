// SPDX-License-Identifier: Apache-2.0
#include "collect/open_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/file_iterator.h"
#include "util/file.h"
#include "util/memory.h"

#define STAT_SIZE_MAX 4096

void open_files_deinit(struct open_file_table *table)
{
	free(table->files);
	free(table->found);
}

void open_files_leave_out(struct open_file_table *table)
{
	table->scanned = true;
}

/* The number that @name is, or -1. */
static int parse_number(const char *name)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)name[0]))
		return -1;
	errno = 0;
	number = strtol(name, &end, 10);
	return *end || errno || number > INT32_MAX ? -1 : (int)number;
}

/* The entries of a directory by getdents(2), in a buffer of the caller's. */
struct entries {
	int directory;
	char *buffer;
	size_t size;
	ssize_t length, at;
};

/* The name of the next entry that is a number, which goes to *number; NULL: there is no other. */
static const char *next_number(struct entries *entries, int *number)
{
	for (;;) {
		unsigned short size;

		if (entries->at >= entries->length) {
			entries->at = 0;
			entries->length =
				getdents64(entries->directory, entries->buffer, entries->size);
			if (entries->length <= 0)
				return NULL;
		}
		const char *entry = entries->buffer + entries->at;
		memcpy(&size, entry + offsetof(struct dirent64, d_reclen), sizeof(size));
		entries->at += size;
		const char *name = entry + offsetof(struct dirent64, d_name);
		*number = parse_number(name);
		if (*number >= 0)
			return name;
	}
}

/*
 * Whether nothing is numbered in @directory, which stays at its start. Since Linux 6.2 its size
 * tells how many there are (fs/proc/fd.c, proc_fd_getattr()); before, it is 0. A small buffer,
 * since the kernel makes an inode for each entry that it gives.
 */
static bool is_empty(int directory)
{
	char buffer[256] __attribute__((aligned(8)));
	struct entries entries = {directory, buffer, sizeof(buffer), 0, 0};
	struct stat status;
	int number;

	if (fstat(directory, &status) == 0 && status.st_size > 0)
		return false;
	bool empty = !next_number(&entries, &number);
	lseek(directory, 0, SEEK_SET);
	return empty;
}

/* The descriptors of a thread other than the main one; -1: none has any. */
static int open_in_threads(int process)
{
	int tasks = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = tasks < 0 ? NULL : fdopendir(tasks);
	const struct dirent *entry;
	int found = -1;

	if (!stream) {
		if (tasks >= 0)
			close(tasks);
		return -1;
	}
	while (found < 0 && (entry = readdir(stream))) {
		char path[64];

		if (parse_number(entry->d_name) < 0)
			continue;
		snprintf(path, sizeof(path), "task/%.20s/fd", entry->d_name);
		found = openat(process, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (found >= 0 && is_empty(found)) {
			close(found);
			found = -1;
		}
	}
	closedir(stream);
	return found;
}

/* Whether the main thread has ended; then even its own user may not look into it. */
static bool is_zombie(int process)
{
	struct text content cleanup_text = {0};
	const char *comm_end;

	if (failed(file_read_record(process, "stat", STAT_SIZE_MAX, &content)) || !content.bytes)
		return false;
	comm_end = strrchr(content.bytes, ')');
	return comm_end && strncmp(comm_end, ") Z", 3) == 0;
}

int open_files_directory(int process)
{
	int own = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = errno;

	if (own < 0 ? error != EACCES || !is_zombie(process) : !is_empty(own)) {
		errno = error;
		return own;
	}
	int other = open_in_threads(process);
	if (other < 0) {
		errno = error;
		return own;
	}
	if (own >= 0)
		close(own);
	return other;
}

/* Of the devices those that have another end. */
static bool is_of_interest(const struct statx *file)
{
	dev_t number = makedev(file->stx_rdev_major, file->stx_rdev_minor);

	if (S_ISCHR(file->stx_mode))
		return number == DEVICE_FUSE || number == DEVICE_PTMX;
	return !S_ISDIR(file->stx_mode) && !S_ISBLK(file->stx_mode);
}

/*
 * Adds what is of interest among the descriptors in @directory, and tells how many descriptors
 * there are of any kind. AT_STATX_DONT_SYNC keeps a network file system that does not answer from
 * holding us up. This is the hottest place of a look at all processes: opendir() would make four
 * more calls for each of them.
 */
static size_t scan_descriptors(struct open_file_table *table, pid_t pid, int directory)
{
	char buffer[8 * 1024] __attribute__((aligned(8)));
	struct entries entries = {directory, buffer, sizeof(buffer), 0, 0};
	size_t count = 0;
	const char *name;
	int fd;

	for (; (name = next_number(&entries, &fd)); count++) {
		struct statx file;
		struct stat link = {0};

		if (statx(directory, name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &file) < 0 ||
			!is_of_interest(&file))
			continue;
		if ((S_ISFIFO(file.stx_mode) || S_ISSOCK(file.stx_mode)) &&
			fstatat(directory, name, &link, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		array_reserve(table->files, table->file_count, table->file_capacity);
		table->files[table->file_count++] = (struct open_file){
			.device = makedev(file.stx_dev_major, file.stx_dev_minor),
			.inode = file.stx_ino,
			.represents = makedev(file.stx_rdev_major, file.stx_rdev_minor),
			.pid = pid,
			.fd = fd,
			.readable = link.st_mode & S_IRUSR,
			.writable = link.st_mode & S_IWUSR,
		};
	}
	return count;
}

static void scan_process(struct open_file_table *table, int proc, const char *name, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "%.20s/fd", name);
	int own cleanup_close = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own >= 0 && scan_descriptors(table, pid, own))
		return;
	/* Its main thread may have ended before the others. */
	int process cleanup_close = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int files cleanup_close = process < 0 ? -1 : open_files_directory(process);
	if (files >= 0)
		scan_descriptors(table, pid, files);
	else if (errno != ENOENT && errno != ESRCH)
		table->partial = true;
}

static int compare_files(const void *left, const void *right)
{
	const struct open_file *a = left, *b = right;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

/* Each once. */
static void sort_files(struct open_file_table *table)
{
	size_t kept = 0;

	if (table->file_count)
		qsort(table->files, table->file_count, sizeof(*table->files), compare_files);
	for (size_t i = 0; i < table->file_count; i++) {
		if (!kept || compare_files(&table->files[kept - 1], &table->files[i]) != 0)
			table->files[kept++] = table->files[i];
	}
	table->file_count = kept;
}

#ifdef HAVE_BPF
/* A dev_t of the kernel's: include/linux/kdev_t.h. */
static dev_t kernel_device(uint32_t device)
{
	return makedev(device >> 20, device & 0xfffff);
}

/*
 * The file of a record as stat() has it. Where the record can't tell, /proc does: false where the
 * process has it no more.
 */
static bool identify(const struct file_record *record, struct open_file *file)
{
	char path[sizeof("/proc//fd/") + 2 * 11];
	struct statx status;

	file->device = kernel_device(record->device);
	file->inode = record->inode;
	file->represents = kernel_device(record->represents);
	if (record->device)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/fd/%u", record->tid, record->fd);
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &status) < 0)
		return false;
	file->device = makedev(status.stx_dev_major, status.stx_dev_minor);
	file->inode = status.stx_ino;
	return is_of_interest(&status);
}

/* By BPF, which takes a twentieth of the time for many processes. false: it can't be had. */
static bool scan_by_bpf(struct open_file_table *table)
{
	struct file_record *records cleanup_free = NULL;
	const pid_t self = getpid();
	size_t count;

	if (failed(file_iterator_read(&records, &count)))
		return false;
	table->files = reallocate(NULL, count + 1, sizeof(*table->files));
	table->file_capacity = count + 1;
	for (size_t i = 0; i < count; i++) {
		struct open_file file = {
			.pid = (pid_t)records[i].pid,
			.fd = (int)records[i].fd,
			.readable = records[i].access & FILE_RECORD_READS,
			.writable = records[i].access & FILE_RECORD_WRITES,
		};

		if (file.pid != self && identify(&records[i], &file))
			table->files[table->file_count++] = file;
	}
	return true;
}
#else
static bool scan_by_bpf(struct open_file_table *table)
{
	(void)table;
	return false;
}
#endif

static void scan_processes(struct open_file_table *table, DIR *proc)
{
	const pid_t self = getpid();
	const struct dirent *entry;

	/* With hidepid=2 what one may not look into is not even listed; process 1 always is
	 * somebody else's. */
	table->partial = faccessat(dirfd(proc), "1", F_OK, 0) < 0;
	while ((entry = readdir(proc))) {
		pid_t pid = parse_number(entry->d_name);

		if (pid > 0 && pid != self)
			scan_process(table, dirfd(proc), entry->d_name, pid);
	}
}

static void scan(struct open_file_table *table)
{
	/* So many processes take longer than it takes to load a BPF program. */
	enum { MANY_PROCESSES = 100 };
	struct stat status;

	if (table->scanned)
		return;
	table->scanned = true;
	DIR *proc = opendir("/proc");
	if (!proc) {
		table->partial = true;
		return;
	}
	/* fs/proc/root.c, proc_root_getattr(): its links are the processes, and some dozen more. */
	if (fstat(dirfd(proc), &status) < 0 || status.st_nlink < MANY_PROCESSES ||
		!scan_by_bpf(table))
		scan_processes(table, proc);
	closedir(proc);
	sort_files(table);
}

static bool has_access(const struct open_file *file, enum peer_access access)
{
	switch (access) {
	case PEER_READS:
		return file->readable;
	case PEER_WRITES:
		return file->writable;
	case PEER_ANY:
		return file->readable || file->writable;
	case OPEN_ANYHOW:
		return true;
	}
	return false;
}

/* The index of the first that is the file or stands behind where it would. */
static size_t first_of(const struct open_file_table *table, dev_t device, ino_t inode)
{
	size_t low = 0;

	for (size_t high = table->file_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		const struct open_file *file = &table->files[middle];

		if (file->device < device || (file->device == device && file->inode < inode))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct open_files open_files_find(
	struct open_file_table *table, dev_t device, ino_t inode, enum peer_access access)
{
	scan(table);
	if (table->found && table->device == device && table->inode == inode &&
		table->access == access)
		return (struct open_files){table->found, table->found_count};
	table->device = device;
	table->inode = inode;
	table->access = access;
	table->found_count = 0;
	for (size_t i = first_of(table, device, inode); i < table->file_count; i++) {
		const struct open_file *file = &table->files[i];

		if (file->device != device || file->inode != inode)
			break;
		if (!has_access(file, access))
			continue;
		array_reserve(table->found, table->found_count, table->found_capacity);
		table->found[table->found_count++] = *file;
	}
	return (struct open_files){table->found, table->found_count};
}

struct open_files open_files_all(struct open_file_table *table)
{
	scan(table);
	return (struct open_files){table->files, table->file_count};
}

bool open_files_partial(struct open_file_table *table)
{
	scan(table);
	return table->partial;
}
