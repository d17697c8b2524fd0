// SPDX-License-Identifier: Apache-2.0
/* Waits for descriptors, for one and for several. */
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>

#include "waits_fixture.h"

static struct sockaddr_storage internet(unsigned port)
{
	struct sockaddr_storage storage = {0};
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	memcpy(&storage, &address, sizeof(address));
	return storage;
}

/* A TCP socket, listening when it has no remote port. */
static struct descriptor *open_tcp(struct fake_target *target, int fd, unsigned remote)
{
	struct socket_facts *facts = arena_new(target->arena, struct socket_facts, 1);
	struct descriptor *descriptor = fake_open(
		target, fd, DESCRIPTOR_SOCKET, remote ? "TCP connected" : "TCP 127.0.0.1:8080");

	*facts = (struct socket_facts){.family = AF_INET,
		.type = SOCK_STREAM,
		.protocol = IPPROTO_TCP,
		.protocol_name = "TCP",
		.state = remote ? TCP_ESTABLISHED : TCP_LISTEN,
		.local = internet(8080),
		.has_queues = true,
		.send_queue = remote ? 0 : 5};
	if (remote)
		facts->remote = internet(remote);
	descriptor->socket = facts;
	return descriptor;
}

static void accepting(void **state)
{
	struct fake_target *target = *state;
	struct descriptor *descriptor = open_tcp(target, 3, 0);

	struct wait *wait = assert_call(target, "accept", ARGUMENTS(3), "socket-accept", true,
		"waits for a client to connect to TCP 127.0.0.1:8080 (listening, 0 of 5 queued)");
	assert_string_equal(
		wait->text, "a client to connect to TCP 127.0.0.1:8080 (listening, 0 of 5 queued)");
	descriptor->socket->receive_queue = 2;
	assert_call(target, "accept4", ARGUMENTS(3), "socket-accept", false,
		"waits for a client to connect to TCP 127.0.0.1:8080 (listening, 2 of 5 queued)");
	assert_call(target, "accept", ARGUMENTS(9), "socket-accept", true,
		"waits for a client to connect to descriptor 9");
}

static void data_on_a_connection(void **state)
{
	struct fake_target *target = *state;
	struct descriptor *descriptor = open_tcp(target, 4, 51234);

	assert_call(target, "read", ARGUMENTS(4, AT, 100), "socket-receive", false,
		"waits for data on TCP 127.0.0.1:8080 from 127.0.0.1:51234");
	add_peer(target, descriptor, 7);
	struct wait *wait = assert_call(target, "recvfrom", ARGUMENTS(4, AT, 100), "socket-receive",
		false, "waits for data on TCP 127.0.0.1:8080 from 127.0.0.1:51234 of cat (pid 7)");
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 7);
	assert_string_equal(wait->holders[0].text, "the other end of the socket");
	descriptor->socket->send_queue = 2621440;
	assert_call(target, "sendto", ARGUMENTS(4, AT, 100), "socket-send", false,
		"waits for room to send on TCP 127.0.0.1:8080 to 127.0.0.1:51234 of cat (pid 7) "
		"(2621440 bytes not taken yet)");
}

static void a_socket_without_facts(void **state)
{
	struct fake_target *target = *state;

	fake_open(target, 4, DESCRIPTOR_SOCKET, "socket:[123]");
	assert_call(target, "recvmsg", ARGUMENTS(4), "socket-receive", true,
		"waits for data on socket:[123]");
	assert_call(target, "connect", ARGUMENTS(4, 0, 0), "socket-connect", false,
		"waits for NULL to answer the connection request");
}

static void unix_sockets(void **state)
{
	struct fake_target *target = *state;
	struct socket_facts facts = {.family = AF_UNIX,
		.protocol_name = "unix",
		.path = "/run/\033x.sock",
		.peer_inode = 5};
	struct descriptor *descriptor = fake_open(target, 4, DESCRIPTOR_SOCKET, "unix");

	descriptor->socket = &facts;
	add_peer(target, descriptor, 4242);
	assert_call(target, "read", ARGUMENTS(4), "socket-receive", false,
		"waits for data on unix socket /run/\\x1bx.sock from itself");
	facts.path = NULL;
	descriptor->peer_count = 0;
	assert_call(target, "write", ARGUMENTS(4), "socket-send", false,
		"waits for room to send on unix socket");
}

