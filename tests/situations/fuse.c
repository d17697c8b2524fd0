// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that only a file system which does not answer can make wait: a companion serves a FUSE
 * file system and, once the scene is set, answers no more.
 *
 * Such a wait starts interruptible. A signal, or a tracer's stop, makes the kernel tell the server
 * (FUSE_INTERRUPT) and go on waiting uninterruptibly; it ends when the server ends.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuse_server.h"
#include "situations.h"
#include "switch.h"

static char buffer[4096];
static struct iovec pieces[] = {{buffer, 100}, {buffer + 100, 200}};

static struct hung mount_scene(struct facts *facts, const char *directory, bool cached)
{
	struct hung hung = mount_hung(directory, -1, cached);
	fact_number(facts, "fd", hung.file);
	fact_number(facts, "server", hung.server);
	fact_string(facts, "path", hung.path);
	return hung;
}

/* A file of a file system that answers nothing from here on. */
static int hung_file(struct facts *facts, const char *directory, long number)
{
	struct hung hung = mount_scene(facts, directory, false);
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

/* By way of the page cache, whose functions tell no file system. */
static void run_read(struct facts *facts, const char *argument)
{
	struct hung hung = mount_scene(facts, argument, true);
	atomic_store(hung.silent, SILENT);
	ready(facts, SYS_read);
	must((int)read(hung.file, buffer, 100), "read");
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
	struct hung hung = mount_scene(facts, argument, false);
	atomic_store(hung.silent, SILENT);
	ready(facts, SYS_mount);
	must(mount("none", hung.path, "tmpfs", MS_RDONLY, NULL), "mount");
}

static void run_openat(struct facts *facts, const char *argument)
{
	struct hung hung = mount_scene(facts, argument, false);
	atomic_store(hung.silent, SILENT);
	ready(facts, SYS_openat);
	must(open(hung.path, O_RDONLY), "open");
}

/*
 * A program on a server that answers for its attributes and no more reads: what of it is not in the
 * page cache is gone. Executed, it gets the switch for @argument.
 */
static void run_program(struct facts *facts, const char *argument)
{
	if (argument && argument[0] != '/') {
		ready(facts, PAUSE_CALL);
		atomic_store(map_switch(atoi(argument)), SILENT_ON_READS);
		pause();
		return;
	}
	int image = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "/proc/self/exe");
	struct hung hung = mount_hung(argument, image, true);
	char switch_file[12];
	snprintf(switch_file, sizeof switch_file, "%d", hung.switch_file);
	close(hung.file); /* what is open for writing can't be executed */
	must(execl(hung.path, hung.path, "fuse-program", switch_file, NULL), hung.path);
}

/* Debug files are sought on a file system that answers nothing. */
static void run_debug(struct facts *facts, const char *argument)
{
	struct hung hung = mount_scene(facts, argument, false);
	if (mount(argument, "/usr/lib/debug", NULL, MS_BIND, NULL) < 0)
		unsupported("a mount on /usr/lib/debug");
	atomic_store(hung.silent, SILENT);
	ready(facts, PAUSE_CALL);
	pause();
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
	struct hung hung = mount_scene(facts, argument, false);
	close(hung.file); /* what is open for writing can't be executed */
	atomic_store(hung.silent, SILENT_ON_READS);
	start_thread(execute, hung.path);
	while (!executing)
		usleep(100);
	await_syscall(executing, SYS_execve);
	fact_number(facts, "executing", executing);
	ready(facts, PAUSE_CALL);
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
	struct hung hung = mount_scene(facts, argument, false);
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
	struct hung hung = mount_scene(facts, argument, false);
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
	must(pwrite(*file, buffer, 100, HUNG_FILE_SIZE), "pwrite");
	rest();
}

/* The same of a read-write lock: of the file, which a write beyond its end has alone. */
static void run_kernel_rwsem(struct facts *facts, const char *argument)
{
	struct hung hung = mount_scene(facts, argument, false);
	atomic_store(hung.silent, SILENT);
	start_thread(extend, &hung.file);
	while (!writer)
		usleep(100);
	await_syscall(writer, SYS_pwrite64);
	fact_number(facts, "holder", writer);
	ready(facts, SYS_pwrite64);
	must(pwrite(hung.file, buffer, 100, HUNG_FILE_SIZE), "pwrite");
}

const struct situation fuse_situations[] = {
	{"fuse-fsync", run_fsync},
	{"fuse-fdatasync", run_fdatasync},
	{"fuse-pread64", run_pread64},
	{"fuse-pwrite64", run_pwrite64},
	{"fuse-read", run_read},
	{"fuse-preadv", run_preadv},
	{"fuse-pwritev", run_pwritev},
	{"fuse-ioctl", run_ioctl},
	{"fuse-mount", run_mount},
	{"fuse-openat", run_openat},
	{"fuse-mmap", run_mmap},
	{"fuse-program", run_program},
	{"fuse-execve", run_execve},
	{"fuse-debug", run_debug},
	{"on-kernel-mutex", run_kernel_mutex},
	{"on-kernel-rwsem", run_kernel_rwsem},
	{0},
};
