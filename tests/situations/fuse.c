// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that only a file system which does not answer can make wait: a companion serves a FUSE
 * file system of one file (include/uapi/linux/fuse.h) and, once the scene is set, answers no more.
 *
 * Such a wait starts interruptible. A signal, or a tracer's stop, makes the kernel tell the server
 * (FUSE_INTERRUPT) and go on waiting uninterruptibly; it ends when the server ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "situations.h"

#define FILE_NODE 2
#define FILE_SIZE 65536

/* Since Linux 6.6, include/uapi/linux/fuse.h; as bits of flags2. */
#define DIRECT_IO_ALLOW_MMAP (1u << (36 - 32))

/* How much the server keeps to itself. */
enum { SILENT_ON_NOTHING, SILENT_ON_READS, SILENT };

static char buffer[4096];
static struct iovec pieces[] = {{buffer, 100}, {buffer + 100, 200}};

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
		.size = node == FUSE_ROOT_ID ? 0 : FILE_SIZE,
	};
}

static void answer(int fd, uint64_t unique, int error, const void *body, size_t size)
{
	struct fuse_out_header header = {
		.len = sizeof header + size,
		.error = -error,
		.unique = unique,
	};
	struct iovec parts[] = {{&header, sizeof header}, {(void *)body, size}};
	must(writev(fd, parts, 2), "answer a FUSE request");
}

/* Serves the request in @request, unless the scene is set or nobody may ever hear of it. */
static void serve_one(int fd, const struct fuse_in_header *request, const char *body, int silent)
{
	if (silent == SILENT || (silent == SILENT_ON_READS && request->opcode == FUSE_READ))
		return;
	if (request->opcode == FUSE_INIT) {
		const struct fuse_init_in *theirs = (const void *)body;
		struct fuse_init_out ours = {
			.major = FUSE_KERNEL_VERSION,
			.minor = FUSE_KERNEL_MINOR_VERSION,
			.max_readahead = theirs->max_readahead,
			.max_write = 4096,
			.flags = FUSE_INIT_EXT,
			.flags2 = DIRECT_IO_ALLOW_MMAP,
		};
		answer(fd, request->unique, 0, &ours, sizeof ours);
	} else if (request->opcode == FUSE_GETATTR) {
		struct fuse_attr_out out = {.attr = attributes(request->nodeid)};
		answer(fd, request->unique, 0, &out, sizeof out);
	} else if (request->opcode == FUSE_LOOKUP && !strcmp(body, "file")) {
		struct fuse_entry_out out = {.nodeid = FILE_NODE, .attr = attributes(FILE_NODE)};
		answer(fd, request->unique, 0, &out, sizeof out);
	} else if (request->opcode == FUSE_OPEN) {
		struct fuse_open_out out = {
			.open_flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES};
		answer(fd, request->unique, 0, &out, sizeof out);
	} else if (request->opcode != FUSE_FORGET && request->opcode != FUSE_BATCH_FORGET) {
		answer(fd, request->unique, ENOSYS, NULL, 0);
	}
}

