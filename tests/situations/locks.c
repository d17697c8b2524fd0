// SPDX-License-Identifier: Apache-2.0
/* File locks that a companion holds. */
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "situations.h"

/* Opens the file to lock, once a companion has taken the lock by @take on an opening of its own. */
static int contended(struct facts *facts, const char *directory, int (*take)(int fd))
{
	if (!directory)
		unsupported("needs a directory");
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/locked", directory);
	int taken[2];
	must(pipe(taken), "pipe");
	pid_t holder = fork_companion();
	if (!holder) {
		must(take(must(open(path, O_RDWR | O_CREAT, 0600), path)), "lock");
		must(write(taken[1], "", 1), "write");
		rest();
	}
	char byte;
	must(read(taken[0], &byte, 1), "read");
	close(taken[0]);
	close(taken[1]);
	int fd = must(open(path, O_RDWR), path);
	fact_number(facts, "fd", fd);
	fact_number(facts, "holder", holder);
	fact_string(facts, "path", path);
	return fd;
}

static int take_flock(int fd)
{
	return flock(fd, LOCK_EX);
}

static void run_flock(struct facts *facts, const char *argument)
{
	int fd = contended(facts, argument, take_flock);
	ready(facts, SYS_flock);
	must(flock(fd, LOCK_SH), "flock");
}

static const struct flock range = {
	.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20};

static int take_posix(int fd)
{
	return fcntl(fd, F_SETLK, &range);
}

static void run_fcntl_posix(struct facts *facts, const char *argument)
{
	int fd = contended(facts, argument, take_posix);
	ready(facts, SYS_fcntl);
	must(fcntl(fd, F_SETLKW, &range), "fcntl");
}

static int take_ofd(int fd)
{
	return fcntl(fd, F_OFD_SETLK, &range);
}

static void run_fcntl_ofd(struct facts *facts, const char *argument)
{
	int fd = contended(facts, argument, take_ofd);
	ready(facts, SYS_fcntl);
	must(fcntl(fd, F_OFD_SETLKW, &range), "fcntl");
}

const struct situation lock_situations[] = {
	{"flock", run_flock},
	{"fcntl-posix", run_fcntl_posix},
	{"fcntl-ofd", run_fcntl_ofd},
	{0},
};
