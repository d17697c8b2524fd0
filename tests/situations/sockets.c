// SPDX-License-Identifier: Apache-2.0
/* Sockets: waiting for clients, for servers, for data and for room. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "situations.h"

static char buffer[4096];

static int listener(struct facts *facts, int family)
{
	int port;
	int fd = listen_loopback(family, 5, &port);
	fact_number(facts, "fd", fd);
	fact_number(facts, "port", port);
	return fd;
}

static void run_accept(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = listener(facts, AF_INET);
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	ready(facts, SYS_accept);
	must(accept(fd, (struct sockaddr *)&address, &length), "accept");
}

static void run_accept4(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = listener(facts, AF_INET);
	ready(facts, SYS_accept4);
	must(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), "accept4");
}

static void run_accept_v6(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = listener(facts, AF_INET6);
	ready(facts, SYS_accept);
	must(accept(fd, NULL, NULL), "accept");
}

/* Where the loopback device of a new network namespace is still down. */
static void loopback_up(void)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	must(ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
	close(fd);
}

static void run_accept_netns(struct facts *facts, const char *argument)
{
	(void)argument;
	if (unshare(CLONE_NEWNET) < 0)
		unsupported("unshare(CLONE_NEWNET)");
	loopback_up();
	int fd = listener(facts, AF_INET);
	ready(facts, SYS_accept);
	must(accept(fd, NULL, NULL), "accept");
}

/* The socket belongs to another network namespace than its process. */
static void run_accept_foreign_netns(struct facts *facts, const char *argument)
{
	(void)argument;
	int home = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "ns/net");
	if (unshare(CLONE_NEWNET) < 0)
		unsupported("unshare(CLONE_NEWNET)");
	loopback_up();
	int fd = listener(facts, AF_INET);
	must(setns(home, CLONE_NEWNET), "setns");
	ready(facts, SYS_accept);
	must(accept(fd, NULL, NULL), "accept");
}

/* A unix socket that listens under @path; an abstract one for a leading '@'. */
static int listen_unix(
	const char *path, int backlog, struct sockaddr_un *address, socklen_t *length)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof address->sun_path)
		errx(EXIT_FAILURE, "%s is too long for a unix socket", path);
	strcpy(address->sun_path, path);
	*length = offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] != '@');
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(bind(fd, (struct sockaddr *)address, *length), "bind");
	must(listen(fd, backlog), "listen");
	return fd;
}

static void unix_path(char *path, size_t size, const char *directory)
{
	if (!directory)
		unsupported("needs a directory");
	snprintf(path, size, "%s/socket", directory);
}

static void accept_unix(struct facts *facts, const char *path)
{
	struct sockaddr_un address;
	socklen_t length;
	int fd = listen_unix(path, 5, &address, &length);
	fact_number(facts, "fd", fd);
	fact_string(facts, "path", path);
	ready(facts, SYS_accept);
	must(accept(fd, NULL, NULL), "accept");
}

static void run_accept_unix(struct facts *facts, const char *argument)
{
	char path[108];
	unix_path(path, sizeof path, argument);
	accept_unix(facts, path);
}

static void run_accept_abstract(struct facts *facts, const char *argument)
{
	(void)argument;
	char path[108];
	snprintf(path, sizeof path, "@whystuck-%d", getpid());
	accept_unix(facts, path);
}

/* A queue of length 0 takes one connection; the next one's handshake gets no answer. */
static void run_connect(struct facts *facts, const char *argument)
{
	(void)argument;
	int port;
	listen_loopback(AF_INET, 0, &port);
	connect_loopback(AF_INET, port);
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	fact_number(facts, "fd", fd);
	fact_number(facts, "port", port);
	ready(facts, SYS_connect);
	must(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
}

static void run_connect_unix(struct facts *facts, const char *argument)
{
	char path[108];
	unix_path(path, sizeof path, argument);
	struct sockaddr_un address;
	socklen_t length;
	listen_unix(path, 0, &address, &length);
	int first = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(connect(first, (struct sockaddr *)&address, length), "connect");
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	fact_number(facts, "fd", fd);
	fact_string(facts, "path", path);
	ready(facts, SYS_connect);
	must(connect(fd, (struct sockaddr *)&address, length), "connect");
}

/* The server's end of a TCP connection; the client's is held by a companion, which rests. */
static int connected(struct facts *facts, int family)
{
	int port;
	int listening = listen_loopback(family, 5, &port);
	pid_t peer = fork_companion();
	if (!peer) {
		close(listening);
		connect_loopback(family, port);
		rest();
	}
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int fd = must(accept(listening, (struct sockaddr *)&address, &length), "accept");
	close(listening);
	int remote = ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
					      : ((struct sockaddr_in *)&address)->sin_port);
	fact_number(facts, "fd", fd);
	fact_number(facts, "port", port);
	fact_number(facts, "remote", remote);
	fact_number(facts, "peer", peer);
	return fd;
}