static void serve(int fd, atomic_int *silent)
{
	static _Alignas(struct fuse_in_header) char request[FUSE_MIN_READ_BUFFER * 2];
	for (;;) {
		ssize_t length = read(fd, request, sizeof request - 1);
		if (length < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (length < (ssize_t)sizeof(struct fuse_in_header))
			_exit(EXIT_SUCCESS);
		request[length] = '\0';
		serve_one(fd, (const void *)request, request + sizeof(struct fuse_in_header),
			atomic_load(silent));
	}
}

/* A mounted file system that is about to fall silent. */
struct hung {
	char path[PATH_MAX]; /* of its one file */
	int file;            /* the same, open */
	atomic_int *silent;
};

static struct hung mount_hung(struct facts *facts, const char *directory)
{
	if (!directory)
		unsupported("needs a directory");
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		unsupported("/dev/fuse");
	/* A namespace of its own, so that the mount ends with its processes. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		unsupported("unshare(CLONE_NEWNS)");
	char options[100];
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("whystuck", directory, "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		unsupported("mount of a FUSE file system");

	struct hung hung;
	hung.silent = mmap(NULL, sizeof *hung.silent, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (hung.silent == MAP_FAILED)
		unsupported("mmap");
	pid_t server = fork_companion();
	if (!server)
		serve(device, hung.silent);
	close(device);
	snprintf(hung.path, sizeof hung.path, "%s/file", directory);
	hung.file = must(open(hung.path, O_RDWR), hung.path);
	fact_number(facts, "fd", hung.file);
	fact_number(facts, "server", server);
	fact_string(facts, "path", hung.path);
	return hung;
}

/* A file of a file system that answers nothing from here on. */
static int hung_file(struct facts *facts, const char *directory, long number)
{
	struct hung hung = mount_hung(facts, directory);
	atomic_store(hung.silent, SILENT);
	ready(facts, number);
	return hung.file;
}

static void run_fsync(struct facts *facts, const char *argument)
{
	must(fsync(hung_file(facts, argument, SYS_fsync)), "fsync");
}

static void run_fdatasync(struct facts *facts, const char *argument)
{
	must(fdatasync(hung_file(facts, argument, SYS_fdatasync)), "fdatasync");
}

static void run_pread64(struct facts *facts, const char *argument)
{
	must(pread(hung_file(facts, argument, SYS_pread64), buffer, 100, 4096), "pread");
}

static void run_pwrite64(struct facts *facts, const char *argument)
{
	must(pwrite(hung_file(facts, argument, SYS_pwrite64), buffer, 100, 4096), "pwrite");
}

static void run_preadv(struct facts *facts, const char *argument)
{
	must(preadv(hung_file(facts, argument, SYS_preadv), pieces, 2, 4096), "preadv");
}

static void run_pwritev(struct facts *facts, const char *argument)
{
	must(pwritev(hung_file(facts, argument, SYS_pwritev), pieces, 2, 4096), "pwritev");
}

static void run_ioctl(struct facts *facts, const char *argument)
{
	int result;
	must(ioctl(hung_file(facts, argument, SYS_ioctl), _IOR('w', 5, int), &result), "ioctl");
}

static void run_mount(struct facts *facts, const char *argument)
{
	struct hung hung = mount_hung(facts, argument);
	atomic_store(hung.silent, SILENT);
	ready(facts, SYS_mount);
	must(mount("none", hung.path, "tmpfs", MS_RDONLY, NULL), "mount");
}

static void run_openat(struct facts *facts, const char *argument)
{
	struct hung hung = mount_hung(facts, argument);
	atomic_store(hung.silent, SILENT);
	ready(facts, SYS_openat);
	must(open(hung.path, O_RDONLY), "open");
}

static atomic_int executing;

static void *execute(void *data)
{
	const char *path = data;
	executing = gettid();
	must(execl(path, path, NULL), "exec");
	return NULL;
}

/*
 * An exec that waits for the program's first page holds a lock of the process's for which every
 * tracer of any of its threads waits (fs/exec.c, prepare_bprm_creds(): cred_guard_mutex).
 */
static void run_execve(struct facts *facts, const char *argument)
{
	struct hung hung = mount_hung(facts, argument);
	close(hung.file); /* what is open for writing can't be executed */
	atomic_store(hung.silent, SILENT_ON_READS);
	start_thread(execute, hung.path);
	while (!executing)
		usleep(100);
	await_syscall(executing, SYS_execve);
	fact_number(facts, "executing", executing);
	ready(facts, SYS_pause);
	pause();
}

static atomic_int writer;

static void *write_for_ever(void *data)
{
	const int *file = data;
	writer = gettid();
	must(pwrite(*file, buffer, 100, 0), "pwrite");
	rest();
}

/*
 * A mapping of a file that is written to directly has to wait for the end of the write, and holds
 * the lock of the whole address space meanwhile (fs/fuse/iomode.c, fuse_file_cached_io_open(),
 * since Linux 6.9): nobody can read the process's memory or its list of mappings.
 */
static void run_mmap(struct facts *facts, const char *argument)
{
	struct hung hung = mount_hung(facts, argument);
	atomic_store(hung.silent, SILENT);
	start_thread(write_for_ever, &hung.file);
	while (!writer)
		usleep(100);
	await_syscall(writer, SYS_pwrite64);
	fact_number(facts, "writer", writer);
	ready(facts, SYS_mmap);
	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, hung.file, 0) == MAP_FAILED)
		unsupported("mmap of such a file");
}

static void *read_for_ever(void *data)
{
	const int *file = data;
	writer = gettid();
	must(read(*file, buffer, 100), "read");
	rest();
}

/*
 * Two reads of one open file: the first has its position's mutex for as long as the server does not
 * answer, the second waits for that (fs/file.c, fdget_pos()).
 */
static void run_kernel_mutex(struct facts *facts, const char *argument)
{
	struct hung hung = mount_hung(facts, argument);
	int other = must(dup(hung.file), "dup");
	atomic_store(hung.silent, SILENT);
	start_thread(read_for_ever, &other);
	while (!writer)
		usleep(100);
	await_syscall(writer, SYS_read);
	fact_number(facts, "holder", writer);
	ready(facts, SYS_read);
	must(read(hung.file, buffer, 100), "read");
}

static void *extend(void *data)
{
	const int *file = data;
	writer = gettid();
	must(pwrite(*file, buffer, 100, FILE_SIZE), "pwrite");
	rest();
}

/* The same of a read-write lock: of the file, which a write beyond its end has alone. */
static void run_kernel_rwsem(struct facts *facts, const char *argument)
{
	struct hung hung = mount_hung(facts, argument);
	atomic_store(hung.silent, SILENT);
	start_thread(extend, &hung.file);
	while (!writer)
		usleep(100);
	await_syscall(writer, SYS_pwrite64);
	fact_number(facts, "holder", writer);
	ready(facts, SYS_pwrite64);
	must(pwrite(hung.file, buffer, 100, FILE_SIZE), "pwrite");
}

const struct situation fuse_situations[] = {
	{"fuse-fsync", run_fsync},
	{"fuse-fdatasync", run_fdatasync},
	{"fuse-pread64", run_pread64},
	{"fuse-pwrite64", run_pwrite64},
	{"fuse-preadv", run_preadv},
	{"fuse-pwritev", run_pwritev},
	{"fuse-ioctl", run_ioctl},
	{"fuse-mount", run_mount},
	{"fuse-openat", run_openat},
	{"fuse-mmap", run_mmap},
	{"fuse-execve", run_execve},
	{"on-kernel-mutex", run_kernel_mutex},
	{"on-kernel-rwsem", run_kernel_rwsem},
	{0},
};
