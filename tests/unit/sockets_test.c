// SPDX-License-Identifier: Apache-2.0
/* What sockets of each kind look like, on real ones in child processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "maker.h"
#include "util/endpoint.h"
#include "util/text.h"
#include "view.h"

/* What a target is told to make. */
struct wish {
	const char *host; /* its own address */
	int type;
	int protocol;
	int backlog;   /* 0: not listening */
	unsigned port; /* whereto; 0: to nobody */
	bool accept;
	const struct sockaddr_un *name; /* unix: bound to or, with `port` set, connected to */
	socklen_t length;
};

static struct sockaddr_storage internet(const char *host, unsigned port, socklen_t *length)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *inet = (void *)&storage;
	struct sockaddr_in6 *inet6 = (void *)&storage;

	if (inet_pton(AF_INET, host, &inet->sin_addr) == 1) {
		inet->sin_family = AF_INET;
		inet->sin_port = htons((uint16_t)port);
		*length = sizeof(*inet);
	} else if (inet_pton(AF_INET6, host, &inet6->sin6_addr) == 1) {
		inet6->sin6_family = AF_INET6;
		inet6->sin6_port = htons((uint16_t)port);
		*length = sizeof(*inet6);
	}
	return storage;
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	getsockname(fd, (void *)&address, &length);
	return endpoint_port(&address);
}

/* fds: the socket, its port, the accepted one. */
static void make_internet(int *fds, const void *argument)
{
	const struct wish *wish = argument;
	socklen_t length = 0;
	struct sockaddr_storage address = internet(wish->host, wish->port, &length);

	fds[0] = socket(address.ss_family, wish->type, wish->protocol);
	if (fds[0] < 0)
		return;
	if (wish->port)
		connect(fds[0], (void *)&address, length);
	else if (bind(fds[0], (void *)&address, length) < 0)
		fds[0] = -1;
	if (wish->backlog)
		listen(fds[0], wish->backlog);
	fds[1] = (int)port_of(fds[0]);
}

static void make_unix(int *fds, const void *argument)
{
	const struct wish *wish = argument;

	fds[0] = socket(AF_UNIX, wish->type, 0);
	if (wish->port)
		connect(fds[0], (const void *)wish->name, wish->length);
	else if (bind(fds[0], (const void *)wish->name, wish->length) < 0)
		fds[0] = -1;
	if (wish->backlog)
		listen(fds[0], wish->backlog);
}

static const struct socket_facts *facts(const struct descriptor *descriptor)
{
	assert_int_equal(descriptor->kind, DESCRIPTOR_SOCKET);
	assert_non_null(descriptor->socket);
	return descriptor->socket;
}

static void expect_peer(const struct descriptor *descriptor, pid_t pid, const char *comm)
{
	assert_int_equal(descriptor->peer_count, 1);
	assert_int_equal(descriptor->peers[0].pid, pid);
	assert_string_equal(descriptor->peers[0].comm, comm);
}

#define expect_text(descriptor, ...)                                                               \
	do {                                                                                       \
		struct text wanted cleanup_text = {0};                                             \
		text_append_format(&wanted, __VA_ARGS__);                                          \
		assert_string_equal((descriptor)->text, wanted.bytes);                             \
	} while (0)

static void listening_with_an_empty_and_a_waiting_queue(void **state)
{
	struct wish server = {.host = "127.0.0.1", .type = SOCK_STREAM, .backlog = 5};
	struct target listener cleanup_target = target_start("listener", make_internet, &server);
	struct wish to = {
		.host = "127.0.0.1", .type = SOCK_STREAM, .port = (unsigned)listener.fds[1]};

	(void)state;
	{
		struct view view cleanup_view = view_open(listener.pid);
		const struct descriptor *socket = find(&view, listener.fds[0]);

		expect_text(socket, "TCP 127.0.0.1:%d", listener.fds[1]);
		assert_null(socket->problem);
		assert_int_equal(facts(socket)->state, TCP_LISTEN);
		assert_true(facts(socket)->has_queues);
		assert_int_equal(facts(socket)->receive_queue, 0);
		assert_int_equal(facts(socket)->send_queue, 5);
		assert_int_equal(facts(socket)->family, AF_INET);
		assert_int_equal(facts(socket)->type, SOCK_STREAM);
		assert_int_equal(facts(socket)->protocol, IPPROTO_TCP);
	}
	struct target client cleanup_target = target_start("client", make_internet, &to);
	struct view server_view cleanup_view = view_open(listener.pid);
	struct view client_view cleanup_view = view_open(client.pid);
	const struct descriptor *socket = find(&client_view, client.fds[0]);

	assert_int_equal(facts(find(&server_view, listener.fds[0]))->receive_queue, 1);
	expect_text(socket, "TCP 127.0.0.1:%d → 127.0.0.1:%d", client.fds[1], listener.fds[1]);
	assert_int_equal(facts(socket)->state, TCP_ESTABLISHED);
	assert_true(facts(socket)->peer_not_accepted);
	expect_peer(socket, listener.pid, "listener");
}

