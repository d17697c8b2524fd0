// SPDX-License-Identifier: Apache-2.0
/* Reading from, writing to, accepting on and connecting one descriptor. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "util/endpoint.h"
#include "util/signals.h"
#include "waits/kinds.h"

static int own_fd(const struct waiting *waiting)
{
	return (int)waiting->call->arguments[0];
}

static bool is_kind(const struct waiting *waiting, enum descriptor_kind kind)
{
	return waiting->descriptor && waiting->descriptor->kind == kind;
}

static const struct socket_facts *socket_of(const struct waiting *waiting)
{
	return is_kind(waiting, DESCRIPTOR_SOCKET) ? waiting->descriptor->socket : NULL;
}

/* "TCP 127.0.0.1:8080", "unix socket /run/x.sock"; others as their descriptor says. */
static void say_socket(struct waiting *waiting, const struct socket_facts *socket)
{
	bool is_unix = socket && socket->family == AF_UNIX;

	if (!is_unix && (!socket || socket->local.ss_family == AF_UNSPEC)) {
		say_descriptor(waiting, own_fd(waiting));
		return;
	}
	say_escaped(waiting, socket->protocol_name ? socket->protocol_name : "socket");
	if (!is_unix) {
		say(waiting, " ");
		text_append_endpoint(&waiting->sentence, &socket->local);
		return;
	}
	say(waiting, " socket");
	if (socket->path) {
		say(waiting, " ");
		say_escaped(waiting, socket->path);
	}
}

static bool has_remote(const struct socket_facts *socket)
{
	return socket && socket->remote.ss_family != AF_UNSPEC && socket->family != AF_UNIX;
}

/* " from 127.0.0.1:51234, cat (pid 7)" */
static void say_other_end(struct waiting *waiting, const char *preposition)
{
	const struct socket_facts *socket = socket_of(waiting);

	if (has_remote(socket)) {
		say(waiting, "%s ", preposition);
		text_append_endpoint(&waiting->sentence, &socket->remote);
		preposition = " of";
	}
	if (waiting->descriptor) {
		if (socket && socket->peer_not_accepted)
			preposition = ", before it is accepted by";
		say_peers(waiting, preposition, waiting->descriptor);
		add_peers(waiting, waiting->descriptor, "the other end of the socket");
		add_remote(waiting, waiting->descriptor, "");
		/* Anybody can send to a socket that takes datagrams. */
		if (socket && socket->type == SOCK_DGRAM)
			waiting->holders_complete = false;
	}
}

/* The name in a unix address of the target's, whose length is that of the call's parameter; an
 * abstract one has its NUL. 0: there is none. */
static size_t read_unix_name(const struct waiting *waiting, const char *address_parameter,
	const char *length_parameter, char name[sizeof(((struct sockaddr_un *)0)->sun_path)])
{
	size_t length = (size_t)(uint32_t)call_value(waiting, length_parameter);
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	struct sockaddr_un address = {0};

	if (length <= start || length > sizeof(address) ||
		!memory_read(waiting->process->memory, call_value(waiting, address_parameter),
			&address, length) ||
		address.sun_family != AF_UNIX)
		return 0;
	memcpy(name, address.sun_path, length - start);
	return name[0] ? strnlen(name, length - start) : length - start;
}

/* Who has the unix socket of the call's address: one that listens, or takes datagrams. */
static void add_unix_holders(struct waiting *waiting, const char *address, const char *length,
	bool listening, const char *text)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t size = read_unix_name(waiting, address, length, name);

	if (!surroundings || !size)
		return;
	struct parties parties = surroundings->unix_socket(
		surroundings, waiting->process->pid, name, size, listening);
	add_parties(waiting, &parties, text);
}

static bool explain_accept(struct waiting *waiting)
{
	const struct socket_facts *socket = socket_of(waiting);

	say(waiting, "waits for a client to connect to ");
	say_socket(waiting, socket);
	if (socket && socket->has_queues) {
		say(waiting, " (listening, %u of %u queued)", socket->receive_queue,
			socket->send_queue);
		waiting->idle = socket->receive_queue == 0;
	}
	return true;
}

