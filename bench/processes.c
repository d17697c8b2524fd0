// SPDX-License-Identifier: Apache-2.0
/*
 * processes COUNT: fills a machine with processes that wait for ordinary things: a signal, a pipe,
 * a descriptor to become ready, the clock. Prints a line when all have been started; ends them all
 * when its standard input ends. They end with it, whatever ends it.
 */
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for_signal(int fd)
{
	(void)fd;
	pause();
}

static void wait_for_pipe(int fd)
{
	char byte;

	if (read(fd, &byte, 1) < 0)
		err(EXIT_FAILURE, "read");
}

static void wait_for_poll(int fd)
{
	struct pollfd interest = {fd, POLLIN, 0};

	poll(&interest, 1, -1);
}

static void wait_for_epoll(int fd)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err(EXIT_FAILURE, "epoll");
	epoll_wait(epoll, &event, 1, -1);
}

static void wait_for_clock(int fd)
{
	(void)fd;
	sleep(3600);
}

static void (*const waits[])(int fd) = {
	wait_for_signal,
	wait_for_pipe,
	wait_for_poll,
	wait_for_epoll,
	wait_for_clock,
};

/* @gate is closed by none but its writer; the child says by @ready that it is there. */
static void live(pid_t parent, size_t number, int gate, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	close(ready);
	for (;;)
		waits[number % (sizeof waits / sizeof *waits)](gate);
}

static void end(const pid_t *children, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kill(children[i], SIGKILL);
	for (size_t i = 0; i < count; i++)
		waitpid(children[i], NULL, 0);
}

int main(int argc, char **argv)
{
	long count = argc == 2 ? atol(argv[1]) : 0;
	pid_t parent = getpid();
	int gate[2], ready[2];
	char byte;

	if (count < 1)
		errx(EXIT_FAILURE, "usage: processes COUNT");
	pid_t *children = calloc((size_t)count, sizeof(*children));
	if (!children || pipe(gate) || pipe(ready))
		err(EXIT_FAILURE, "setting up");
	for (long i = 0; i < count; i++) {
		children[i] = fork();
		if (children[i] < 0) {
			warn("fork");
			end(children, (size_t)i);
			return EXIT_FAILURE;
		}
		if (!children[i]) {
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
			close(gate[1]);
			close(ready[0]);
			live(parent, (size_t)i, gate[0], ready[1]);
		}
	}
	for (long i = 0; i < count; i++) {
		if (read(ready[0], &byte, 1) != 1)
			err(EXIT_FAILURE, "a process did not start");
	}
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	end(children, (size_t)count);
	return EXIT_SUCCESS;
}
