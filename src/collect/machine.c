// SPDX-License-Identifier: Apache-2.0
#include "collect/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "collect/file_iterator.h"
#include "util/file.h"
#include "util/memory.h"
#include "util/hash.h"

#define COMMAND_MAX 64 /* TASK_COMM_LEN is 16; kernel threads of workqueues are shown with more */
#define STAT_SIZE_MAX 4096
#define NETWORKS_MAX 256 /* namespaces that are searched */
#define TTY_DRIVERS_SIZE_MAX (64 * 1024)

struct command {
	pid_t pid;
	const char *name;
	UT_hash_handle hh;
};

struct network {
	ino_t namespace;
	struct sockets *sockets; /* NULL: not asked for yet */
	int process;             /* a directory of /proc in it, owned; -1: not needed yet */
	UT_hash_handle hh;
};

/* A process in a network namespace. */
struct network_member {
	ino_t namespace;
	pid_t pid;
	struct network *network; /* NULL: not asked for yet */
};

struct tty_range {
	unsigned major, first, last; /* minors */
};

struct machine {
	struct arena *arena;

	bool scanned, partial;
	struct open_file *files; /* sorted by compare_files() */
	size_t file_count, file_capacity;

	/* What was found last. All processes that read a pipe ask who writes it: to go through
	 * the readers for each of them would take the square of their number. */
	dev_t device;
	ino_t inode;
	enum peer_access access;
	struct open_file *found; /* heap */
	size_t found_count, found_capacity;

	struct command *commands;
	struct network *networks;
	ino_t own_namespace;
	bool networks_listed;
	struct network_member *members; /* one for each namespace */
	size_t member_count, member_capacity;

	bool ttys_read;
	struct tty_range *ttys;
	size_t tty_count, tty_capacity;
};

struct machine *machine_create(struct arena *arena)
{
	struct machine *machine = allocate_zeroed(1, sizeof(*machine));
	struct stat status;

	machine->arena = arena;
	if (stat("/proc/thread-self/ns/net", &status) == 0)
		machine->own_namespace = status.st_ino;
	return machine;
}

void machine_leave_out_peers(struct machine *machine)
{
	machine->scanned = machine->networks_listed = true;
}

void machine_destroy(struct machine *machine)
{
	struct network *network, *next;

	if (!machine)
		return;
	HASH_ITER(hh, machine->networks, network, next)
	{
		sockets_destroy(network->sockets);
		close_at(&network->process);
		HASH_DEL(machine->networks, network);
	}
	HASH_CLEAR(hh, machine->commands);
	free(machine->files);
	free(machine->members);
	free(machine->found);
	free(machine->ttys);
	free(machine);
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

int machine_open_files(int process)
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
		return number == MACHINE_FUSE || number == MACHINE_PTMX;
	return !S_ISDIR(file->stx_mode) && !S_ISBLK(file->stx_mode);
}

/*
 * Adds what is of interest among the descriptors in @directory, and tells how many descriptors
 * there are of any kind. AT_STATX_DONT_SYNC keeps a network file system that does not answer from
 * holding us up. This is the hottest place of a look at all processes: opendir() would make four
 * more calls for each of them.
 */
static size_t scan_descriptors(struct machine *machine, pid_t pid, int directory)
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
		array_reserve(machine->files, machine->file_count, machine->file_capacity);
		machine->files[machine->file_count++] = (struct open_file){
			.device = makedev(file.stx_dev_major, file.stx_dev_minor),
			.inode = file.stx_ino,
			.represents = makedev(file.stx_rdev_major, file.stx_rdev_minor),
			.pid = pid,
			.fd = fd,
			.is_anonymous = !(file.stx_mode & S_IFMT),
			.readable = link.st_mode & S_IRUSR,
			.writable = link.st_mode & S_IWUSR,
		};
	}
	return count;
}