static bool explain_connect(struct waiting *waiting)
{
	const struct socket_facts *socket = socket_of(waiting);

	if (socket && socket->family == AF_UNIX) {
		say(waiting, "waits for room among the connections queued at unix socket ");
		say_argument(waiting, "addr");
		add_unix_holders(waiting, "addr", "addrlen", true, "listens there");
		return true;
	}
	say(waiting, "waits for ");
	if (has_remote(socket))
		text_append_endpoint(&waiting->sentence, &socket->remote);
	else
		say_argument(waiting, "addr");
	say(waiting, " to answer the connection request");
	if (socket && socket->protocol_name) {
		say(waiting, " (");
		say_escaped(waiting, socket->protocol_name);
		say(waiting, ")");
	}
	if (waiting->descriptor) {
		/* The kernel gives up after a number of tries. */
		add_peers(waiting, waiting->descriptor, "listens there");
		add_remote(waiting, waiting->descriptor, "");
		waiting->holders_complete = false;
	}
	return true;
}

static bool explain_socket_receive(struct waiting *waiting)
{
	const struct socket_facts *socket = socket_of(waiting);

	if (!is_kind(waiting, DESCRIPTOR_SOCKET))
		return false;
	waiting->idle = !is_certain_party(waiting->descriptor);
	say(waiting, "waits for data on ");
	say_socket(waiting, socket);
	say_other_end(waiting, " from");
	say_timeout(waiting);
	return true;
}

static bool explain_socket_send(struct waiting *waiting)
{
	const struct socket_facts *socket = socket_of(waiting);

	if (!is_kind(waiting, DESCRIPTOR_SOCKET))
		return false;
	say(waiting, "waits for room to send on ");
	say_socket(waiting, socket);
	say_other_end(waiting, " to");
	if (socket && socket->family == AF_UNIX && !socket->peer_inode)
		add_unix_holders(
			waiting, "dest_addr", "addrlen", false, "has the socket that it sends to");
	if (socket && socket->has_queues && socket->send_queue)
		say(waiting, " (%u bytes not taken yet)", socket->send_queue);
	return true;
}

/* "the pipe" or "FIFO /path", then its other end. */
static bool explain_pipe(struct waiting *waiting, const char *what, const char *preposition)
{
	const struct descriptor *descriptor = waiting->descriptor;

	if (!is_kind(waiting, DESCRIPTOR_PIPE) && !is_kind(waiting, DESCRIPTOR_FIFO))
		return false;
	say(waiting, "waits for %s ", what);
	if (descriptor->kind == DESCRIPTOR_PIPE) {
		say(waiting, "the pipe");
	} else {
		say(waiting, "FIFO ");
		say_descriptor(waiting, own_fd(waiting));
	}
	if (descriptor->peer_count)
		say_peers(waiting, preposition, descriptor);
	else if (!descriptor->peers_partial)
		say(waiting, ", whose other end no process has open");
	add_peers(waiting, descriptor, "the other end of the pipe");
	return true;
}

static bool explain_pipe_read(struct waiting *waiting)
{
	return explain_pipe(waiting, "data on", " from");
}

static bool explain_pipe_write(struct waiting *waiting)
{
	return explain_pipe(waiting, "room in", " to");
}

static void add_eventfd_users(struct waiting *waiting)
{
	struct surroundings *surroundings = waiting->process->surroundings;

	if (!surroundings || waiting->descriptor->eventfd_id < 0)
		return;
	struct parties users = surroundings->eventfd_openers(surroundings, waiting->process->pid,
		waiting->process->ppid, waiting->descriptor->eventfd_id);
	add_users(waiting, &users, "has the eventfd open");
}

