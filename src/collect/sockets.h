// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets: those of one network namespace, asked for by inode. Each of the kernel's tables
 * is read at most once, and only when a socket of that kind is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collect/socket_record.h"
#include "util/arena.h"

struct sockets;

/*
 * The sockets of the network namespace of the process whose directory of /proc is @process, in
 * @arena. With @own, that is known to be this thread's. Never fails: what can't be entered is read
 * from /proc/PID/net, with less in it; sockets_problem() tells.
 */
struct sockets *sockets_create(int process, bool own, struct arena *arena);
void sockets_destroy(struct sockets *sockets); /* but for what is in the arena; NULL is allowed */

/* Why less is known than could be, with the remedy; NULL: nothing stands in the way. */
const char *sockets_problem(const struct sockets *sockets);

/* What people call the protocol that the kernel calls @kernel_name ("TCPv6" is "TCP"). */
const char *sockets_protocol_name(const char *kernel_name);

/*
 * The socket with that inode; NULL: not in this namespace, or in none of the kernel's tables
 * as those are that are neither bound nor connected. @kernel_name is its protocol as the
 * attribute system.sockprotoname of its descriptor has it, and selects the tables; @process is any
 * process of the namespace.
 */
const struct socket_record *sockets_find(
	struct sockets *sockets, int process, const char *kernel_name, uint32_t inode);

/*
 * The socket at the other end of @record in this namespace: a unix socket's peer, a TCP or UDP
 * socket with the same addresses the other way around. If that one still waits to be accepted, the
 * listening socket, and *not_accepted is set. NULL: none that is certain.
 */
const struct socket_record *sockets_other_end(struct sockets *sockets, int process,
	const struct socket_record *record, bool *not_accepted);

/* Whether the other end of @record may be of another network namespace of this machine. */
bool sockets_may_end_elsewhere(const struct socket_record *record);

/* As sockets_other_end(), of a TCP socket of another namespace than @sockets and @process. */
const struct socket_record *sockets_other_end_elsewhere(struct sockets *sockets, int process,
	const struct socket_record *record, bool *not_accepted);

/* Whether a TCP connection was made from this end, to a server: no socket listens at its port. */
bool sockets_is_client(struct sockets *sockets, int process, const struct socket_record *record);

/* The same of a unix socket, whose other end is @end: what accept() gives has the name of the
 * socket that listens, what connected as a rule none. */
bool sockets_is_unix_client(const struct socket_record *record, const struct socket_record *end);

/* The same of the TCP or unix socket with that inode; false for others. */
bool sockets_is_client_inode(struct sockets *sockets, int process, uint32_t inode);

/*
 * The unix socket that was bound to the @length bytes at @name, an abstract name's with the NUL
 * before it: one that listens, or else a datagram socket. NULL: none, or several, as of different
 * mount namespaces.
 */
const struct socket_record *sockets_find_named(
	struct sockets *sockets, int process, const char *name, size_t length, bool listening);