static void connecting(void **state)
{
	struct fake_target *target = *state;
	struct sockaddr_storage address = internet(80);
	struct descriptor *descriptor = open_tcp(target, 4, 0);

	fake_place(target, AT, &address, sizeof(struct sockaddr_in));
	assert_call(target, "connect", ARGUMENTS(4, AT, sizeof(struct sockaddr_in)),
		"socket-connect", false,
		"waits for {127.0.0.1:80} to answer the connection request (TCP)");
	descriptor->socket->remote = internet(81);
	assert_call(target, "connect", ARGUMENTS(4, AT, sizeof(struct sockaddr_in)),
		"socket-connect", false,
		"waits for 127.0.0.1:81 to answer the connection request (TCP)");
}

static void pipes(void **state)
{
	struct fake_target *target = *state;
	struct descriptor *descriptor = fake_open(target, 0, DESCRIPTOR_PIPE, "pipe:[5]");
	struct descriptor *fifo = fake_open(target, 1, DESCRIPTOR_FIFO, "/tmp/fifo");

	assert_call(target, "read", ARGUMENTS(0), "pipe-read", false,
		"waits for data on the pipe, whose other end no process has open");
	descriptor->peers_partial = true;
	assert_call(target, "read", ARGUMENTS(0), "pipe-read", false, "waits for data on the pipe");
	add_peer(target, descriptor, 7);
	struct wait *wait = assert_call(target, "read", ARGUMENTS(0), "pipe-read", false,
		"waits for data on the pipe from cat (pid 7)");
	assert_string_equal(wait->holders[0].text, "the other end of the pipe");
	add_peer(target, fifo, 9);
	assert_call(target, "write", ARGUMENTS(1), "pipe-write", false,
		"waits for room in FIFO /tmp/fifo to cat (pid 9)");
}

static void a_pipe_inherited_by_a_thousand(void **state)
{
	struct fake_target *target = *state;
	struct descriptor *descriptor = fake_open(target, 0, DESCRIPTOR_PIPE, "pipe:[5]");
	struct peer *peers = arena_new(target->arena, struct peer, 1000);

	for (int i = 0; i < 1000; i++)
		peers[i] = (struct peer){.pid = 100 + i, .comm = "w\n"};
	descriptor->peers = peers;
	descriptor->peer_count = 1000;
	struct wait *wait = assert_call(target, "read", ARGUMENTS(0), "pipe-read", false,
		"waits for data on the pipe from w\\n (pid 100), w\\n (pid 101), w\\n (pid 102) "
		"and "
		"997 more");
	assert_int_equal(wait->holder_count, 64);
}

static void other_descriptors(void **state)
{
	struct fake_target *target = *state;

	fake_open(target, 0, DESCRIPTOR_TTY, "/dev/pts/3");
	fake_open(target, 1, DESCRIPTOR_EVENTFD, "eventfd")->counter = UINT64_MAX - 1;
	fake_open(target, 2, DESCRIPTOR_TIMERFD, "timerfd")->expires_ns = 4 * NS_PER_SECOND;
	fake_open(target, 3, DESCRIPTOR_TIMERFD, "timerfd")->expires_ns = -1;
	fake_open(target, 4, DESCRIPTOR_SIGNALFD, "signalfd")->signals = 1U << (SIGCHLD - 1);
	fake_open(target, 5, DESCRIPTOR_INOTIFY, "inotify");
	fake_open(target, 6, DESCRIPTOR_CHARACTER_DEVICE, "/dev/random");
	fake_open(target, 7, DESCRIPTOR_FILE, "/proc/kmsg");
	assert_call(target, "read", ARGUMENTS(0), "tty-read", true,
		"waits for input on terminal /dev/pts/3");
	assert_call(target, "write", ARGUMENTS(0), "tty-write", false,
		"waits for terminal /dev/pts/3 to take output");
	assert_call(target, "read", ARGUMENTS(1), "eventfd-read", true,
		"waits for eventfd 1 to be written");
	assert_call(target, "write", ARGUMENTS(1), "eventfd-write", false,
		"waits for eventfd 1 to be read (its count is 18446744073709551614)");
	assert_call(target, "read", ARGUMENTS(2), "timerfd-read", true,
		"waits for timerfd 2 to fire in 4.0 s");
	assert_call(target, "read", ARGUMENTS(3), "timerfd-read", true,
		"waits for timerfd 3 to fire, which is not armed");
	assert_call(target, "read", ARGUMENTS(4), "signalfd-read", true,
		"waits for a signal on signalfd 4: CHLD");
	assert_call(target, "read", ARGUMENTS(5), "inotify-read", true,
		"waits for a change to a file that inotify 5 watches");
	assert_call(target, "read", ARGUMENTS(6), "device-read", false,
		"waits for device /dev/random to give data");
	assert_call(target, "write", ARGUMENTS(6), "device-write", false,
		"waits for device /dev/random to take data");
	assert_call(target, "read", ARGUMENTS(7), "file-read", false,
		"waits for the read of /proc/kmsg");
	assert_call(target, "pwrite64", ARGUMENTS(33), "file-write", false,
		"waits for the write of descriptor 33");
}

