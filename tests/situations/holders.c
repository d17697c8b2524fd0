// SPDX-License-Identifier: Apache-2.0
/* Who is waited on: scenes with more than one candidate, of which some must not be named. */
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "situations.h"

static int created(struct facts *facts, const char *directory)
{
	if (!directory)
		unsupported("needs a directory");
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/locked", directory);
	fact_string(facts, "path", path);
	return must(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), path);
}

/* An opening of its own of what @fd is. */
static int opened_anew(int fd)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return must(open(path, O_RDWR | O_CLOEXEC), path);
}

static void take_shared(int fd)
{
	int own = opened_anew(fd);
	close(fd);
	must(flock(own, LOCK_SH), "flock");
}

static void only_open(int fd)
{
	opened_anew(fd);
	close(fd);
}

/* Two have it shared, a third only has the file open: each of the two keeps the writer out. */
static void run_flock_readers(struct facts *facts, const char *argument)
{
	int fd = created(facts, argument);
	fact_number(facts, "first", prepared_companion(fd, take_shared));
	fact_number(facts, "second", prepared_companion(fd, take_shared));
	fact_number(facts, "bystander", prepared_companion(fd, only_open));
	ready(facts, SYS_flock);
	must(flock(fd, LOCK_EX), "flock");
}

static void keep(int fd)
{
	(void)fd;
}

/* The lock is of an open file description that two processes share; neither has it alone. */
static void run_flock_inherited(struct facts *facts, const char *argument)
{
	int fd = created(facts, argument);
	int taken = opened_anew(fd);
	must(flock(taken, LOCK_EX), "flock");
	fact_number(facts, "first", prepared_companion(fd, keep));
	fact_number(facts, "second", prepared_companion(fd, keep));
	close(taken);
	ready(facts, SYS_flock);
	must(flock(fd, LOCK_EX), "flock");
}

/* Whoever took the lock has ended; the one that it handed the descriptor on to goes on. */
static void run_flock_taker_ended(struct facts *facts, const char *argument)
{
	int fd = created(facts, argument), told[2], life[2];
	must(pipe(told), "pipe");
	must(pipe(life), "pipe");
	pid_t taker = must(fork(), "fork"), heir;
	if (!taker) {
		must(flock(opened_anew(fd), LOCK_EX), "flock");
		heir = must(fork(), "fork");
		if (heir) {
			must(write(told[1], &heir, sizeof heir), "write");
			_exit(0);
		}
		/* It is nobody's child then: it ends when the other end of the pipe is closed. */
		char byte;
		close(STDOUT_FILENO);
		close(life[1]);
		_exit(read(life[0], &byte, 1) != 0);
	}
	close(life[0]);
	must(waitpid(taker, NULL, 0), "waitpid");
	must(read(told[0], &heir, sizeof heir), "read");
	fact_number(facts, "taker", taker);
	fact_number(facts, "heir", heir);
	ready(facts, SYS_flock);
	must(flock(fd, LOCK_SH), "flock");
}

static void take_range(int fd, short type, off_t start, off_t length)
{
	const struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	must(fcntl(fd, F_SETLK, &range), "fcntl");
}

static void take_beginning(int fd)
{
	take_range(fd, F_WRLCK, 0, 100);
}

static void take_rest(int fd)
{
	take_range(fd, F_RDLCK, 200, 0);
}

static void take_middle(int fd)
{
	take_range(fd, F_RDLCK, 150, 10);
}

/* Of three that have locks on the file only one has bytes that are asked for. */
static void run_posix_ranges(struct facts *facts, const char *argument)
{
	int fd = created(facts, argument);
	fact_number(facts, "beginning", prepared_companion(fd, take_beginning));
	fact_number(facts, "middle", prepared_companion(fd, take_middle));
	fact_number(facts, "end", prepared_companion(fd, take_rest));
	const struct flock wanted = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 60};
	ready(facts, SYS_fcntl);
	must(fcntl(fd, F_SETLKW, &wanted), "fcntl");
}

/* An open file description's lock that a process's is in the way of. */
static void run_ofd_and_posix(struct facts *facts, const char *argument)
{
	int fd = created(facts, argument);
	fact_number(facts, "holder", prepared_companion(fd, take_beginning));
	const struct flock mine = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 50};
	must(fcntl(fd, F_OFD_SETLK, &mine), "fcntl");
	const struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	ready(facts, SYS_fcntl);
	must(fcntl(fd, F_OFD_SETLKW, &wanted), "fcntl");
}

static void leave_group(int fd)
{
	(void)fd;
	must(setpgid(0, 0), "setpgid");
}

/* One child of the process group, one of another. */
static void run_wait4_group(struct facts *facts, const char *argument)
{
	(void)argument;
	fact_number(facts, "child", prepared_companion(-1, keep));
	fact_number(facts, "other", prepared_companion(-1, leave_group));
	ready(facts, SYS_wait4);
	must(waitpid(0, NULL, 0), "waitpid");
}

/* Two children live, one has its status taken already. */
static void run_wait4_children(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t ended = must(fork(), "fork");
	if (!ended)
		_exit(0);
	must(waitpid(ended, NULL, 0), "waitpid");
	fact_number(facts, "ended", ended);
	fact_number(facts, "first", prepared_companion(-1, keep));
	fact_number(facts, "second", prepared_companion(-1, keep));
	ready(facts, SYS_wait4);
	must(waitpid(-1, NULL, 0), "waitpid");
}

const struct situation holder_situations[] = {
	{"on-flock-readers", run_flock_readers},
	{"on-flock-inherited", run_flock_inherited},
	{"on-flock-taker-ended", run_flock_taker_ended},
	{"on-posix-ranges", run_posix_ranges},
	{"on-ofd-and-posix", run_ofd_and_posix},
	{"on-wait4-group", run_wait4_group},
	{"on-wait4-children", run_wait4_children},
	{0},
};
