// SPDX-License-Identifier: Apache-2.0
/* Target: a child process that has made something and waits, for tests of collect/. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET_FDS 8

struct target {
	pid_t pid;
	int fds[TARGET_FDS]; /* what make() left here */
};

/*
 * A child named @name that has called @make, which may be told by @argument what to make, and
 * stores descriptors in its array. A negative first element means that it could not, and why.
 */
static inline struct target target_start(
	const char *name, void (*make)(int *fds, const void *argument), const void *argument)
{
	struct target target = {0};
	int ends[2];

	if (pipe(ends) < 0)
		abort();
	fflush(NULL);
	target.pid = fork();
	if (target.pid < 0)
		abort();
	if (target.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		close(ends[0]);
		make(target.fds, argument);
		if (write(ends[1], target.fds, sizeof(target.fds)) < 0)
			_exit(1);
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	if (read(ends[0], target.fds, sizeof(target.fds)) != sizeof(target.fds))
		abort();
	/* Until the child has closed its end as well, and has just what it made. */
	if (read(ends[0], &(char){0}, 1) != 0)
		abort();
	close(ends[0]);
	return target;
}

static inline void target_end(struct target *target)
{
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
}
#define cleanup_target __attribute__((cleanup(target_end), unused))
