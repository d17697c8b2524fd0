// SPDX-License-Identifier: Apache-2.0
/*
 * Endpoint: a socket address as people write it. The bytes may come from a target's
 * memory, so nothing is believed of their length or content.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "util/text.h"

/*
 * Appends the socket address of @length bytes at @address, escaped:
 *     127.0.0.1:8080   [::1]:80   [fe80::1%2]:80   IPv4 in IPv6 as IPv4
 *     /run/x.sock   @abstract   unnamed            AF_UNIX, the name ending as @length says
 *     netlink 12, groups 0x1   packet on interface 2, protocol 0x0800   vsock 2:1024
 *     family 40                                    what has no form of its own
 * An address too short for its family is "family 2, cut short", one without a family "none".
 */
void text_append_sockaddr(struct text *text, const void *address, size_t length);

/* The same for an address whose length is not known; an abstract unix name ends with its last
 * byte that is not NUL. */
void text_append_endpoint(struct text *text, const struct sockaddr_storage *address);

/* The port of an IPv4 or IPv6 address, in host order; 0 for others. */
unsigned endpoint_port(const struct sockaddr_storage *address);

/* Whether the address names a host: false for 0.0.0.0 and ::, and for families other than IPv4 and
 * IPv6. */
bool endpoint_has_host(const struct sockaddr_storage *address);

/* Whether an IPv4 or IPv6 address is one of the loopback device's. */
bool endpoint_is_of_host(const struct sockaddr_storage *address);

/* Whether both name the same host; IPv4 in IPv6 is IPv4. */
bool endpoint_same_host(const struct sockaddr_storage *one, const struct sockaddr_storage *other);