static void scan_process(struct machine *machine, int proc, const char *name, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "%.20s/fd", name);
	int own cleanup_close = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own >= 0 && scan_descriptors(machine, pid, own))
		return;
	/* Its main thread may have ended before the others. */
	int process cleanup_close = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int files cleanup_close = process < 0 ? -1 : machine_open_files(process);
	if (files >= 0)
		scan_descriptors(machine, pid, files);
	else if (errno != ENOENT && errno != ESRCH)
		machine->partial = true;
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
static void sort_files(struct machine *machine)
{
	size_t kept = 0;

	if (machine->file_count)
		qsort(machine->files, machine->file_count, sizeof(*machine->files), compare_files);
	for (size_t i = 0; i < machine->file_count; i++) {
		if (!kept || compare_files(&machine->files[kept - 1], &machine->files[i]) != 0)
			machine->files[kept++] = machine->files[i];
	}
	machine->file_count = kept;
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
	file->is_anonymous = record->is_anonymous;
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
static bool scan_by_bpf(struct machine *machine)
{
	struct file_record *records cleanup_free = NULL;
	const pid_t self = getpid();
	size_t count;

	if (failed(file_iterator_read(&records, &count)))
		return false;
	machine->files = reallocate(NULL, count + 1, sizeof(*machine->files));
	machine->file_capacity = count + 1;
	for (size_t i = 0; i < count; i++) {
		struct open_file file = {
			.pid = (pid_t)records[i].pid,
			.fd = (int)records[i].fd,
			.readable = records[i].access & FILE_RECORD_READS,
			.writable = records[i].access & FILE_RECORD_WRITES,
		};

		if (file.pid != self && identify(&records[i], &file))
			machine->files[machine->file_count++] = file;
	}
	return true;
}
#else
static bool scan_by_bpf(struct machine *machine)
{
	(void)machine;
	return false;
}
#endif

static void scan_processes(struct machine *machine, DIR *proc)
{
	const pid_t self = getpid();
	const struct dirent *entry;

	/* With hidepid=2 what one may not look into is not even listed; process 1 always is
	 * somebody else's. */
	machine->partial = faccessat(dirfd(proc), "1", F_OK, 0) < 0;
	while ((entry = readdir(proc))) {
		pid_t pid = parse_number(entry->d_name);

		if (pid > 0 && pid != self)
			scan_process(machine, dirfd(proc), entry->d_name, pid);
	}
}

static void scan(struct machine *machine)
{
	/* So many processes take longer than it takes to load a BPF program. */
	enum { MANY_PROCESSES = 100 };
	struct stat status;

	if (machine->scanned)
		return;
	machine->scanned = true;
	DIR *proc = opendir("/proc");
	if (!proc) {
		machine->partial = true;
		return;
	}
	/* fs/proc/root.c, proc_root_getattr(): its links are the processes, and some dozen more. */
	if (fstat(dirfd(proc), &status) < 0 || status.st_nlink < MANY_PROCESSES ||
		!scan_by_bpf(machine))
		scan_processes(machine, proc);
	closedir(proc);
	sort_files(machine);
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
static size_t first_of(const struct machine *machine, dev_t device, ino_t inode)
{
	size_t low = 0;

	for (size_t high = machine->file_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		const struct open_file *file = &machine->files[middle];

		if (file->device < device || (file->device == device && file->inode < inode))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct open_files machine_find(
	struct machine *machine, dev_t device, ino_t inode, enum peer_access access)
{
	scan(machine);
	if (machine->found && machine->device == device && machine->inode == inode &&
		machine->access == access)
		return (struct open_files){machine->found, machine->found_count};
	machine->device = device;
	machine->inode = inode;
	machine->access = access;
	machine->found_count = 0;
	for (size_t i = first_of(machine, device, inode); i < machine->file_count; i++) {
		const struct open_file *file = &machine->files[i];

		if (file->device != device || file->inode != inode)
			break;
		if (!has_access(file, access))
			continue;
		array_reserve(machine->found, machine->found_count, machine->found_capacity);
		machine->found[machine->found_count++] = *file;
	}
	return (struct open_files){machine->found, machine->found_count};
}

struct open_files machine_files(struct machine *machine)
{
	scan(machine);
	return (struct open_files){machine->files, machine->file_count};
}

bool machine_partial(struct machine *machine)
{
	scan(machine);
	return machine->partial;
}

const char *machine_command(struct machine *machine, pid_t pid)
{
	struct text content cleanup_text = {0};
	char path[sizeof("/proc//comm") + 11];
	struct command *command;

	HASH_FIND_INT(machine->commands, &pid, command);
	if (command)
		return command->name;
	command = arena_new(machine->arena, struct command, 1);
	command->pid = pid;
	command->name = "?";
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (!failed(file_read_record(AT_FDCWD, path, COMMAND_MAX, &content)) && content.length) {
		/* The newline at the end is the kernel's, others are the name's. */
		size_t length = content.length - (content.bytes[content.length - 1] == '\n');

		command->name = arena_strndup(machine->arena, content.bytes, length);
	}
	HASH_ADD_INT(machine->commands, pid, command);
	return command->name;
}

static struct network *find_network(struct machine *machine, int process, ino_t namespace)
{
	struct network *network;

	HASH_FIND(hh, machine->networks, &namespace, sizeof(namespace), network);
	if (!network) {
		network = arena_new(machine->arena, struct network, 1);
		network->namespace = namespace;
		network->process = -1;
		network->sockets = sockets_create(
			process, namespace == machine->own_namespace, machine->arena);
		HASH_ADD(hh, machine->networks, namespace, sizeof(namespace), network);
	}
	return network;
}

struct sockets *machine_sockets(struct machine *machine, int process)
{
	struct stat status;

	if (fstatat(process, "ns/net", &status, 0) < 0)
		return machine_own_sockets(machine);
	return find_network(machine, process, status.st_ino)->sockets;
}

struct sockets *machine_own_sockets(struct machine *machine)
{
	return find_network(machine, AT_FDCWD, machine->own_namespace)->sockets;
}

/* Finds a process of each network namespace. */
static void list_networks(struct machine *machine)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	struct stat status;
	char path[64];

	machine->networks_listed = true;
	while (proc && (entry = readdir(proc))) {
		pid_t pid = parse_number(entry->d_name);
		size_t known = 0;

		snprintf(path, sizeof(path), "%.20s/ns/net", entry->d_name);
		if (pid <= 0 || fstatat(dirfd(proc), path, &status, 0) < 0)
			continue;
		while (known < machine->member_count &&
			machine->members[known].namespace != status.st_ino)
			known++;
		if (known < machine->member_count || known == NETWORKS_MAX)
			continue;
		array_reserve(machine->members, machine->member_count, machine->member_capacity);
		machine->members[machine->member_count++] =
			(struct network_member){.namespace = status.st_ino, .pid = pid};
	}
	if (proc)
		closedir(proc);
}

struct sockets *machine_sockets_of(struct machine *machine, size_t index, int *process)
{
	char path[sizeof("/proc/") + 11];

	if (!machine->networks_listed)
		list_networks(machine);
	if (index >= machine->member_count)
		return NULL;
	struct network_member *member = &machine->members[index];
	if (!member->network) {
		snprintf(path, sizeof(path), "/proc/%d", member->pid);
		int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		member->network = find_network(machine, directory, member->namespace);
		member->network->process = directory;
	}
	*process = member->network->process;
	return member->network->sockets;
}

/* Lines of name, device's path, major, minor or FIRST-LAST, type (drivers/tty's proc_tty.c). */
static void read_ttys(struct machine *machine)
{
	struct text content cleanup_text = {0};
	char *rest, *line;

	machine->ttys_read = true;
	if (failed(file_read(AT_FDCWD, "/proc/tty/drivers", TTY_DRIVERS_SIZE_MAX, &content)))
		return;
	for (rest = content.bytes; (line = strsep(&rest, "\n"));) {
		struct tty_range range;
		int fields = sscanf(
			line, "%*s %*s %10u %10u-%10u", &range.major, &range.first, &range.last);

		if (fields < 2)
			continue;
		if (fields == 2)
			range.last = range.first;
		array_reserve(machine->ttys, machine->tty_count, machine->tty_capacity);
		machine->ttys[machine->tty_count++] = range;
	}
}

bool machine_is_tty(struct machine *machine, dev_t number)
{
	if (!machine->ttys_read)
		read_ttys(machine);
	for (size_t i = 0; i < machine->tty_count; i++) {
		const struct tty_range *range = &machine->ttys[i];

		if (range->major == major(number) && minor(number) >= range->first &&
			minor(number) <= range->last)
			return true;
	}
	/* Unix98 terminals take the majors 136 to 143, of which the file names the first. */
	return major(number) >= 136 && major(number) <= 143;
}
