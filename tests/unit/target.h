// SPDX-License-Identifier: Apache-2.0
/* Target: a child process that does one thing, for tests that look at live processes. */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collect/proc.h"
#include "util/file.h"

struct target {
	pid_t pid;
	int ready; /* it writes a byte here */
	int hold;  /* nothing ever comes out of this pipe's other end, which it may read */
};

/* In the child: says that all is set up. */
static inline void target_ready(const struct target *target)
{
	if (write(target->ready, "", 1) != 1)
		_exit(1);
}

/* Starts a child that runs @act and never returns; comes back when it has said that it is ready. */
static inline struct target target_start(void (*act)(const struct target *target))
{
	struct target target = {0};
	int ready[2], hold[2];
	char byte;

	if (pipe(ready) < 0 || pipe(hold) < 0 || (target.pid = fork()) < 0)
		abort();
	if (target.pid == 0) {
		target.ready = ready[1];
		target.hold = hold[0];
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		act(&target);
		_exit(1);
	}
	close(ready[1]);
	close(hold[0]);
	target.hold = hold[1];
	if (read(ready[0], &byte, 1) != 1)
		abort();
	close(ready[0]);
	return target;
}

/* Kills the child; its exit status. */
static inline int target_end(const struct target *target)
{
	int status = -1;

	kill(target->pid, SIGKILL);
	waitpid(target->pid, &status, __WALL);
	close(target->hold);
	return status;
}

/* The state of a thread; 0 where there is none. */
static inline char target_state(pid_t tid)
{
	struct text text cleanup_text = {0};
	struct proc_stat stat;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (failed(file_read(AT_FDCWD, path, 4096, &text)) || !text.length ||
		!proc_parse_stat(text.bytes, text.length, &stat))
		return 0;
	return stat.state;
}

/* Waits until the thread is in @state, which must come about. */
static inline void target_await(pid_t tid, char state)
{
	static const struct timespec pause = {.tv_nsec = 200 * 1000};

	for (int i = 0; i < 50000; i++) {
		if (target_state(tid) == state)
			return;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "thread %d never came to state %c\n", tid, state);
	abort();
}