/* A listener and a client of it in this process; the accepted socket only in the target. */
static void keep_accepted(int *fds, const void *argument)
{
	const int *listener = argument;

	fds[0] = accept(*listener, NULL, NULL);
	fds[1] = (int)port_of(fds[0]);
	close(*listener);
}

static void connection_between(
	const char *listen_host, const char *connect_host, const char *shown, int family)
{
	socklen_t length = 0;
	struct sockaddr_storage address = internet(listen_host, 0, &length);
	int listener = socket(address.ss_family, SOCK_STREAM, 0);

	assert_return_code(bind(listener, (void *)&address, length), errno);
	assert_return_code(listen(listener, 1), errno);
	struct wish to = {.host = connect_host, .type = SOCK_STREAM, .port = port_of(listener)};
	struct target client cleanup_target = target_start("client", make_internet, &to);
	struct target server cleanup_target = target_start("server", keep_accepted, &listener);

	close(listener);
	struct view server_view cleanup_view = view_open(server.pid);
	struct view client_view cleanup_view = view_open(client.pid);
	const struct descriptor *near = find(&server_view, server.fds[0]);
	const struct descriptor *far = find(&client_view, client.fds[0]);

	expect_text(near, "TCP %s:%d → %s:%d", shown, server.fds[1], shown, client.fds[1]);
	expect_text(far, "TCP %s:%d → %s:%d", shown, client.fds[1], shown, server.fds[1]);
	assert_int_equal(facts(near)->family, family);
	assert_false(facts(near)->peer_not_accepted);
	assert_int_equal(facts(near)->peer_inode, far->inode);
	assert_int_equal(facts(far)->peer_inode, near->inode);
}

static void accepted_connection(void **state)
{
	(void)state;
	connection_between("127.0.0.1", "127.0.0.1", "127.0.0.1", AF_INET);
}

static void ipv6_connection(void **state)
{
	(void)state;
	connection_between("::1", "::1", "[::1]", AF_INET6);
}

static void ipv4_client_of_an_ipv6_socket_is_shown_as_ipv4(void **state)
{
	(void)state;
	connection_between("::", "127.0.0.1", "127.0.0.1", AF_INET6);
}

static void client_waits_at_an_ipv6_wildcard(void **state)
{
	struct wish server = {.host = "::", .type = SOCK_STREAM, .backlog = 5};
	struct target listener cleanup_target = target_start("listener", make_internet, &server);
	struct wish to = {
		.host = "127.0.0.1", .type = SOCK_STREAM, .port = (unsigned)listener.fds[1]};
	struct target client cleanup_target = target_start("client", make_internet, &to);
	struct view client_view cleanup_view = view_open(client.pid);
	struct view server_view cleanup_view = view_open(listener.pid);
	const struct descriptor *socket = find(&client_view, client.fds[0]);

	(void)state;
	assert_true(facts(socket)->peer_not_accepted);
	expect_peer(socket, listener.pid, "listener");
	expect_text(find(&server_view, listener.fds[0]), "TCP [::]:%d", listener.fds[1]);
}

static void close_accepted(int *fds, const void *argument)
{
	const int *listener = argument;

	close(accept(*listener, NULL, NULL));
	fds[0] = *listener;
}

