// SPDX-License-Identifier: Apache-2.0
#include "collect/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/proc_net.h"
#include "collect/sock_diag.h"
#include "util/file.h"
#include "util/memory.h"

#define STATE(state) (1U << (state))
#define ALL_STATES (~0U)
/* The other states have no descriptor yet, or none any more. */
#define TCP_NEW_SYN_RECV 12 /* include/net/tcp_states.h; not in the system's header */
#define TCP_OPEN_STATES                                                                            \
	(~(STATE(TCP_LISTEN) | STATE(TCP_TIME_WAIT) | STATE(TCP_SYN_RECV) |                        \
		STATE(TCP_NEW_SYN_RECV)))
/* Each exact look-up of a unix socket may walk through all of them (net/unix/diag.c,
 * unix_lookup_by_ino()): after so many, one dump is cheaper. */
#define UNIX_LOOKUPS_MAX 64
/* As much of a file of /proc/PID/net as is read: 400,000 sockets. */
#define PROC_NET_SIZE_MAX (64U << 20)

enum table_id {
	TABLE_TCP4_LISTENING,
	TABLE_TCP4,
	TABLE_TCP6_LISTENING,
	TABLE_TCP6,
	TABLE_MPTCP4,
	TABLE_MPTCP6,
	TABLE_UDP4,
	TABLE_UDP6,
	TABLE_UDPLITE4,
	TABLE_UDPLITE6,
	TABLE_RAW4,
	TABLE_RAW6,
	TABLE_SCTP4,
	TABLE_SCTP6,
	TABLE_UNIX,
	TABLE_NETLINK,
	TABLE_PACKET,
	TABLE_VSOCK,
	TABLES,
};

/* How a table is read: by sock_diag, else from the file. */
static const struct {
	struct sock_diag_query query;
	const char *file; /* NULL: none of this kind */
	enum proc_net_form form;
} sources[TABLES] = {
	/* A machine may have a hundred thousand connections, but not so many listening sockets. */
	[TABLE_TCP4_LISTENING] = {{AF_INET, IPPROTO_TCP, STATE(TCP_LISTEN), 0, false}, "net/tcp",
		PROC_NET_INET},
	[TABLE_TCP4] = {{AF_INET, IPPROTO_TCP, TCP_OPEN_STATES, 0, false}, "net/tcp",
		PROC_NET_INET},
	[TABLE_TCP6_LISTENING] = {{AF_INET6, IPPROTO_TCP, STATE(TCP_LISTEN), 0, false}, "net/tcp6",
		PROC_NET_INET},
	[TABLE_TCP6] = {{AF_INET6, IPPROTO_TCP, TCP_OPEN_STATES, 0, false}, "net/tcp6",
		PROC_NET_INET},
	[TABLE_MPTCP4] = {{AF_INET, IPPROTO_MPTCP, ALL_STATES, 0, false}, NULL, 0},
	[TABLE_MPTCP6] = {{AF_INET6, IPPROTO_MPTCP, ALL_STATES, 0, false}, NULL, 0},
	[TABLE_UDP4] = {{AF_INET, IPPROTO_UDP, ALL_STATES, 0, false}, "net/udp", PROC_NET_INET},
	[TABLE_UDP6] = {{AF_INET6, IPPROTO_UDP, ALL_STATES, 0, false}, "net/udp6", PROC_NET_INET},
	[TABLE_UDPLITE4] = {{AF_INET, IPPROTO_UDPLITE, ALL_STATES, 0, false}, "net/udplite",
		PROC_NET_INET},
	[TABLE_UDPLITE6] = {{AF_INET6, IPPROTO_UDPLITE, ALL_STATES, 0, false}, "net/udplite6",
		PROC_NET_INET},
	[TABLE_RAW4] = {{AF_INET, IPPROTO_RAW, ALL_STATES, 0, false}, "net/raw", PROC_NET_INET},
	[TABLE_RAW6] = {{AF_INET6, IPPROTO_RAW, ALL_STATES, 0, false}, "net/raw6", PROC_NET_INET},
	[TABLE_SCTP4] = {{AF_INET, IPPROTO_SCTP, ALL_STATES, 0, false}, NULL, 0},
	[TABLE_SCTP6] = {{AF_INET6, IPPROTO_SCTP, ALL_STATES, 0, false}, NULL, 0},
	[TABLE_UNIX] = {{AF_UNIX, 0, ALL_STATES, 0, false}, "net/unix", PROC_NET_UNIX},
	[TABLE_NETLINK] = {{AF_NETLINK, 0, 0, 0, false}, "net/netlink", PROC_NET_NETLINK},
	[TABLE_PACKET] = {{AF_PACKET, 0, 0, 0, false}, NULL, 0},
	[TABLE_VSOCK] = {{AF_VSOCK, 0, ALL_STATES, 0, false}, NULL, 0},
};

