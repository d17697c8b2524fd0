// SPDX-License-Identifier: Apache-2.0
/* Pipes and FIFOs: reading an empty one, writing to a full one, opening one that nobody else has.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "situations.h"

/*
 * The reading (or writing) end of a pipe whose other end only a companion holds, which rests.
 */
static int pipe_with_peer(struct facts *facts, bool reading)
{
	int ends[2];
	must(pipe(ends), "pipe");
	int mine = ends[reading ? 0 : 1], theirs = ends[reading ? 1 : 0];
	pid_t peer = fork_companion();
	if (!peer) {
		close(mine);
		rest();
	}
	close(theirs);
	if (!reading)
		fill(mine);
	fact_number(facts, "fd", mine);
	fact_number(facts, "peer", peer);
	struct stat status;
	must(fstat(mine, &status), "fstat");
	fact_number(facts, "inode", status.st_ino);
	return mine;
}

static char buffer[4096];
static struct iovec pieces[] = {{buffer, 100}, {buffer + 100, 200}};

static void run_read_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, true);
	fact_address(facts, "buffer", buffer);
	ready(facts, SYS_read);
	must(read(fd, buffer, 100), "read");
}

static void run_readv_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, true);
	ready(facts, SYS_readv);
	must(readv(fd, pieces, 2), "readv");
}

static void run_preadv2_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, true);
	ready(facts, SYS_preadv2);
	must(syscall(SYS_preadv2, fd, pieces, 2, -1L, -1L, 0), "preadv2");
}

static void run_write_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, false);
	ready(facts, SYS_write);
	must(write(fd, "two\nlines", 9), "write");
}

static void run_writev_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, false);
	ready(facts, SYS_writev);
	must(writev(fd, pieces, 2), "writev");
}

static void run_pwritev2_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, false);
	ready(facts, SYS_pwritev2);
	must(syscall(SYS_pwritev2, fd, pieces, 2, -1L, -1L, 0), "pwritev2");
}

/* Nobody else has the other end: the writer is the reader itself. */
static void run_read_own_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int ends[2];
	must(pipe(ends), "pipe");
	fact_number(facts, "fd", ends[0]);
	fact_number(facts, "writer", ends[1]);
	ready(facts, SYS_read);
	must(read(ends[0], buffer, sizeof buffer), "read");
}

static void run_splice_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, true);
	int sink = must(open("/dev/null", O_WRONLY), "/dev/null");
	fact_number(facts, "sink", sink);
	ready(facts, SYS_splice);
	must(splice(fd, NULL, sink, NULL, 4096, 0), "splice");
}

static void run_vmsplice_pipe(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = pipe_with_peer(facts, false);
	ready(facts, SYS_vmsplice);
	must(vmsplice(fd, pieces, 2, 0), "vmsplice");
}

static void run_sendfile_socket(struct facts *facts, const char *argument)
{
	(void)argument;
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	char path[] = "/tmp/whystuck-sendfile-XXXXXX";
	int file = must(mkstemp(path), "mkstemp");
	must(unlink(path), "unlink");
	must(ftruncate(file, 1 << 20), "ftruncate");
	fill(ends[0]);
	fact_number(facts, "fd", ends[0]);
	fact_number(facts, "file", file);
	fact_string(facts, "path", path);
	ready(facts, SYS_sendfile);
	/* What a tracer's stop interrupts may have sent a part, before Linux 6.1 at least. */
	for (;;)
		must(TEMP_FAILURE_RETRY(sendfile(ends[0], file, NULL, 1 << 20)), "sendfile");
}

/* The FIFO in the directory that the command line gives. */
static void make_fifo(struct facts *facts, const char *directory, char *path)
{
	if (!directory)
		unsupported("needs a directory");
	snprintf(path, PATH_MAX, "%s/fifo", directory);
	must(mkfifo(path, 0600), "mkfifo");
	fact_string(facts, "path", path);
}

static void run_open_fifo_read(struct facts *facts, const char *argument)
{
	char path[PATH_MAX];
	make_fifo(facts, argument, path);
	ready(facts, SYS_openat);
	must(open(path, O_RDONLY), "open");
}

static void run_open_fifo_write(struct facts *facts, const char *argument)
{
	char path[PATH_MAX];
	make_fifo(facts, argument, path);
	ready(facts, SYS_openat);
	must(open(path, O_WRONLY | O_CLOEXEC), "open");
}

static void run_read_fifo(struct facts *facts, const char *argument)
{
	char path[PATH_MAX];
	make_fifo(facts, argument, path);
	pid_t peer = fork_companion();
	if (!peer) {
		must(open(path, O_WRONLY), "open");
		rest();
	}
	int fd = must(open(path, O_RDONLY), "open");
	fact_number(facts, "fd", fd);
	fact_number(facts, "peer", peer);
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

const struct situation pipe_situations[] = {
	{"read-pipe", run_read_pipe},
	{"readv-pipe", run_readv_pipe},
	{"preadv2-pipe", run_preadv2_pipe},
	{"write-pipe", run_write_pipe},
	{"writev-pipe", run_writev_pipe},
	{"pwritev2-pipe", run_pwritev2_pipe},
	{"read-own-pipe", run_read_own_pipe},
	{"splice-pipe", run_splice_pipe},
	{"vmsplice-pipe", run_vmsplice_pipe},
	{"sendfile-socket", run_sendfile_socket},
	{"open-fifo-read", run_open_fifo_read},
	{"open-fifo-write", run_open_fifo_write},
	{"read-fifo", run_read_fifo},
	{0},
};