static void peer_that_closed_is_not_called_waiting(void **state)
{
	socklen_t length = 0;
	struct sockaddr_storage address = internet("127.0.0.1", 0, &length);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_return_code(bind(listener, (void *)&address, length), errno);
	assert_return_code(listen(listener, 1), errno);
	struct wish to = {.host = "127.0.0.1", .type = SOCK_STREAM, .port = port_of(listener)};
	struct target client cleanup_target = target_start("client", make_internet, &to);
	struct target server cleanup_target = target_start("server", close_accepted, &listener);
	struct view view cleanup_view = view_open(client.pid);
	const struct descriptor *socket = find(&view, client.fds[0]);

	close(listener);
	assert_int_equal(facts(socket)->state, TCP_CLOSE_WAIT);
	assert_false(facts(socket)->peer_not_accepted);
	assert_int_equal(socket->peer_count, 0);
}

static void datagrams(void **state)
{
	struct wish any = {.host = "0.0.0.0", .type = SOCK_DGRAM};
	struct target server cleanup_target = target_start("server", make_internet, &any);
	struct wish to = {.host = "127.0.0.1", .type = SOCK_DGRAM, .port = (unsigned)server.fds[1]};
	struct target client cleanup_target = target_start("client", make_internet, &to);
	struct wish six = {.host = "::1", .type = SOCK_DGRAM};
	struct target other cleanup_target = target_start("other", make_internet, &six);
	struct view server_view cleanup_view = view_open(server.pid);
	struct view client_view cleanup_view = view_open(client.pid);
	struct view other_view cleanup_view = view_open(other.pid);

	(void)state;
	expect_text(find(&server_view, server.fds[0]), "UDP 0.0.0.0:%d", server.fds[1]);
	expect_text(find(&client_view, client.fds[0]), "UDP 127.0.0.1:%d → 127.0.0.1:%d",
		client.fds[1], server.fds[1]);
	expect_text(find(&other_view, other.fds[0]), "UDP [::1]:%d", other.fds[1]);
}

static void make_others(int *fds, const void *argument)
{
	struct sockaddr_nl netlink = {.nl_family = AF_NETLINK};
	struct sockaddr_in lite = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)argument;
	fds[0] = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	bind(fds[0], (void *)&netlink, sizeof(netlink));
	fds[1] = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	fds[2] = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));
	fds[3] = socket(AF_INET, SOCK_STREAM, 0);
	fds[4] = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	if (fds[4] >= 0 && bind(fds[4], (void *)&lite, sizeof(lite)) == 0)
		fds[5] = (int)port_of(fds[4]);
	fds[6] = socket(AF_VSOCK, SOCK_STREAM, 0);
	fds[7] = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (fds[7] >= 0)
		listen(fds[7], 3);
}

static void other_kinds(void **state)
{
	struct target target cleanup_target = target_start("others", make_others, NULL);
	struct view view cleanup_view = view_open(target.pid);
	const struct descriptor *socket = find(&view, target.fds[0]);

	(void)state;
	assert_int_equal(facts(socket)->family, AF_NETLINK);
	assert_string_equal(socket->text, "netlink ROUTE");
	if (target.fds[1] >= 0)
		assert_string_equal(find(&view, target.fds[1])->text, "raw 0.0.0.0, protocol 1");
	if (target.fds[2] >= 0)
		assert_memory_equal(find(&view, target.fds[2])->text, "packet ", 7);
	socket = find(&view, target.fds[3]);
	expect_text(socket, "TCP socket:[%lu]", socket->inode);
	assert_int_equal(facts(socket)->family, AF_UNSPEC);
	assert_non_null(socket->problem);
	if (target.fds[5] > 0)
		expect_text(find(&view, target.fds[4]), "UDP-Lite 127.0.0.1:%d", target.fds[5]);
	if (target.fds[6] >= 0)
		assert_memory_equal(find(&view, target.fds[6])->text, "vsock ", 6);
	if (target.fds[7] >= 0) {
		socket = find(&view, target.fds[7]);
		assert_memory_equal(socket->text, "MPTCP 0.0.0.0:", 14);
		assert_int_equal(facts(socket)->send_queue, 3);
	}
}