/* To add a protocol: its name in the kernel (struct proto's, or the one in /proc/net/protocols),
 * ours, and the tables to look for it in, the cheapest first. */
static const struct protocol {
	const char *kernel_name;
	const char *name;
	enum table_id tables[4]; /* end with TABLES */
} protocols[] = {
	{"TCP", "TCP", {TABLE_TCP4_LISTENING, TABLE_TCP4, TABLES}},
	{"TCPv6", "TCP", {TABLE_TCP6_LISTENING, TABLE_TCP6, TABLES}},
	/* One that fell back to TCP after accept() is in TCP's tables. */
	{"MPTCP", "MPTCP", {TABLE_MPTCP4, TABLE_TCP4_LISTENING, TABLE_TCP4, TABLES}},
	{"MPTCPv6", "MPTCP", {TABLE_MPTCP6, TABLE_TCP6_LISTENING, TABLE_TCP6, TABLES}},
	{"UDP", "UDP", {TABLE_UDP4, TABLES}},
	{"UDPv6", "UDP", {TABLE_UDP6, TABLES}},
	{"UDP-Lite", "UDP-Lite", {TABLE_UDPLITE4, TABLES}},
	{"UDPLITEv6", "UDP-Lite", {TABLE_UDPLITE6, TABLES}},
	{"RAW", "raw", {TABLE_RAW4, TABLES}},
	{"RAWv6", "raw", {TABLE_RAW6, TABLES}},
	{"SCTP", "SCTP", {TABLE_SCTP4, TABLES}},
	{"SCTPv6", "SCTP", {TABLE_SCTP6, TABLES}},
	{"PING", "ping", {TABLES}},
	{"PINGv6", "ping", {TABLES}},
	{"UNIX", "unix", {TABLE_UNIX, TABLES}},
	{"UNIX-STREAM", "unix", {TABLE_UNIX, TABLES}}, /* since Linux 5.15 */
	{"NETLINK", "netlink", {TABLE_NETLINK, TABLES}},
	{"PACKET", "packet", {TABLE_PACKET, TABLES}},
	{"AF_VSOCK", "vsock", {TABLE_VSOCK, TABLES}},
};

struct table {
	bool loaded;
	struct socket_records records; /* by rising inode */
	/* The same by their addresses; made when a remote end is first asked for. */
	const struct socket_record **by_ends;
};

struct sockets {
	struct arena *arena;
	int socket; /* -1: sock_diag can't be had */
	const char *problem;
	unsigned unix_lookups;
	struct table tables[TABLES];
	bool pending_loaded;
	struct pending_connections pending; /* by rising client */
};

/* What the thread that enters the namespace is given, and gives. */
struct entering {
	int namespace; /* -1: stay in this one */
	int socket;
	int error;
};

static void *open_netlink(void *argument)
{
	struct entering *entering = argument;

	if (entering->namespace >= 0 && setns(entering->namespace, CLONE_NEWNET) < 0) {
		entering->error = errno;
		return NULL;
	}
	entering->socket = sock_diag_open();
	if (entering->socket < 0)
		entering->error = errno;
	return NULL;
}