static void several_descriptors(void **state)
{
	struct fake_target *target = *state;
	struct pollfd polled[20];
	fd_set set;

	for (int i = 0; i < 20; i++)
		polled[i] = (struct pollfd){i + 3, POLLIN, 0};
	FD_ZERO(&set);
	FD_SET(3, &set);
	FD_SET(7, &set);
	fake_place(target, AT, polled, sizeof(polled));
	fake_place(target, AT + 0x1000, &set, sizeof(set));
	struct descriptor *connection = open_tcp(target, 3, 51234);
	add_peer(target, connection, 7);
	assert_call(target, "poll", ARGUMENTS(AT, 2, (uint32_t)-1), "poll", true,
		"waits for 2 descriptors: 3<TCP connected>, 4");
	assert_call(target, "poll", ARGUMENTS(AT, 20, 5000), "poll", true,
		"waits for 20 descriptors: 3<TCP connected>, 4, 5, 6, 7, 8, 9, 10, … 12 more, "
		"at most 5.0 s more");
	struct wait *wait = assert_call(target, "poll", ARGUMENTS(AT, 1, (uint32_t)-1), "poll",
		false, "waits for data on 3<TCP connected>");
	assert_int_equal(wait->holders[0].pid, 7);
	assert_call(target, "poll", ARGUMENTS(AT + 8, 1, (uint32_t)-1), "poll", true,
		"waits for data on 4");
	assert_call(target, "select", ARGUMENTS(8, AT + 0x1000, 0, 0, 0), "select", true,
		"waits for 2 descriptors: 3<TCP connected>, 7");
	assert_call(target, "pselect6", ARGUMENTS(4, 0, AT + 0x1000, 0, 0), "select", false,
		"waits for room on 3<TCP connected>");
	assert_call(target, "poll", ARGUMENTS(1, 1U << 31, (uint32_t)-1), "poll", true,
		"waits for descriptors");
	assert_call(target, "select", ARGUMENTS(INT_MAX, 1, 0, 0, 0), "select", true,
		"waits for descriptors");
}

static void an_event_loop(void **state)
{
	struct fake_target *target = *state;
	struct watched watched[] = {{3, POLLIN, 0}, {5, POLLIN | POLLOUT, 0}};
	struct descriptor *epoll = fake_open(target, 4, DESCRIPTOR_EPOLL, "epoll");

	open_tcp(target, 3, 0);
	open_tcp(target, 5, 51234);
	assert_call(target, "epoll_wait", ARGUMENTS(4, AT, 64, (uint32_t)-1), "epoll", true,
		"waits for epoll instance 4, which watches no descriptor");
	epoll->watched = watched;
	epoll->watched_count = 2;
	target->thread.blocked_ns = NS_PER_SECOND;
	assert_call(target, "epoll_wait", ARGUMENTS(4, AT, 64, 5000), "epoll", true,
		"waits for 2 descriptors: 3<TCP 127.0.0.1:8080>, 5<TCP connected> (epoll 4), "
		"at most 4.0 s more");
	watched[1].inode = 77;
	target->open[2].inode = 78;
	assert_call(target, "epoll_wait", ARGUMENTS(4, AT, 64, (uint32_t)-1), "epoll", true,
		"waits for 2 descriptors: 3<TCP 127.0.0.1:8080>, 5<another file than now> "
		"(epoll 4)");
	watched[1].inode = 78;
	epoll->watched_count = 1;
	assert_call(target, "epoll_pwait", ARGUMENTS(4, AT, 64, (uint32_t)-1), "epoll", true,
		"waits for data on 3<TCP 127.0.0.1:8080> (epoll 4)");
	epoll->watched = &watched[1];
	assert_call(target, "epoll_pwait", ARGUMENTS(4, AT, 64, (uint32_t)-1), "epoll", false,
		"waits for data or room on 5<TCP connected> (epoll 4)");
	assert_call(target, "epoll_wait", ARGUMENTS(9, AT, 64, (uint32_t)-1), "epoll", true,
		"waits for the descriptors of epoll instance 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepting),
		TEST(data_on_a_connection),
		TEST(a_socket_without_facts),
		TEST(unix_sockets),
		TEST(connecting),
		TEST(pipes),
		TEST(a_pipe_inherited_by_a_thousand),
		TEST(other_descriptors),
		TEST(several_descriptors),
		TEST(an_event_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