static void run_read_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

static void run_recvfrom_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	ready(facts, SYS_recvfrom);
	must(recv(fd, buffer, sizeof buffer, MSG_WAITALL), "recv");
}

static void run_recvfrom_tcp6(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET6);
	ready(facts, SYS_recvfrom);
	must(recv(fd, buffer, sizeof buffer, 0), "recv");
}

static struct iovec piece = {buffer, sizeof buffer};
static struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

static void run_recvmsg_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	ready(facts, SYS_recvmsg);
	must(recvmsg(fd, &message, 0), "recvmsg");
}

static void run_sendto_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	fill(fd);
	ready(facts, SYS_sendto);
	for (;;)
		must(send(fd, buffer, sizeof buffer, 0), "send");
}

static void run_sendmsg_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	fill(fd);
	ready(facts, SYS_sendmsg);
	for (;;)
		must(sendmsg(fd, &message, MSG_NOSIGNAL), "sendmsg");
}

static void run_sendmmsg_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	fill(fd);
	struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
	ready(facts, SYS_sendmmsg);
	for (;;)
		must(sendmmsg(fd, messages, 2, 0), "sendmmsg");
}

static void run_write_tcp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connected(facts, AF_INET);
	fill(fd);
	ready(facts, SYS_write);
	for (;;)
		must(write(fd, buffer, sizeof buffer), "write");
}

static int bound_udp(struct facts *facts)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof address;
	must(bind(fd, (struct sockaddr *)&address, length), "bind");
	must(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
	fact_number(facts, "fd", fd);
	fact_number(facts, "port", ntohs(address.sin_port));
	return fd;
}

static void run_recvfrom_udp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = bound_udp(facts);
	struct sockaddr_storage from;
	socklen_t length = sizeof from;
	ready(facts, SYS_recvfrom);
	must(recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length), "recvfrom");
}

static void run_recvmmsg_udp(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = bound_udp(facts);
	struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
	ready(facts, SYS_recvmmsg);
	must(recvmmsg(fd, messages, 2, 0, NULL), "recvmmsg");
}

/* A socketpair whose other end a companion holds. */
static void run_read_socketpair(struct facts *facts, const char *argument)
{
	(void)argument;
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	pid_t peer = fork_companion();
	if (!peer) {
		close(ends[0]);
		rest();
	}
	close(ends[1]);
	fact_number(facts, "fd", ends[0]);
	fact_number(facts, "peer", peer);
	ready(facts, SYS_read);
	must(read(ends[0], buffer, sizeof buffer), "read");
}

/* The client's end of a unix connection; its server is a companion. */
static void run_recv_unix(struct facts *facts, const char *argument)
{
	char path[108];
	unix_path(path, sizeof path, argument);
	struct sockaddr_un address;
	socklen_t length;
	int listening = listen_unix(path, 5, &address, &length);
	pid_t peer = fork_companion();
	if (!peer) {
		must(accept(listening, NULL, NULL), "accept");
		close(listening);
		rest();
	}
	close(listening);
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(connect(fd, (struct sockaddr *)&address, length), "connect");
	fact_number(facts, "fd", fd);
	fact_number(facts, "peer", peer);
	fact_string(facts, "path", path);
	/* Until the companion has taken it, the connection has no process at its other end. */
	await_syscall(peer, PAUSE_CALL);
	ready(facts, SYS_recvfrom);
	must(recv(fd, buffer, sizeof buffer, 0), "recv");
}

static void run_recvmsg_netlink(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "socket");
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	must(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
	fact_number(facts, "fd", fd);
	ready(facts, SYS_recvmsg);
	for (;;)
		must(recvmsg(fd, &message, 0), "recvmsg");
}

const struct situation socket_situations[] = {
	{"accept", run_accept},
	{"accept4", run_accept4},
	{"accept-v6", run_accept_v6},
	{"accept-netns", run_accept_netns},
	{"accept-foreign-netns", run_accept_foreign_netns},
	{"accept-unix", run_accept_unix},
	{"accept-abstract", run_accept_abstract},
	{"connect", run_connect},
	{"connect-unix", run_connect_unix},
	{"read-tcp", run_read_tcp},
	{"recvfrom-tcp", run_recvfrom_tcp},
	{"recvfrom-tcp6", run_recvfrom_tcp6},
	{"recvmsg-tcp", run_recvmsg_tcp},
	{"sendto-tcp", run_sendto_tcp},
	{"sendmsg-tcp", run_sendmsg_tcp},
	{"sendmmsg-tcp", run_sendmmsg_tcp},
	{"write-tcp", run_write_tcp},
	{"recvfrom-udp", run_recvfrom_udp},
	{"recvmmsg-udp", run_recvmmsg_udp},
	{"read-socketpair", run_read_socketpair},
	{"recv-unix", run_recv_unix},
	{"recvmsg-netlink", run_recvmsg_netlink},
	{0},
};