/* A netlink socket belongs to the namespace that its maker was in, so a short-lived thread
 * makes it: this one never leaves its own. */
static int enter(struct entering *entering)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	error = pthread_create(&thread, &attributes, open_netlink, entering);
	pthread_attr_destroy(&attributes);
	if (error)
		return error;
	pthread_join(thread, NULL);
	return entering->error;
}

struct sockets *sockets_create(int process, bool own, struct arena *arena)
{
	struct sockets *sockets = allocate_zeroed(1, sizeof(*sockets));
	struct entering entering = {.namespace = -1, .socket = -1};

	sockets->arena = arena;
	if (own) {
		open_netlink(&entering);
	} else {
		int namespace cleanup_close =
			openat(process, "ns/net", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		entering.namespace = namespace;
		entering.error = namespace < 0 ? errno : enter(&entering);
	}
	sockets->socket = entering.socket;
	if (entering.error == EPERM || entering.error == EACCES)
		sockets->problem = "is in another network namespace: needs CAP_SYS_ADMIN: "
				   "run with sudo";
	else if (entering.error)
		sockets->problem =
			arena_printf(arena, "sockets: %s", error_errno(entering.error).reason);
	return sockets;
}

void sockets_destroy(struct sockets *sockets)
{
	if (!sockets)
		return;
	close_at(&sockets->socket);
	for (size_t i = 0; i < TABLES; i++) {
		free(sockets->tables[i].records.items);
		free(sockets->tables[i].by_ends);
	}
	free(sockets->pending.items);
	free(sockets);
}

const char *sockets_problem(const struct sockets *sockets)
{
	return sockets->problem;
}

static const struct protocol *find_protocol(const char *kernel_name)
{
	for (size_t i = 0; i < array_length(protocols); i++) {
		if (strcmp(protocols[i].kernel_name, kernel_name) == 0)
			return &protocols[i];
	}
	return NULL;
}

const char *sockets_protocol_name(const char *kernel_name)
{
	const struct protocol *protocol = find_protocol(kernel_name);

	return protocol ? protocol->name : kernel_name;
}

static int compare_inodes(const void *left, const void *right)
{
	const struct socket_record *a = left, *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

static void read_file(struct sockets *sockets, int process, enum table_id id)
{
	struct text content cleanup_text = {0};
	struct socket_records *records = &sockets->tables[id].records;

	if (!sources[id].file ||
		failed(file_read(process, sources[id].file, PROC_NET_SIZE_MAX, &content)))
		return;
	proc_net_parse(sources[id].form, content.bytes, content.length, sockets->arena, records);
	size_t kept = 0;
	for (size_t i = 0; i < records->count; i++) {
		const struct sock_diag_query *query = &sources[id].query;
		struct socket_record record = records->items[i];

		if (query->states && !(query->states >> (record.state & 31) & 1))
			continue;
		if (sources[id].form == PROC_NET_INET) {
			record.type = (uint8_t)sock_diag_type(query->protocol);
			/* Of raw sockets the file has the protocol in the port's place. */
			record.protocol = record.type == SOCK_RAW ? (uint16_t)record.local.port
								  : (uint16_t)query->protocol;
		}
		records->items[kept++] = record;
	}
	records->count = kept;
}

static struct table *load(struct sockets *sockets, int process, enum table_id id)
{
	struct table *table = &sockets->tables[id];
	struct sock_diag_answer answer = {.query = &sources[id].query, .arena = sockets->arena};
	int error = ENOENT;

	if (table->loaded)
		return table;
	table->loaded = true;
	if (sockets->socket >= 0)
		error = sock_diag_ask(sockets->socket, &answer);
	table->records = answer.records;
	free(answer.pending.items);
	if (error) {
		table->records.count = 0;
		read_file(sockets, process, id);
		if (!sockets->problem && id == TABLE_UNIX)
			sockets->problem = "peers of unix sockets are not known: "
					   "needs the kernel's module unix_diag";
	}
	if (table->records.count)
		qsort(table->records.items, table->records.count, sizeof(*table->records.items),
			compare_inodes);
	return table;
}

static const struct socket_record *find_in(const struct table *table, uint32_t inode)
{
	const struct socket_record wanted = {.inode = inode};

	return table->records.count ? bsearch(&wanted, table->records.items, table->records.count,
					      sizeof(wanted), compare_inodes)
				    : NULL;
}

/* One unix socket without reading all; NULL: not found that way. */
static const struct socket_record *find_unix(struct sockets *sockets, uint32_t inode)
{
	struct sock_diag_query query = {.family = AF_UNIX, .states = ALL_STATES, .inode = inode};
	struct sock_diag_answer answer = {.query = &query, .arena = sockets->arena};
	const struct socket_record *record = NULL;

	sockets->unix_lookups++;
	if (sock_diag_ask(sockets->socket, &answer) == 0 && answer.records.count == 1 &&
		answer.records.items[0].inode == inode)
		record = arena_copy(sockets->arena, answer.records.items, sizeof(*record));
	free(answer.records.items);
	free(answer.pending.items);
	return record;
}

const struct socket_record *sockets_find(
	struct sockets *sockets, int process, const char *kernel_name, uint32_t inode)
{
	const struct protocol *protocol = find_protocol(kernel_name);
	const struct socket_record *record = NULL;

	if (!protocol || !inode)
		return NULL;
	if (protocol->tables[0] == TABLE_UNIX && !sockets->tables[TABLE_UNIX].loaded &&
		sockets->socket >= 0 && sockets->unix_lookups < UNIX_LOOKUPS_MAX)
		record = find_unix(sockets, inode);
	for (size_t i = 0; !record && protocol->tables[i] != TABLES; i++)
		record = find_in(load(sockets, process, protocol->tables[i]), inode);
	return record;
}

static int compare_end(const struct socket_end *a, const struct socket_end *b)
{
	int order = memcmp(a->host, b->host, sizeof(a->host));

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare_ends(const void *left, const void *right)
{
	const struct socket_record *a = *(const struct socket_record *const *)left;
	const struct socket_record *b = *(const struct socket_record *const *)right;
	int order = compare_end(&a->local, &b->local);

	return order ? order : compare_end(&a->remote, &b->remote);
}

/* The one socket with these ends; NULL: none, or more than one, as with SO_REUSEPORT. */
static const struct socket_record *find_by_ends(
	struct table *table, const struct socket_end *local, const struct socket_end *remote)
{
	const struct socket_record wanted = {.local = *local, .remote = *remote};
	const struct socket_record *key = &wanted;
	size_t count = table->records.count;

	if (!count)
		return NULL;
	if (!table->by_ends) {
		table->by_ends = allocate(count * sizeof(*table->by_ends));
		for (size_t i = 0; i < count; i++)
			table->by_ends[i] = &table->records.items[i];
		qsort(table->by_ends, count, sizeof(*table->by_ends), compare_ends);
	}
	const struct socket_record **found =
		bsearch(&key, table->by_ends, count, sizeof(key), compare_ends);
	if (!found || (found > table->by_ends && compare_ends(found - 1, &key) == 0) ||
		(found + 1 < table->by_ends + count && compare_ends(found + 1, &key) == 0))
		return NULL;
	return *found;
}

static bool is_mapped(const struct socket_end *end)
{
	static const uint8_t prefix[12] = {[10] = 0xff, 0xff};

	return memcmp(end->host, prefix, sizeof(prefix)) == 0;
}

/* Whether both ends may be of this machine, so that it is worth reading another table. */
static bool may_be_local(const struct socket_record *record)
{
	return (is_mapped(&record->remote) && record->remote.host[12] == 127) ||
	       memcmp(record->local.host, record->remote.host, sizeof(record->local.host)) == 0;
}

static bool is_loopback(const struct socket_end *end)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	return (is_mapped(end) && end->host[12] == 127) ||
	       memcmp(end->host, loopback6, sizeof(loopback6)) == 0;
}

/* An IPv4 connection may have an IPv6 socket at one end or at both. */
static const enum table_id tcp_open[] = {TABLE_TCP4, TABLE_TCP6};
static const enum table_id tcp_listening[] = {TABLE_TCP4_LISTENING, TABLE_TCP6_LISTENING};
static const enum table_id udp[] = {TABLE_UDP4, TABLE_UDP6};

/*
 * The socket of those @tables, of IPv4 and IPv6, that gets what is sent to @end first: one with
 * this very address goes before the wildcard (net/ipv4/inet_hashtables.c,
 * __inet_lookup_listener()).
 */
static const struct socket_record *find_unconnected(struct sockets *sockets, int process,
	const enum table_id tables[2], const struct socket_end *end)
{
	static const struct socket_end any[] = {{.host = {[10] = 0xff, 0xff}}, {.port = 0}};
	const struct socket_record *listener = NULL;

	for (int wildcard = 0; wildcard < 2; wildcard++) {
		for (size_t i = is_mapped(end) ? 0 : 1; i < 2 && !listener; i++) {
			struct socket_end local = wildcard ? any[i] : *end;

			local.port = end->port;
			listener = find_by_ends(load(sockets, process, tables[i]), &local, &any[i]);
		}
	}
	return listener;
}

/* @elsewhere: @record is of another namespace. */
static const struct socket_record *find_tcp_end(struct sockets *sockets, int process,
	const struct socket_record *record, bool elsewhere, bool *not_accepted)
{
	size_t own = record->family == AF_INET6;
	bool may_be_other = is_mapped(&record->remote) && (elsewhere || may_be_local(record));
	const struct socket_record *end = find_by_ends(
		load(sockets, process, tcp_open[own]), &record->remote, &record->local);

	if (!end && may_be_other)
		end = find_by_ends(
			load(sockets, process, tcp_open[!own]), &record->remote, &record->local);
	/* The listening socket has no room for the connection, or does not answer yet. */
	if (!end && !elsewhere && record->state == TCP_SYN_SENT && may_be_local(record)) {
		*not_accepted = true;
		return find_unconnected(sockets, process, tcp_listening, &record->remote);
	}
	if (!end || end->inode)
		return end;
	/* It has no descriptor: accept() has yet to give it one, or its process closed it, and
	 * then it has left these states. */
	if (end->state != TCP_ESTABLISHED && end->state != TCP_CLOSE_WAIT)
		return NULL;
	*not_accepted = true;
	return find_unconnected(sockets, process, tcp_listening, &record->remote);
}

/* Of a connected UDP socket on this machine: one that is connected to it, or that takes all. */
static const struct socket_record *find_udp_end(
	struct sockets *sockets, int process, const struct socket_record *record)
{
	const struct socket_record *end;

	if (!may_be_local(record))
		return NULL;
	end = find_by_ends(load(sockets, process, udp[record->family == AF_INET6]), &record->remote,
		&record->local);
	return end ? end : find_unconnected(sockets, process, udp, &record->remote);
}

static bool is_internet(const struct socket_record *record, int protocol)
{
	return (record->family == AF_INET || record->family == AF_INET6) && record->remote.port &&
	       record->protocol == protocol;
}

bool sockets_may_end_elsewhere(const struct socket_record *record)
{
	return is_internet(record, IPPROTO_TCP) && !is_loopback(&record->remote) &&
	       record->state != TCP_SYN_SENT;
}

const struct socket_record *sockets_other_end_elsewhere(struct sockets *sockets, int process,
	const struct socket_record *record, bool *not_accepted)
{
	*not_accepted = false;
	return find_tcp_end(sockets, process, record, true, not_accepted);
}

/* Whether a socket of the namespace listens at that port, at whichever address. */
static bool is_listened_at(struct sockets *sockets, int process, uint32_t port)
{
	for (size_t i = 0; i < array_length(tcp_listening); i++) {
		const struct socket_records *records =
			&load(sockets, process, tcp_listening[i])->records;

		for (size_t j = 0; j < records->count; j++) {
			if (records->items[j].local.port == port)
				return true;
		}
	}
	return false;
}

bool sockets_is_client(struct sockets *sockets, int process, const struct socket_record *record)
{
	return is_internet(record, IPPROTO_TCP) && record->state == TCP_ESTABLISHED &&
	       !is_listened_at(sockets, process, record->local.port);
}

bool sockets_is_unix_client(const struct socket_record *record, const struct socket_record *end)
{
	return record->family == AF_UNIX && !record->name && end && end->name;
}

bool sockets_is_client_inode(struct sockets *sockets, int process, uint32_t inode)
{
	static const enum table_id tables[] = {TABLE_TCP4, TABLE_TCP6, TABLE_UNIX};
	const struct socket_record *record = NULL;

	for (size_t i = 0; i < array_length(tables) && !record && inode; i++)
		record = find_in(load(sockets, process, tables[i]), inode);
	if (!record || record->family != AF_UNIX)
		return record && sockets_is_client(sockets, process, record);
	return sockets_is_unix_client(
		record, find_in(load(sockets, process, TABLE_UNIX), record->peer_inode));
}

const struct socket_record *sockets_find_named(
	struct sockets *sockets, int process, const char *name, size_t length, bool listening)
{
	const struct socket_records *records = &load(sockets, process, TABLE_UNIX)->records;
	const struct socket_record *found = NULL;

	for (size_t i = 0; i < records->count; i++) {
		const struct socket_record *record = &records->items[i];

		if (!record->name || record->name_length != length || !record->inode ||
			memcmp(record->name, name, length) != 0 ||
			(listening ? record->state != TCP_LISTEN : record->type != SOCK_DGRAM))
			continue;
		if (found)
			return NULL;
		found = record;
	}
	return found;
}

static int compare_clients(const void *left, const void *right)
{
	const struct pending_connection *a = left, *b = right;

	return (a->client > b->client) - (a->client < b->client);
}

/* The inode of the unix socket that has yet to accept @client's connection; 0: none. */
static uint32_t find_pending(struct sockets *sockets, uint32_t client)
{
	static const struct sock_diag_query query = {
		.family = AF_UNIX, .states = STATE(TCP_LISTEN), .backlogs = true};
	const struct pending_connection wanted = {.client = client}, *found;

	if (!sockets->pending_loaded && sockets->socket >= 0) {
		struct sock_diag_answer answer = {.query = &query, .arena = sockets->arena};

		sock_diag_ask(sockets->socket, &answer);
		free(answer.records.items);
		sockets->pending = answer.pending;
		if (sockets->pending.count)
			qsort(sockets->pending.items, sockets->pending.count,
				sizeof(*sockets->pending.items), compare_clients);
	}
	sockets->pending_loaded = true;
	if (!sockets->pending.count)
		return 0;
	found = bsearch(&wanted, sockets->pending.items, sockets->pending.count, sizeof(wanted),
		compare_clients);
	return found ? found->listener : 0;
}

const struct socket_record *sockets_other_end(struct sockets *sockets, int process,
	const struct socket_record *record, bool *not_accepted)
{
	*not_accepted = false;
	if (record->family == AF_UNIX) {
		uint32_t inode = record->peer_inode;

		if (!inode && record->state == TCP_ESTABLISHED) {
			inode = find_pending(sockets, record->inode);
			*not_accepted = inode;
		}
		return sockets_find(sockets, process, "UNIX", inode);
	}
	if (is_internet(record, IPPROTO_TCP))
		return find_tcp_end(sockets, process, record, false, not_accepted);
	if (is_internet(record, IPPROTO_UDP))
		return find_udp_end(sockets, process, record);
	return NULL;
}
