// SPDX-License-Identifier: Apache-2.0
/*
 * Sock_diag: asking the kernel for its sockets by netlink, see sock_diag(7). It knows the
 * messages; which to send, and in what namespace, collect/sockets.h decides.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/socket_record.h"
#include "util/arena.h"

struct sock_diag_query {
	int family;
	int protocol;    /* AF_INET, AF_INET6 */
	uint32_t states; /* bit n: sockets in state n, TCP_ESTABLISHED …; for unix, TCP, UDP, vsock
			  */
	uint32_t inode;  /* AF_UNIX: this socket alone; 0: all of them */
	bool backlogs;   /* AF_UNIX: only who waits to be accepted by whom */
};

/* A unix socket whose connection has not been accepted yet. */
struct pending_connection {
	uint32_t client, listener; /* inodes */
};

struct pending_connections {
	struct pending_connection *items; /* heap */
	size_t count, capacity;
};

struct sock_diag_answer {
	const struct sock_diag_query *query;
	struct arena *arena; /* of the names */
	struct socket_records records;
	struct pending_connections pending;
	bool interrupted; /* sockets came or went meanwhile: some may be missing */
	int error;        /* an errno value, once the answer has failed */
};

/* The type of the sockets of an internet protocol, SOCK_STREAM …; 0: it has several. */
int sock_diag_type(int protocol);

enum sock_diag_progress { SOCK_DIAG_MORE, SOCK_DIAG_DONE, SOCK_DIAG_FAILED };

/*
 * Adds to @answer what @length bytes of one read from the netlink socket tell, as far as they
 * answer the request @sequence. @bytes are aligned to 4, and may be read up to a multiple of 4.
 * Pure.
 */
enum sock_diag_progress sock_diag_parse(
	const void *bytes, size_t length, uint32_t sequence, struct sock_diag_answer *answer);

/*
 * A netlink socket for it in the network namespace that the calling thread is in; -1: errno tells
 * why. The caller closes it.
 */
int sock_diag_open(void);

/*
 * Asks on @socket and gathers the whole answer; query and arena of @answer are set by the caller,
 * who frees its arrays. 0, or an errno value: ENOENT where the kernel has no module for that
 * family, or no socket with that inode. A dump that sockets came into or left is redone twice.
 */
int sock_diag_ask(int socket, struct sock_diag_answer *answer);
