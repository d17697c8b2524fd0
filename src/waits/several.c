// SPDX-License-Identifier: Apache-2.0
/* Waiting for several descriptors: poll, select, epoll. */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "syscalls/watches.h"
#include "util/endpoint.h"
#include "util/memory.h"
#include "waits/kinds.h"

#define DESCRIPTORS_SAID 8
/* To find out who is at their other end: so many at most, and so many whatever they are. */
#define DESCRIPTORS_DESCRIBED 64
#define DESCRIPTORS_DESCRIBED_FIRST 32

/* What is waited for: data, room, or both, as the events say; EPOLLIN and POLLIN are one. */
static const char *purpose(uint32_t events)
{
	_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT, "one numbering");

	if (events & POLLIN)
		return events & POLLOUT ? "data or room" : "data";
	return events & POLLOUT ? "room" : "events";
}

/* An epoll instance goes on watching a file whose number has since been given to another. */
static bool is_same_file(const struct watched *watched, const struct descriptor *descriptor)
{
	return !descriptor || !watched->inode || !descriptor->inode ||
	       watched->inode == descriptor->inode;
}

static void say_one(
	struct waiting *waiting, const struct watched *watched, const struct descriptor *descriptor)
{
	if (!is_same_file(watched, descriptor))
		say(waiting, "%d<another file than now>", watched->fd);
	else
		say_number_and_descriptor(waiting, watched->fd);
}

static const struct descriptor *find(const struct waiting *waiting, int fd)
{
	return waiting->process->descriptors->find(waiting->process->descriptors, fd);
}

/* Whether whoever is at the other end of the descriptor is waited on: the process reads a pipe, or
 * made the connection itself, to a server. Its own clients owe it nothing. */
static bool is_upstream(const struct descriptor *descriptor)
{
	if (!descriptor)
		return false;
	if (descriptor->kind == DESCRIPTOR_SOCKET)
		return descriptor->socket && descriptor->socket->is_client;
	if (descriptor->kind == DESCRIPTOR_PIDFD)
		return true;
	return (descriptor->kind == DESCRIPTOR_PIPE || descriptor->kind == DESCRIPTOR_FIFO) &&
	       descriptor->readable && !descriptor->writable;
}

/* "may owe it an answer on TCP 127.0.0.1:40000 → 127.0.0.1:5432" */
static const char *upstream_text(struct waiting *waiting, const struct descriptor *descriptor)
{
	const struct socket_facts *socket = descriptor->socket;
	struct text text cleanup_text = {0};

	if (descriptor->kind == DESCRIPTOR_PIDFD)
		return "a process whose end it waits for";
	if (descriptor->kind != DESCRIPTOR_SOCKET)
		return "the other end of a pipe that it reads";
	text_append(&text, "may owe it an answer on ");
	text_append_escaped(&text, socket->protocol_name, strlen(socket->protocol_name));
	if (socket->family == AF_UNIX) {
		text_append(&text, " socket ");
		text_append_sockaddr(&text, &socket->remote, socket->remote_length);
	} else {
		text_append(&text, " ");
		text_append_endpoint(&text, &socket->local);
		text_append(&text, " → ");
		text_append_endpoint(&text, &socket->remote);
	}
	return text_to_arena(&text, waiting->waits->arena);
}

static void add_upstream(struct waiting *waiting, const struct descriptor *descriptor)
{
	const char *text = upstream_text(waiting, descriptor);

	for (size_t i = 0; i < descriptor->peer_count; i++) {
		if (descriptor->peers[i].pid != waiting->process->pid)
			add_holder(waiting, SURE_MAY, descriptor->peers[i].pid, 0, text);
	}
	add_remote(waiting, descriptor, ", which may owe it an answer");
}

/*
 * Adds those who may make one of several descriptors ready because the process asked them to. To
 * describe a descriptor takes long, and a server may watch thousands: where the inode of a socket
 * is known, which sockets are worth it is known without.
 */
static void add_upstreams(struct waiting *waiting, const struct watched *watched, size_t count)
{
	struct descriptors *descriptors = waiting->process->descriptors;
	size_t described = 0;

	for (size_t i = 0; i < count && described < DESCRIPTORS_DESCRIBED; i++) {
		bool known = i >= DESCRIPTORS_DESCRIBED_FIRST && watched[i].inode;

		if (!(watched[i].events & POLLIN))
			continue;
		if (known && (!descriptors->is_client ||
				     !descriptors->is_client(descriptors, watched[i].inode)))
			continue;
		const struct descriptor *descriptor = find(waiting, watched[i].fd);
		described++;
		if (is_upstream(descriptor) && is_same_file(&watched[i], descriptor))
			add_upstream(waiting, descriptor);
	}
}

