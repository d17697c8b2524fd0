// SPDX-License-Identifier: Apache-2.0
/* Socket record: what the kernel's tables tell of one socket, kept small since a machine may have
 * 100,000 of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One side's address: of an IPv4 or IPv6 socket, or a vsock (its cid as scope). */
struct socket_end {
	uint8_t host[16]; /* IPv4 as ::ffff:a.b.c.d, so that both families compare */
	uint32_t scope;
	uint32_t port; /* host order */
};

struct socket_record {
	uint32_t inode; /* 0: no descriptor yet, as before accept() */
	uint8_t family;
	uint8_t type;  /* SOCK_STREAM …; 0: not known */
	uint8_t state; /* TCP_ESTABLISHED …, for all families */
	bool has_queues;
	uint16_t protocol;
	uint16_t name_length;
	const char
		*name; /* unix: without a path's NUL; an abstract one begins with NUL. NULL: none */
	uint32_t peer_inode;                /* unix: of the connected socket; 0: none */
	uint32_t receive_queue, send_queue; /* bytes; listening: waiting connections, their limit */
	struct socket_end local, remote;
};

/* A heap array, freed with free(). */
struct socket_records {
	struct socket_record *items;
	size_t count, capacity;
};
