// SPDX-License-Identifier: Apache-2.0
/* Waiting for several descriptors at once. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

/* What is waited for: the reading end of a pipe, a listening socket, an eventfd. */
struct watched {
	int pipe, socket, event;
};

static struct watched watch(struct facts *facts)
{
	int ends[2], port;
	must(pipe(ends), "pipe");
	struct watched watched = {
		.pipe = ends[0],
		.socket = listen_loopback(AF_INET, 5, &port),
		.event = must(eventfd(0, 0), "eventfd"),
	};
	fact_number(facts, "pipe", watched.pipe);
	fact_number(facts, "socket", watched.socket);
	fact_number(facts, "event", watched.event);
	fact_number(facts, "port", port);
	return watched;
}

static void pollfds(struct facts *facts, struct pollfd fds[3])
{
	struct watched watched = watch(facts);
	fds[0] = (struct pollfd){watched.pipe, POLLIN, 0};
	fds[1] = (struct pollfd){watched.socket, POLLIN | POLLPRI, 0};
	fds[2] = (struct pollfd){watched.event, POLLIN, 0};
}

static void run_poll(struct facts *facts, const char *argument)
{
	(void)argument;
	struct pollfd fds[3];
	pollfds(facts, fds);
	ready(facts, POLL_CALL);
	must(TEMP_FAILURE_RETRY(poll(fds, 3, -1)), "poll");
}

static void run_poll_timeout(struct facts *facts, const char *argument)
{
	(void)argument;
	struct pollfd fds[3];
	pollfds(facts, fds);
	ready(facts, POLL_CALL);
	must(TEMP_FAILURE_RETRY(poll(fds, 3, 3599 * 1000)), "poll");
}

/* Nothing to wait for but time: a sleep by other means. */
static void run_poll_nothing(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, POLL_CALL);
	must(TEMP_FAILURE_RETRY(poll(NULL, 0, 3599 * 1000)), "poll");
}

static void run_ppoll(struct facts *facts, const char *argument)
{
	(void)argument;
	struct pollfd fds[3];
	pollfds(facts, fds);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	struct timespec timeout = {3599, 500000000};
	ready(facts, SYS_ppoll);
	must(TEMP_FAILURE_RETRY(ppoll(fds, 3, &timeout, &mask)), "ppoll");
}

static int set(struct facts *facts, fd_set *readable, fd_set *writable)
{
	struct watched watched = watch(facts);
	FD_ZERO(readable);
	FD_ZERO(writable);
	FD_SET(watched.pipe, readable);
	FD_SET(watched.socket, readable);
	/* A full eventfd, so that waiting to write to it blocks. */
	must(eventfd_write(watched.event, ~0ull - 1), "eventfd_write");
	FD_SET(watched.event, writable);
	return watched.event + 1;
}

static void run_select(struct facts *facts, const char *argument)
{
	(void)argument;
#ifdef SYS_select
	fd_set readable, writable;
	int count = set(facts, &readable, &writable);
	struct timeval timeout = {3599, 0};
	ready(facts, SYS_select);
	must(TEMP_FAILURE_RETRY(syscall(SYS_select, count, &readable, &writable, NULL, &timeout)),
		"select");
#else
	(void)facts;
	(void)set;
	unsupported("select");
#endif
}

static void run_pselect6(struct facts *facts, const char *argument)
{
	(void)argument;
	fd_set readable, writable;
	int count = set(facts, &readable, &writable);
	ready(facts, SYS_pselect6);
	must(TEMP_FAILURE_RETRY(pselect(count, &readable, &writable, NULL, NULL, NULL)), "pselect");
}

static int epoll(struct facts *facts)
{
	struct watched watched = watch(facts);
	int fd = must(epoll_create1(0), "epoll_create1");
	int watch[] = {watched.pipe, watched.socket, watched.event};
	for (int i = 0; i < 3; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = watch[i]};
		must(epoll_ctl(fd, EPOLL_CTL_ADD, watch[i], &event), "epoll_ctl");
	}
	fact_number(facts, "fd", fd);
	return fd;
}

static void run_epoll_wait(struct facts *facts, const char *argument)
{
	(void)argument;
#ifdef SYS_epoll_wait
	int fd = epoll(facts);
	struct epoll_event events[8];
	ready(facts, SYS_epoll_wait);
	must(TEMP_FAILURE_RETRY(syscall(SYS_epoll_wait, fd, events, 8, -1)), "epoll_wait");
#else
	(void)facts;
	unsupported("epoll_wait");
#endif
}

static void run_epoll_pwait(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = epoll(facts);
	struct epoll_event events[8];
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	ready(facts, SYS_epoll_pwait);
	must(TEMP_FAILURE_RETRY(epoll_pwait(fd, events, 8, 3599 * 1000, &mask)), "epoll_pwait");
}

static void run_epoll_pwait2(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = epoll(facts);
	struct epoll_event events[8];
	struct timespec timeout = {3599, 0};
	ready(facts, SYS_epoll_pwait2);
	if (TEMP_FAILURE_RETRY(syscall(SYS_epoll_pwait2, fd, events, 8, &timeout, NULL, 0)) < 0)
		unsupported("epoll_pwait2");
}

const struct situation poll_situations[] = {
	{"poll", run_poll},
	{"poll-timeout", run_poll_timeout},
	{"poll-nothing", run_poll_nothing},
	{"ppoll", run_ppoll},
	{"select", run_select},
	{"pselect6", run_pselect6},
	{"epoll_wait", run_epoll_wait},
	{"epoll_pwait", run_epoll_pwait},
	{"epoll_pwait2", run_epoll_pwait2},
	{0},
};