/* A pidfd is ready when its process has ended (pidfd_open(2)). */
static void say_process_end(struct waiting *waiting, const struct descriptor *descriptor)
{
	say(waiting, "process %d", descriptor->pid);
	if (descriptor->peer_count) {
		say(waiting, " (");
		say_escaped(waiting, descriptor->peers[0].comm);
		say(waiting, ")");
	}
	say(waiting, " to end");
	add_holder(waiting, SURE_OWNS, descriptor->pid, 0, "the process");
	holders_are_all(waiting);
	waiting->idle = false;
}

static void say_watched(
	struct waiting *waiting, const struct watched *watched, size_t count, uint64_t total)
{
	if (total == 1 && count == 1) {
		const struct descriptor *descriptor = find(waiting, watched[0].fd);

		if (descriptor && descriptor->kind == DESCRIPTOR_PIDFD && descriptor->pid > 0 &&
			is_same_file(&watched[0], descriptor)) {
			say_process_end(waiting, descriptor);
			return;
		}
		say(waiting, "%s on ", purpose(watched[0].events));
		say_one(waiting, &watched[0], descriptor);
		if (!is_same_file(&watched[0], descriptor))
			return;
		if (descriptor && descriptor->kind == DESCRIPTOR_TTY)
			add_masters(waiting, descriptor);
		if (is_certain_party(descriptor)) {
			waiting->idle = false;
			add_peers(waiting, descriptor, "the other end of the only descriptor");
			add_remote(waiting, descriptor, "");
		}
		return;
	}
	add_upstreams(waiting, watched, count);
	say(waiting, "%llu descriptors: ", (unsigned long long)total);
	size_t said = count < DESCRIPTORS_SAID ? count : DESCRIPTORS_SAID;
	for (size_t i = 0; i < said; i++) {
		say(waiting, i ? ", " : "");
		say_one(waiting, &watched[i], find(waiting, watched[i].fd));
	}
	if (total > said)
		say(waiting, "%s… %llu more", said ? ", " : "", (unsigned long long)(total - said));
}

static bool explain_watches(struct waiting *waiting, const struct watches *watches, bool readable)
{
	say(waiting, "waits for ");
	if (!readable)
		say(waiting, "descriptors");
	else if (!watches->total)
		say(waiting, "a signal, as it watches no descriptor");
	else
		say_watched(waiting, watches->items, watches->count, watches->total);
	say_timeout(waiting);
	return true;
}

static bool explain_poll(struct waiting *waiting)
{
	struct watches watches = {.count = 0};
	bool readable = watches_add_pollfds(&watches, waiting->process->memory,
		call_value(waiting, "fds"), (uint32_t)call_value(waiting, "nfds"));

	return explain_watches(waiting, &watches, readable);
}

static bool explain_select(struct waiting *waiting)
{
	static const struct {
		const char *parameter;
		uint32_t events;
	} sets[] = {{"readfds", POLLIN}, {"writefds", POLLOUT}, {"exceptfds", POLLPRI}};
	struct watches watches = {.count = 0};
	bool readable = true;

	for (size_t i = 0; i < array_length(sets); i++) {
		uint64_t address = call_value(waiting, sets[i].parameter);

		if (address)
			readable &= watches_add_set(&watches, waiting->process->memory, address,
				(int)call_value(waiting, "nfds"), sets[i].events);
	}
	return explain_watches(waiting, &watches, readable);
}

static bool explain_epoll(struct waiting *waiting)
{
	const struct descriptor *descriptor = waiting->descriptor;
	int fd = (int)waiting->call->arguments[0];

	if (!descriptor || descriptor->kind != DESCRIPTOR_EPOLL) {
		say(waiting, "waits for the descriptors of epoll instance %d", fd);
	} else if (!descriptor->watched_count) {
		say(waiting, "waits for epoll instance %d%s", fd,
			descriptor->problem ? "" : ", which watches no descriptor");
	} else {
		say(waiting, "waits for ");
		say_watched(waiting, descriptor->watched, descriptor->watched_count,
			descriptor->watched_count);
		say(waiting, " (epoll %d)", fd);
	}
	say_timeout(waiting);
	return true;
}

static const struct wait_kind rows[] = {
	{"poll", true, CALL_POLL, explain_poll},
	{"select", true, CALL_SELECT, explain_select},
	{"epoll", true, CALL_EPOLL, explain_epoll},
};

const struct wait_kinds waits_for_several = KINDS(rows);