static socklen_t set_name(struct sockaddr_un *name, const char *bytes, size_t length)
{
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(name->sun_path, bytes, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static void unix_stream_with_a_hostile_path(void **state)
{
	struct sockaddr_un name;
	char path[] = "/tmp/whystuck\n\033[1mXXXXXX";
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	close(file);
	unlink(path);
	struct wish server = {.type = SOCK_STREAM,
		.backlog = 2,
		.name = &name,
		.length = set_name(&name, path, sizeof(path))};
	struct target listener cleanup_target = target_start("listener", make_unix, &server);
	const char *end = path + strlen(path) - 6;
	struct wish to = {.type = SOCK_STREAM, .port = 1, .name = &name, .length = server.length};
	struct target client cleanup_target = target_start("client", make_unix, &to);
	struct view client_view cleanup_view = view_open(client.pid);
	struct view server_view cleanup_view = view_open(listener.pid);
	const struct descriptor *socket = find(&server_view, listener.fds[0]);

	unlink(path);
	expect_text(socket, "unix /tmp/whystuck\\n\\x1b[1m%s", end);
	assert_string_equal(facts(socket)->path, path);
	assert_int_equal(facts(socket)->state, TCP_LISTEN);
	assert_int_equal(facts(socket)->receive_queue, 1);
	assert_int_equal(facts(socket)->send_queue, 2);

	socket = find(&client_view, client.fds[0]);
	assert_true(facts(socket)->peer_not_accepted);
	expect_peer(socket, listener.pid, "listener");
	expect_text(socket,
		"unix to /tmp/whystuck\\n\\x1b[1m%s, not accepted yet by listener (pid %d)", end,
		listener.pid);
}

static void abstract_name_with_nul_bytes(void **state)
{
	struct sockaddr_un name;
	struct wish wish = {.type = SOCK_SEQPACKET,
		.backlog = 1,
		.name = &name,
		.length = set_name(&name, "\0why\0stuck\033", 11)};
	struct target target cleanup_target = target_start("abstract", make_unix, &wish);
	struct view view cleanup_view = view_open(target.pid);
	const struct descriptor *socket = find(&view, target.fds[0]);

	(void)state;
	assert_string_equal(socket->text, "unix @why\\x00stuck\\x1b");
	assert_string_equal(facts(socket)->path, "@why");
	assert_int_equal(facts(socket)->type, SOCK_SEQPACKET);
}

static void make_pairs(int *fds, const void *argument)
{
	const int *count = argument;

	for (int i = 0; i < *count; i++)
		if (socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, fds) < 0)
			return;
}

static void keep_end(int *fds, const void *argument)
{
	const int *ends = argument;

	close(ends[0]);
	fds[0] = ends[1];
}

static void socketpair_between_two_processes(void **state)
{
	int ends[2];

	(void)state;
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), errno);
	struct target left cleanup_target =
		target_start("left", keep_end, (int[]){ends[1], ends[0]});
	struct target right cleanup_target =
		target_start("right", keep_end, (int[]){ends[0], ends[1]});
	struct view view cleanup_view = view_open(left.pid);
	const struct descriptor *socket = find(&view, ends[0]);

	assert_int_equal(write(ends[1], "1234", 4), 4);
	close(ends[0]);
	close(ends[1]);
	expect_text(socket, "unix pair with right (pid %d)", right.pid);
	expect_peer(socket, right.pid, "right");
	assert_null(facts(socket)->path);
}

static void many_unix_sockets_are_read_at_once(void **state)
{
	struct target target cleanup_target = target_start("pairs", make_pairs, &(int){150});
	struct view view cleanup_view = view_open(target.pid);
	const int *fds;
	size_t count = view.descriptors->list(view.descriptors, &fds), sockets = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct descriptor *socket = find(&view, fds[i]);

		if (socket->kind != DESCRIPTOR_SOCKET || socket->socket->family != AF_UNIX ||
			!socket->peer_count)
			continue;
		sockets++;
		expect_text(socket, "unix pair with pairs (pid %d)", target.pid);
	}
	assert_true(sockets >= 300);
}

/* fds: a listening socket in a network namespace of its own, its port; -1: not allowed. */
static void make_elsewhere(int *fds, const void *argument)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct wish wish = {.host = "127.0.0.1", .type = SOCK_STREAM, .backlog = 7};

	(void)argument;
	fds[0] = -1;
	if (unshare(CLONE_NEWNET) < 0)
		return;
	fds[2] = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(fds[2], SIOCSIFFLAGS, &loopback) < 0)
		return;
	make_internet(fds, &wish);
	socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 3);
	wish = (struct wish){.host = "127.0.0.1", .type = SOCK_STREAM, .port = (unsigned)fds[1]};
	make_internet(fds + 5, &wish);
}

