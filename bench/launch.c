// SPDX-License-Identifier: Apache-2.0
/*
 * launch COMMAND...: runs a command to nowhere and prints what it cost, on one line: wall time,
 * CPU time in user mode and in the kernel (its own and that of children it waited for), all in
 * ns, the most memory it had, in KiB, and its exit status.
 *
 * A small program of its own, because a fork of an interpreter takes as long as a whole look, and
 * because its size would count as the command's: what a process has at execve() goes into
 * ru_maxrss (fs/exec.c, exec_mmap()).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long ns(const struct timeval *time)
{
	return time->tv_sec * 1000000000LL + time->tv_usec * 1000LL;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status;
	pid_t child;

	if (argc < 2)
		errx(EXIT_FAILURE, "usage: launch COMMAND...");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);

	long long began = now_ns();
	errno = posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ);
	if (errno)
		err(EXIT_FAILURE, "%s", argv[1]);
	if (wait4(child, &status, 0, &usage) != child)
		err(EXIT_FAILURE, "wait4");
	long long wall = now_ns() - began;

	printf("%lld %lld %lld %ld %d\n", wall, ns(&usage.ru_utime), ns(&usage.ru_stime),
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return EXIT_SUCCESS;
}
