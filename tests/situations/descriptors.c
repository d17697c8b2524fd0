// SPDX-License-Identifier: Apache-2.0
/* Descriptors that are neither pipes nor sockets, and one process that has every kind open. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "situations.h"

static char buffer[4096];

static void read_from(struct facts *facts, int fd)
{
	fact_number(facts, "fd", fd);
	ready(facts, SYS_read);
	must(TEMP_FAILURE_RETRY(read(fd, buffer, sizeof buffer)), "read");
}

static void run_eventfd(struct facts *facts, const char *argument)
{
	(void)argument;
	read_from(facts, must(eventfd(0, EFD_CLOEXEC), "eventfd"));
}

static int timer(void)
{
	int fd = must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
	struct itimerspec within_an_hour = {.it_value = {3599, 0}};
	must(timerfd_settime(fd, 0, &within_an_hour, NULL), "timerfd_settime");
	return fd;
}

static void run_timerfd(struct facts *facts, const char *argument)
{
	(void)argument;
	read_from(facts, timer());
}

static int signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return must(signalfd(-1, &set, 0), "signalfd");
}

static void run_signalfd(struct facts *facts, const char *argument)
{
	(void)argument;
	read_from(facts, signals());
}

static void run_inotify(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = must(inotify_init1(0), "inotify_init1");
	must(inotify_add_watch(fd, "/proc/self", IN_DELETE_SELF), "inotify_add_watch");
	read_from(facts, fd);
}

/* The slave of a new pseudo terminal, in raw mode as far as waiting goes. */
static int terminal(struct facts *facts)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		unsupported("posix_openpt");
	const char *path = ptsname(master);
	int fd = must(open(path, O_RDWR | O_NOCTTY), path);
	fact_number(facts, "master", master);
	fact_string(facts, "terminal", path);
	return fd;
}

static void run_tty(struct facts *facts, const char *argument)
{
	(void)argument;
	read_from(facts, terminal(facts));
}

static int deleted_file(struct facts *facts)
{
	char path[] = "/tmp/whystuck-deleted-XXXXXX";
	int fd = must(mkstemp(path), "mkstemp");
	must(unlink(path), "unlink");
	fact_string(facts, "deleted", path);
	return fd;
}

static int pid_descriptor(void)
{
	int fd = syscall(SYS_pidfd_open, getppid(), 0);
	if (fd < 0)
		unsupported("pidfd_open");
	return fd;
}

/* One process with a descriptor of each kind, each under a fact of its kind's name. */
static void run_zoo(struct facts *facts, const char *argument)
{
	(void)argument;
	int ends[2], port;
	must(pipe(ends), "pipe");
	fact_number(facts, "pipe", ends[0]);
	fact_number(facts, "pipe_writer", ends[1]);
	fact_number(facts, "listener", listen_loopback(AF_INET, 5, &port));
	fact_number(facts, "port", port);
	fact_number(facts, "client", connect_loopback(AF_INET, port));
	fact_number(facts, "udp", must(socket(AF_INET, SOCK_DGRAM, 0), "socket"));
	fact_number(facts, "udp6", must(socket(AF_INET6, SOCK_DGRAM, 0), "socket"));
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), "socketpair");
	fact_number(facts, "socketpair", ends[0]);
	fact_number(facts, "netlink", must(socket(AF_NETLINK, SOCK_RAW, 0), "socket"));
	int event = must(eventfd(7, 0), "eventfd");
	fact_number(facts, "eventfd", event);
	fact_number(facts, "timerfd", timer());
	fact_number(facts, "signalfd", signals());
	fact_number(facts, "inotify", must(inotify_init1(0), "inotify_init1"));
	int epoll = must(epoll_create1(0), "epoll_create1");
	struct epoll_event interest = {.events = EPOLLIN};
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &interest), "epoll_ctl");
	fact_number(facts, "epoll", epoll);
	fact_number(facts, "pidfd", pid_descriptor());
	fact_number(facts, "parent", getppid());
	fact_number(facts, "tty", terminal(facts));
	fact_number(facts, "null", must(open("/dev/null", O_RDWR), "/dev/null"));
	fact_number(facts, "file", must(open("/etc/passwd", O_RDONLY), "/etc/passwd"));
	fact_number(facts, "directory", must(open("/usr", O_RDONLY | O_DIRECTORY), "/usr"));
	fact_number(facts, "deleted_file", deleted_file(facts));
	ready(facts, PAUSE_CALL);
	pause();
}

const struct situation descriptor_situations[] = {
	{"read-eventfd", run_eventfd},
	{"read-timerfd", run_timerfd},
	{"read-signalfd", run_signalfd},
	{"read-inotify", run_inotify},
	{"read-tty", run_tty},
	{"zoo", run_zoo},
	{0},
};