static bool explain_tty_read(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_TTY))
		return false;
	say(waiting, "waits for input on terminal ");
	say_descriptor(waiting, own_fd(waiting));
	add_masters(waiting, waiting->descriptor);
	return true;
}

static bool explain_tty_write(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_TTY))
		return false;
	say(waiting, "waits for terminal ");
	say_descriptor(waiting, own_fd(waiting));
	say(waiting, " to take output");
	add_masters(waiting, waiting->descriptor);
	return true;
}

static bool explain_eventfd_read(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_EVENTFD))
		return false;
	say(waiting, "waits for eventfd %d to be written", own_fd(waiting));
	add_eventfd_users(waiting);
	return true;
}

static bool explain_eventfd_write(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_EVENTFD))
		return false;
	say(waiting, "waits for eventfd %d to be read (its count is %llu)", own_fd(waiting),
		(unsigned long long)waiting->descriptor->counter);
	add_eventfd_users(waiting);
	return true;
}

static bool explain_timerfd(struct waiting *waiting)
{
	const struct descriptor *descriptor = waiting->descriptor;

	if (!is_kind(waiting, DESCRIPTOR_TIMERFD))
		return false;
	say(waiting, "waits for timerfd %d to fire", own_fd(waiting));
	if (descriptor->expires_ns < 0) {
		say(waiting, ", which is not armed");
	} else {
		say(waiting, " in ");
		text_append_duration(&waiting->sentence, descriptor->expires_ns);
	}
	return true;
}

static bool explain_signalfd(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_SIGNALFD))
		return false;
	say(waiting, "waits for a signal on signalfd %d: ", own_fd(waiting));
	text_append_signals(&waiting->sentence, waiting->descriptor->signals);
	return true;
}

static bool explain_inotify(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_INOTIFY) && !is_kind(waiting, DESCRIPTOR_FANOTIFY))
		return false;
	say(waiting, "waits for a change to a file that %s %d watches",
		waiting->descriptor->kind == DESCRIPTOR_INOTIFY ? "inotify" : "fanotify",
		own_fd(waiting));
	return true;
}

static bool explain_device(struct waiting *waiting)
{
	if (!is_kind(waiting, DESCRIPTOR_CHARACTER_DEVICE))
		return false;
	say(waiting, "waits for device ");
	say_descriptor(waiting, own_fd(waiting));
	say(waiting, waiting->call->row->class == CALL_READ ? " to give data" : " to take data");
	return true;
}

static bool explain_file(struct waiting *waiting)
{
	say(waiting, "waits for the %s of ",
		waiting->call->row->class == CALL_READ ? "read" : "write");
	say_descriptor(waiting, own_fd(waiting));
	return true;
}

static const struct wait_kind rows[] = {
	{"socket-accept", true, CALL_ACCEPT, explain_accept},
	{"socket-connect", false, CALL_CONNECT, explain_connect},
	{"socket-receive", false, CALL_READ, explain_socket_receive},
	{"socket-send", false, CALL_WRITE, explain_socket_send},
	{"pipe-read", false, CALL_READ, explain_pipe_read},
	{"pipe-write", false, CALL_WRITE, explain_pipe_write},
	{"tty-read", true, CALL_READ, explain_tty_read},
	{"tty-write", false, CALL_WRITE, explain_tty_write},
	{"eventfd-read", true, CALL_READ, explain_eventfd_read},
	{"eventfd-write", false, CALL_WRITE, explain_eventfd_write},
	{"timerfd-read", true, CALL_READ, explain_timerfd},
	{"signalfd-read", true, CALL_READ, explain_signalfd},
	{"inotify-read", true, CALL_READ, explain_inotify},
	{"device-read", false, CALL_READ, explain_device},
	{"device-write", false, CALL_WRITE, explain_device},
	{"file-read", false, CALL_READ, explain_file},
	{"file-write", false, CALL_WRITE, explain_file},
};

const struct wait_kinds waits_for_descriptor = KINDS(rows);
