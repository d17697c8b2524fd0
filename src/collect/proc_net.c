// SPDX-License-Identifier: Apache-2.0
#include "collect/proc_net.h"

#include <linux/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "util/memory.h"

#define LINE_MAX_LENGTH 512

/* ADDRESS:PORT: the address as 32-bit words of the machine's order, each 8 digits, as
 * net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c print them. */
static bool parse_end(const char *field, int *family, struct socket_end *end)
{
	const char *colon = strchr(field, ':');
	size_t words = colon ? (size_t)(colon - field) / 8 : 0;

	if (!colon || (size_t)(colon - field) % 8 || (words != 1 && words != 4))
		return false;
	*family = words == 4 ? AF_INET6 : AF_INET;
	if (words == 1)
		end->host[10] = end->host[11] = 0xff;
	for (size_t i = 0; i < words; i++) {
		char digits[9] = "";
		uint32_t word;

		memcpy(digits, field + 8 * i, 8);
		word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(end->host + (words == 1 ? 12 : 4 * i), &word, 4);
	}
	end->port = (uint32_t)strtoul(colon + 1, NULL, 16) & 0xffff;
	return true;
}

/* sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode … */
static bool take_inet(const char *line, struct arena *arena, struct socket_record *record)
{
	char local[48], remote[48];
	unsigned state, send, receive, inode;
	int family;

	(void)arena;
	if (sscanf(line, " %*[0-9]: %47s %47s %2x %8x:%8x %*s %*s %*s %*s %10u", local, remote,
		    &state, &send, &receive, &inode) != 6 ||
		!parse_end(local, &family, &record->local) ||
		!parse_end(remote, &family, &record->remote))
		return false;
	record->family = (uint8_t)family;
	record->state = (uint8_t)state;
	record->inode = inode;
	/* A listening socket's limit is not in the file. */
	record->has_queues = state != TCP_LISTEN;
	record->receive_queue = receive;
	record->send_queue = send;
	return true;
}

/* Num: RefCount Protocol Flags Type St Inode Path; St is a socket_state of linux/net.h. */
static bool take_unix(const char *line, struct arena *arena, struct socket_record *record)
{
	unsigned flags, type, state, inode;
	int end = 0;

	if (sscanf(line, "%*[0-9a-fA-F]: %*x %*x %8x %4x %2x %10u%n", &flags, &type, &state, &inode,
		    &end) != 4 ||
		!end)
		return false;
	record->family = AF_UNIX;
	record->type = (uint8_t)type;
	record->inode = inode;
	record->state = flags & __SO_ACCEPTCON  ? TCP_LISTEN
			: state == SS_CONNECTED ? TCP_ESTABLISHED
						: TCP_CLOSE;
	if (line[end] != ' ')
		return true;
	char *name = arena_strdup(arena, line + end + 1);
	record->name_length = (uint16_t)strlen(name);
	record->name = record->name_length ? name : NULL;
	if (name[0] == '@') /* as are NULs within an abstract name; they can't be told from it */
		name[0] = '\0';
	return true;
}

/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; Eth is the protocol. */
static bool take_netlink(const char *line, struct arena *arena, struct socket_record *record)
{
	unsigned protocol, port, inode;

	(void)arena;
	if (sscanf(line, "%*[0-9a-fA-F] %3u %10u %*s %*s %*s %*s %*s %*s %10u", &protocol, &port,
		    &inode) != 3)
		return false;
	record->family = AF_NETLINK;
	record->protocol = (uint16_t)protocol;
	record->local.port = port;
	record->inode = inode;
	return true;
}

static bool (*const forms[])(const char *, struct arena *, struct socket_record *) = {
	[PROC_NET_INET] = take_inet,
	[PROC_NET_UNIX] = take_unix,
	[PROC_NET_NETLINK] = take_netlink,
};

static int compare_inodes(const void *left, const void *right)
{
	const struct socket_record *a = left, *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

static void remove_doubles(struct socket_records *records)
{
	size_t kept = 0;

	if (records->count)
		qsort(records->items, records->count, sizeof(*records->items), compare_inodes);
	for (size_t i = 0, next; i < records->count; i = next) {
		for (next = i + 1; next < records->count; next++) {
			if (records->items[next].inode != records->items[i].inode)
				break;
		}
		if (next == i + 1 || !records->items[i].inode) {
			memmove(&records->items[kept], &records->items[i],
				(next - i) * sizeof(*records->items));
			kept += next - i;
		}
	}
	records->count = kept;
}

void proc_net_parse(enum proc_net_form form, const char *bytes, size_t length, struct arena *arena,
	struct socket_records *records)
{
	for (const char *end = bytes + length; length && bytes < end;) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t size = (size_t)((newline ? newline : end) - bytes);
		struct socket_record record = {0};
		char line[LINE_MAX_LENGTH];

		if (size < sizeof(line)) {
			memcpy(line, bytes, size);
			line[size] = '\0';
			if (forms[form](line, arena, &record)) {
				array_reserve(records->items, records->count, records->capacity);
				records->items[records->count++] = record;
			}
		}
		if (!newline)
			break;
		bytes = newline + 1;
	}
	remove_doubles(records);
}
