// SPDX-License-Identifier: Apache-2.0
/* Who is waited on through sockets: datagrams, listening sockets, other network namespaces. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "situations.h"

static char buffer[4096];

static struct sockaddr_un named(const char *directory, const char *name, socklen_t *length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!directory)
		unsupported("needs a directory");
	if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", directory, name) >=
		sizeof address.sun_path)
		unsupported("a path for a unix socket");
	*length = offsetof(struct sockaddr_un, sun_path) + strlen(address.sun_path) + 1;
	return address;
}

static void keep(int fd)
{
	(void)fd;
}

/* Reading from a pair of datagram sockets, whose other one two companions share. */
static void run_dgram_pair(struct facts *facts, const char *argument)
{
	(void)argument;
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	pid_t first = fork_companion();
	if (!first) {
		close(ends[0]);
		rest();
	}
	pid_t second = fork_companion();
	if (!second) {
		close(ends[0]);
		rest();
	}
	close(ends[1]);
	fact_number(facts, "first", first);
	fact_number(facts, "second", second);
	await_syscall(first, PAUSE_CALL);
	await_syscall(second, PAUSE_CALL);
	ready(facts, SYS_read);
	must(read(ends[0], buffer, sizeof buffer), "read");
}

/* A datagram socket that a companion reads nothing from; it alone has it. */
static pid_t deaf_receiver(const char *directory, struct sockaddr_un *address, socklen_t *length)
{
	*address = named(directory, "datagrams", length);
	int bound = must(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	must(bind(bound, (struct sockaddr *)address, *length), "bind");
	pid_t pid = prepared_companion(bound, keep);
	close(bound);
	return pid;
}

static void run_dgram_connected(struct facts *facts, const char *argument)
{
	struct sockaddr_un address;
	socklen_t length;
	fact_number(facts, "holder", deaf_receiver(argument, &address, &length));
	int fd = must(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	must(connect(fd, (struct sockaddr *)&address, length), "connect");
	fill(fd);
	ready(facts, SYS_sendto);
	must(send(fd, "x", 1, 0), "send");
}

/* The address stands in the call alone. */
static void run_dgram_addressed(struct facts *facts, const char *argument)
{
	struct sockaddr_un address;
	socklen_t length;
	fact_number(facts, "holder", deaf_receiver(argument, &address, &length));
	int fd = must(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	while (sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, length) > 0)
		;
	ready(facts, SYS_sendto);
	must(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, length), "sendto");
}

/* A server that listens and accepts nothing, with no room for one more connection. */
static void run_connect_unix_full(struct facts *facts, const char *argument)
{
	socklen_t length;
	struct sockaddr_un address = named(argument, "server", &length);
	int listening = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(bind(listening, (struct sockaddr *)&address, length), "bind");
	must(listen(listening, 0), "listen");
	fact_number(facts, "holder", prepared_companion(listening, keep));
	close(listening);
	int first = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(connect(first, (struct sockaddr *)&address, length), "connect");
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	ready(facts, SYS_connect);
	must(connect(fd, (struct sockaddr *)&address, length), "connect");
}

/* The same by TCP. */
static void run_connect_tcp_full(struct facts *facts, const char *argument)
{
	(void)argument;
	int port;
	int listening = listen_loopback(AF_INET, 0, &port);
	fact_number(facts, "holder", prepared_companion(listening, keep));
	close(listening);
	connect_loopback(AF_INET, port);
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	ready(facts, SYS_connect);
	must(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
}

/* The client of a connection that nobody has accepted yet. */
static void run_read_not_accepted(struct facts *facts, const char *argument)
{
	(void)argument;
	int port;
	int listening = listen_loopback(AF_INET, 5, &port);
	fact_number(facts, "holder", prepared_companion(listening, keep));
	close(listening);
	int fd = connect_loopback(AF_INET, port);
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

static void run_read_udp(struct facts *facts, const char *argument)
{
	(void)argument;
	int server = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof address;
	must(bind(server, (struct sockaddr *)&address, length), "bind");
	must(getsockname(server, (struct sockaddr *)&address, &length), "getsockname");
	fact_number(facts, "holder", prepared_companion(server, keep));
	close(server);
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	must(connect(fd, (struct sockaddr *)&address, length), "connect");
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

/* ---- Two network namespaces that a pair of virtual cables connects ---- */

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	};
	char attributes[512];
};

/* Adds an attribute, or, for a nested one, its header alone; where it begins. */
static struct rtattr *add(struct request *request, int type, const void *data, size_t size)
{
	struct rtattr *attribute =
		(struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	request->header.nlmsg_len =
		NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static void end_nest(struct request *request, struct rtattr *nest)
{
	nest->rta_len = (char *)request + request->header.nlmsg_len - (char *)nest;
}

static void ask_kernel(struct request *request, const char *what)
{
	int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket");
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	request->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	must(send(fd, request, request->header.nlmsg_len, 0), what);
	must(recv(fd, &answer, sizeof answer, 0), what);
	close(fd);
	if (answer.error.error) {
		errno = -answer.error.error;
		unsupported(what);
	}
}

/* The cable's other end, "far", is in the namespace of @pid. */
static void make_cable(pid_t pid)
{
	struct request request = {
		.header = {NLMSG_LENGTH(sizeof request.link), RTM_NEWLINK,
			NLM_F_CREATE | NLM_F_EXCL, 1, 0},
	};
	const struct ifinfomsg none = {0};
	add(&request, IFLA_IFNAME, "near", sizeof "near");
	struct rtattr *info = add(&request, IFLA_LINKINFO, NULL, 0);
	add(&request, IFLA_INFO_KIND, "veth", sizeof "veth");
	struct rtattr *data = add(&request, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *peer = add(&request, 1 /* VETH_INFO_PEER */, &none, sizeof none);
	add(&request, IFLA_IFNAME, "far", sizeof "far");
	add(&request, IFLA_NET_NS_PID, &pid, sizeof pid);
	end_nest(&request, peer);
	end_nest(&request, data);
	end_nest(&request, info);
	ask_kernel(&request, "a veth pair");
}

static void set_up(const char *name, const char *host)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	struct ifreq up = {.ifr_flags = IFF_UP};
	strcpy(up.ifr_name, name);
	must(ioctl(fd, SIOCSIFFLAGS, &up), "SIOCSIFFLAGS");
	close(fd);
	struct request request = {
		.header = {NLMSG_LENGTH(sizeof request.address), RTM_NEWADDR,
			NLM_F_CREATE | NLM_F_EXCL, 1, 0},
		.address = {.ifa_family = AF_INET, .ifa_prefixlen = 24},
	};
	struct in_addr address;
	inet_pton(AF_INET, host, &address);
	request.address.ifa_index = if_nametoindex(name);
	add(&request, IFA_LOCAL, &address, sizeof address);
	ask_kernel(&request, "an address");
}

#define NEAR "10.213.7.1"
#define FAR "10.213.7.2"
#define PORT 5432

/*
 * The server is in a network namespace of its own. Its client waits for the answer; both listen and
 * accept are the server's.
 */
static int connect_across(struct facts *facts)
{
	int here[2], there[2];
	char byte;
	must(pipe(here), "pipe");
	must(pipe(there), "pipe");
	if (unshare(CLONE_NEWNET) < 0)
		unsupported("unshare(CLONE_NEWNET)");
	pid_t server = fork_companion();
	if (!server) {
		must(unshare(CLONE_NEWNET), "unshare");
		must(write(there[1], "", 1), "write");
		must(read(here[0], &byte, 1), "read");
		set_up("far", FAR);
		int listening = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
		struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
		must(bind(listening, (struct sockaddr *)&any, sizeof any), "bind");
		must(listen(listening, 5), "listen");
		must(write(there[1], "", 1), "write");
		must(accept(listening, NULL, NULL), "accept");
		must(write(there[1], "", 1), "write");
		close(listening);
		rest();
	}
	must(read(there[0], &byte, 1), "read");
	make_cable(server);
	set_up("near", NEAR);
	must(write(here[1], "", 1), "write");
	must(read(there[0], &byte, 1), "read");
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	inet_pton(AF_INET, FAR, &address.sin_addr);
	must(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
	must(read(there[0], &byte, 1), "read");
	fact_number(facts, "holder", server);
	return fd;
}

static void run_read_across(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connect_across(facts);
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

/* The connection was made in another namespace than the one that its process has come to. */
static void run_read_handed_over(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = connect_across(facts);
	/* A namespace can be found by its processes alone. */
	prepared_companion(-1, keep);
	must(unshare(CLONE_NEWNET), "unshare");
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

#define NOWHERE "10.213.7.99"

/*
 * A connection to another machine, which is not there: in repair mode (tcp(7), CAP_NET_ADMIN) a
 * connection is made without a word to the other side.
 */
static void run_read_remote(struct facts *facts, const char *argument)
{
	(void)argument;
	if (unshare(CLONE_NEWNET) < 0)
		unsupported("unshare(CLONE_NEWNET)");
	make_cable(getpid());
	set_up("near", NEAR);
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = TCP_REPAIR_ON,
	    off = TCP_REPAIR_OFF_NO_WP;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(40000)};
	inet_pton(AF_INET, NEAR, &address.sin_addr);
	must(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
	address.sin_port = htons(PORT);
	inet_pton(AF_INET, NOWHERE, &address.sin_addr);
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) < 0)
		unsupported("TCP_REPAIR");
	must(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
	must(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off), "TCP_REPAIR");
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

/* ---- Several descriptors ---- */

/* A connection as a client has it, with its server in a companion. */
static int to_server(int *listening, pid_t *server)
{
	int port;
	*listening = listen_loopback(AF_INET, 5, &port);
	int fd = connect_loopback(AF_INET, port);
	int accepted = must(accept(*listening, NULL, NULL), "accept");
	*server = prepared_companion(accepted, keep);
	close(accepted);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* A proxy: it listens, has accepted a client, and has connected to a server. */
static void proxy(struct facts *facts, int fds[3])
{
	int elsewhere, port;
	pid_t server;
	fds[1] = to_server(&elsewhere, &server);
	close(elsewhere);
	fds[0] = listen_loopback(AF_INET, 5, &port);
	pid_t client = fork_companion();
	if (!client) {
		close(fds[0]);
		close(fds[1]);
		connect_loopback(AF_INET, port);
		rest();
	}
	fds[2] = must(accept(fds[0], NULL, NULL), "accept");
	fact_number(facts, "server", server);
	fact_number(facts, "client", client);
}

static void run_epoll_proxy(struct facts *facts, const char *argument)
{
	(void)argument;
	int fds[3];
	struct epoll_event event;
	proxy(facts, fds);
	int epoll = must(epoll_create1(0), "epoll_create1");
	for (int i = 0; i < 3; i++)
		watch(epoll, fds[i]);
	ready(facts, EPOLL_WAIT_CALL);
	must(TEMP_FAILURE_RETRY(epoll_wait(epoll, &event, 1, -1)), "epoll_wait");
}

/* The same, and a pipe that it reads from as well. */
static void run_poll_proxy(struct facts *facts, const char *argument)
{
	(void)argument;
	int fds[3], ends[2];
	proxy(facts, fds);
	must(pipe(ends), "pipe");
	pid_t writer = fork_companion();
	if (!writer) {
		close(ends[0]);
		for (int i = 0; i < 3; i++)
			close(fds[i]);
		rest();
	}
	close(ends[1]);
	fact_number(facts, "writer", writer);
	struct pollfd polled[] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {fds[2], POLLIN, 0},
		{ends[0], POLLIN, 0}};
	ready(facts, POLL_CALL);
	must(TEMP_FAILURE_RETRY(poll(polled, 4, -1)), "poll");
}

/* The server of unix connections and a client of another one. */
static void run_epoll_unix(struct facts *facts, const char *argument)
{
	int fds[3];
	socklen_t length;
	struct epoll_event event;
	struct sockaddr_un address = named(argument, "upstream", &length);
	int upstream = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(bind(upstream, (struct sockaddr *)&address, length), "bind");
	must(listen(upstream, 5), "listen");
	fds[0] = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(connect(fds[0], (struct sockaddr *)&address, length), "connect");
	int accepted = must(accept(upstream, NULL, NULL), "accept");
	close(upstream);
	fact_number(facts, "server", prepared_companion(accepted, keep));
	close(accepted);
	address = named(argument, "own", &length);
	fds[1] = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(bind(fds[1], (struct sockaddr *)&address, length), "bind");
	must(listen(fds[1], 5), "listen");
	pid_t client = fork_companion();
	if (!client) {
		close(fds[0]);
		close(fds[1]);
		int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
		must(connect(fd, (struct sockaddr *)&address, length), "connect");
		rest();
	}
	fds[2] = must(accept(fds[1], NULL, NULL), "accept");
	fact_number(facts, "client", client);
	int epoll = must(epoll_create1(0), "epoll_create1");
	for (int i = 0; i < 3; i++)
		watch(epoll, fds[i]);
	ready(facts, EPOLL_WAIT_CALL);
	must(TEMP_FAILURE_RETRY(epoll_wait(epoll, &event, 1, -1)), "epoll_wait");
}

const struct situation holder_socket_situations[] = {
	{"on-dgram-pair", run_dgram_pair},
	{"on-dgram-connected", run_dgram_connected},
	{"on-dgram-addressed", run_dgram_addressed},
	{"on-connect-unix", run_connect_unix_full},
	{"on-connect-tcp", run_connect_tcp_full},
	{"on-read-not-accepted", run_read_not_accepted},
	{"on-read-udp", run_read_udp},
	{"on-read-across", run_read_across},
	{"on-read-handed-over", run_read_handed_over},
	{"on-read-remote", run_read_remote},
	{"on-epoll-proxy", run_epoll_proxy},
	{"on-poll-proxy", run_poll_proxy},
	{"on-epoll-unix", run_epoll_unix},
	{0},
};