static void another_network_namespace(void **state)
{
	struct target target cleanup_target = target_start("elsewhere", make_elsewhere, NULL);
	char before[64] = "", after[64] = "";

	(void)state;
	if (target.fds[0] < 0) {
		print_message("no network namespaces here\n");
		skip();
	}
	struct view view cleanup_view = view_open(target.pid);
	const struct descriptor *socket;

	assert_true(readlink("/proc/thread-self/ns/net", before, sizeof(before) - 1) > 0);
	socket = find(&view, target.fds[0]);
	expect_text(socket, "TCP 127.0.0.1:%d", target.fds[1]);
	assert_int_equal(facts(socket)->send_queue, 7);
	expect_text(find(&view, target.fds[3]), "unix pair with elsewhere (pid %d)", target.pid);
	socket = find(&view, target.fds[5]);
	expect_text(socket, "TCP 127.0.0.1:%d → 127.0.0.1:%d", target.fds[6], target.fds[1]);
	assert_true(facts(socket)->peer_not_accepted);
	expect_peer(socket, target.pid, "elsewhere");
	assert_true(readlink("/proc/thread-self/ns/net", after, sizeof(after) - 1) > 0);
	assert_string_equal(before, after);
}

/* Handed over by its parent, which is of our namespace. */
static void make_inherited(int *fds, const void *argument)
{
	fds[0] = *(const int *)argument;
	if (unshare(CLONE_NEWNET) < 0)
		fds[0] = -1;
}

static void socket_of_our_namespace_in_another(void **state)
{
	socklen_t length = 0;
	struct sockaddr_storage address = internet("127.0.0.1", 0, &length);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_return_code(bind(listener, (void *)&address, length), errno);
	assert_return_code(listen(listener, 1), errno);
	struct target target cleanup_target = target_start("heir", make_inherited, &listener);
	unsigned port = port_of(listener);

	close(listener);
	if (target.fds[0] < 0) {
		print_message("no network namespaces here\n");
		skip();
	}
	struct view view cleanup_view = view_open(target.pid);
	expect_text(find(&view, target.fds[0]), "TCP 127.0.0.1:%u", port);
}

/* As one's own user, without the privilege to enter the namespace: /proc/PID/net tells. */
static void make_unprivileged(int *fds, const void *argument)
{
	make_elsewhere(fds, argument);
	if (fds[0] >= 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		fds[0] = -1;
	prctl(PR_SET_DUMPABLE, 1);
}

static void another_namespace_that_may_not_be_entered(void **state)
{
	struct target target cleanup_target = target_start("elsewhere", make_unprivileged, NULL);
	int status;

	(void)state;
	if (target.fds[0] < 0) {
		print_message("no network namespaces here\n");
		skip();
	}
	pid_t pid = fork();
	if (pid == 0) {
		struct text wanted = {0};

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		struct view view = view_open(target.pid);
		const struct descriptor *tcp =
			view.descriptors->find(view.descriptors, target.fds[0]);
		const struct descriptor *pair =
			view.descriptors->find(view.descriptors, target.fds[3]);

		text_append_format(&wanted, "TCP 127.0.0.1:%d", target.fds[1]);
		bool right = tcp && strcmp(tcp->text, wanted.bytes) == 0 &&
			     !tcp->socket->has_queues && pair && pair->problem &&
			     strstr(pair->problem, "CAP_SYS_ADMIN") && !pair->peer_count;
		text_deinit(&wanted);
		view_close(&view);
		_exit(right ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listening_with_an_empty_and_a_waiting_queue),
		cmocka_unit_test(accepted_connection),
		cmocka_unit_test(ipv6_connection),
		cmocka_unit_test(ipv4_client_of_an_ipv6_socket_is_shown_as_ipv4),
		cmocka_unit_test(client_waits_at_an_ipv6_wildcard),
		cmocka_unit_test(peer_that_closed_is_not_called_waiting),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(other_kinds),
		cmocka_unit_test(unix_stream_with_a_hostile_path),
		cmocka_unit_test(abstract_name_with_nul_bytes),
		cmocka_unit_test(socketpair_between_two_processes),
		cmocka_unit_test(many_unix_sockets_are_read_at_once),
		cmocka_unit_test(another_network_namespace),
		cmocka_unit_test(socket_of_our_namespace_in_another),
		cmocka_unit_test(another_namespace_that_may_not_be_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
