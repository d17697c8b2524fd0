// SPDX-License-Identifier: Apache-2.0
#include "collect/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/memory.h"

/* The kernel makes dumps in pieces of as much as was last read, up to 32 KiB (net/netlink/
 * af_netlink.c, netlink_dump()). */
#define ANSWER_SIZE (64 * 1024)
#define DUMP_ATTEMPTS 3
#define UNIX_NAME_MAX 108 /* sun_path */

/* The attribute that stands @offset bytes into the message's payload; NULL: none does, whole. */
static const struct nlattr *attribute_at(const struct nlmsghdr *message, size_t offset)
{
	const struct nlattr *attribute = (const void *)((const char *)NLMSG_DATA(message) + offset);
	size_t length = NLMSG_PAYLOAD(message, 0);

	if (offset > length || length - offset < NLA_HDRLEN || attribute->nla_len < NLA_HDRLEN ||
		attribute->nla_len > length - offset)
		return NULL;
	return attribute;
}

/* The attributes behind the fixed part of @size bytes. */
#define for_each_attribute(attribute, message, size)                                               \
	for (const struct nlattr *attribute = attribute_at(message, NLMSG_ALIGN(size)); attribute; \
		attribute = attribute_at(message,                                                  \
			(size_t)((const char *)attribute - (const char *)NLMSG_DATA(message)) +    \
				NLA_ALIGN(attribute->nla_len)))

static unsigned attribute_type(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

static size_t attribute_size(const struct nlattr *attribute)
{
	return attribute->nla_len - NLA_HDRLEN;
}

static const void *attribute_data(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

static uint32_t attribute_u32(const struct nlattr *attribute)
{
	uint32_t value;

	memcpy(&value, attribute_data(attribute), sizeof(value));
	return value;
}

static void add_record(struct sock_diag_answer *answer, const struct socket_record *record)
{
	struct socket_records *records = &answer->records;

	array_reserve(records->items, records->count, records->capacity);
	records->items[records->count++] = *record;
}

static void set_host(struct socket_end *end, int family, const __be32 *host)
{
	if (family == AF_INET6) {
		memcpy(end->host, host, 16);
		return;
	}
	end->host[10] = end->host[11] = 0xff;
	memcpy(end->host + 12, host, 4);
}

int sock_diag_type(int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return SOCK_STREAM;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return SOCK_DGRAM;
	case IPPROTO_RAW:
		return SOCK_RAW;
	default:
		return 0;
	}
}

static void take_inet(const struct nlmsghdr *message, struct sock_diag_answer *answer)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	struct socket_record record = {
		.inode = socket->idiag_inode,
		.family = socket->idiag_family,
		.type = (uint8_t)sock_diag_type(answer->query->protocol),
		.protocol = (uint16_t)answer->query->protocol,
		.state = socket->idiag_state,
		.has_queues = true,
		.receive_queue = socket->idiag_rqueue,
		.send_queue = socket->idiag_wqueue,
		.local = {.scope = socket->id.idiag_if, .port = ntohs(socket->id.idiag_sport)},
		.remote = {.scope = socket->id.idiag_if, .port = ntohs(socket->id.idiag_dport)},
	};

	set_host(&record.local, record.family, socket->id.idiag_src);
	set_host(&record.remote, record.family, socket->id.idiag_dst);
	for_each_attribute(attribute, message, sizeof(*socket))
	{
		/* Of raw sockets the protocol that they take. */
		if (attribute_type(attribute) == INET_DIAG_PROTOCOL &&
			attribute_size(attribute) >= 1)
			record.protocol = *(const uint8_t *)attribute_data(attribute);
	}
	add_record(answer, &record);
}

static void take_pending(
	const struct nlattr *attribute, uint32_t listener, struct sock_diag_answer *answer)
{
	struct pending_connections *pending = &answer->pending;
	const uint8_t *clients = attribute_data(attribute);

	for (size_t i = 0; i + 4 <= attribute_size(attribute); i += 4) {
		struct pending_connection connection = {.listener = listener};

		memcpy(&connection.client, clients + i, 4);
		if (!connection.client)
			continue;
		array_reserve(pending->items, pending->count, pending->capacity);
		pending->items[pending->count++] = connection;
	}
}

static void take_name(
	const struct nlattr *attribute, struct socket_record *record, struct arena *arena)
{
	const char *name = attribute_data(attribute);
	size_t length = attribute_size(attribute);

	if (length > UNIX_NAME_MAX)
		length = UNIX_NAME_MAX;
	if (length && name[0])
		length = strnlen(name, length);
	if (!length)
		return;
	record->name = arena_copy(arena, name, length);
	record->name_length = (uint16_t)length;
}

static void take_unix(const struct nlmsghdr *message, struct sock_diag_answer *answer)
{
	const struct unix_diag_msg *socket = NLMSG_DATA(message);
	struct socket_record record = {
		.inode = socket->udiag_ino,
		.family = AF_UNIX,
		.type = socket->udiag_type,
		.state = socket->udiag_state,
	};

	for_each_attribute(attribute, message, sizeof(*socket))
	{
		size_t length = attribute_size(attribute);
		struct unix_diag_rqlen queues;

		switch (attribute_type(attribute)) {
		case UNIX_DIAG_NAME:
			take_name(attribute, &record, answer->arena);
			break;
		case UNIX_DIAG_PEER:
			if (length >= sizeof(uint32_t))
				record.peer_inode = attribute_u32(attribute);
			break;
		case UNIX_DIAG_ICONS:
			take_pending(attribute, record.inode, answer);
			break;
		case UNIX_DIAG_RQLEN:
			if (length < sizeof(queues))
				break;
			memcpy(&queues, attribute_data(attribute), sizeof(queues));
			record.has_queues = true;
			record.receive_queue = queues.udiag_rqueue;
			record.send_queue = queues.udiag_wqueue;
			break;
		}
	}
	if (!answer->query->backlogs)
		add_record(answer, &record);
}

static void take_netlink(const struct nlmsghdr *message, struct sock_diag_answer *answer)
{
	const struct netlink_diag_msg *socket = NLMSG_DATA(message);

	add_record(answer, &(struct socket_record){.inode = socket->ndiag_ino,
				   .family = AF_NETLINK,
				   .type = socket->ndiag_type,
				   .protocol = socket->ndiag_protocol,
				   .local.port = socket->ndiag_portid});
}

static void take_packet(const struct nlmsghdr *message, struct sock_diag_answer *answer)
{
	const struct packet_diag_msg *socket = NLMSG_DATA(message);
	struct socket_record record = {.inode = socket->pdiag_ino,
		.family = AF_PACKET,
		.type = socket->pdiag_type,
		.protocol = socket->pdiag_num};

	for_each_attribute(attribute, message, sizeof(*socket))
	{
		if (attribute_type(attribute) == PACKET_DIAG_INFO &&
			attribute_size(attribute) >= sizeof(struct packet_diag_info))
			record.local.scope = attribute_u32(attribute); /* pdi_index */
	}
	add_record(answer, &record);
}

static void take_vsock(const struct nlmsghdr *message, struct sock_diag_answer *answer)
{
	const struct vsock_diag_msg *socket = NLMSG_DATA(message);

	add_record(answer,
		&(struct socket_record){.inode = socket->vdiag_ino,
			.family = AF_VSOCK,
			.type = socket->vdiag_type,
			.state = socket->vdiag_state,
			.local = {.scope = socket->vdiag_src_cid, .port = socket->vdiag_src_port},
			.remote = {
				.scope = socket->vdiag_dst_cid, .port = socket->vdiag_dst_port}});
}

/* To add a family: a function that takes one message's socket, a line here, and its request in
 * put_request(). */
static const struct {
	int family;
	size_t size; /* of the fixed part of the message */
	void (*take)(const struct nlmsghdr *message, struct sock_diag_answer *answer);
} families[] = {
	{AF_INET, sizeof(struct inet_diag_msg), take_inet},
	{AF_INET6, sizeof(struct inet_diag_msg), take_inet},
	{AF_UNIX, sizeof(struct unix_diag_msg), take_unix},
	{AF_NETLINK, sizeof(struct netlink_diag_msg), take_netlink},
	{AF_PACKET, sizeof(struct packet_diag_msg), take_packet},
	{AF_VSOCK, sizeof(struct vsock_diag_msg), take_vsock},
};

static void take_socket(const struct nlmsghdr *message, struct sock_diag_answer *answer)
{
	const uint8_t *family = NLMSG_DATA(message);
	size_t length = NLMSG_PAYLOAD(message, 0);

	if (!length || *family != answer->query->family)
		return;
	for (size_t i = 0; i < array_length(families); i++) {
		if (families[i].family == *family && length >= families[i].size)
			families[i].take(message, answer);
	}
}

/* The errno value at the start of an NLMSG_ERROR's or NLMSG_DONE's payload; 0: none. */
static int message_error(const struct nlmsghdr *message)
{
	int number = 0;

	if (NLMSG_PAYLOAD(message, 0) >= sizeof(number))
		memcpy(&number, NLMSG_DATA(message), sizeof(number));
	return number < 0 && number > -4096 ? -number : 0;
}

/* NLMSG_OK() and NLMSG_NEXT() of linux/netlink.h, for a length that never passes below 0. */
static bool is_message(const struct nlmsghdr *message, size_t left)
{
	return left >= sizeof(*message) && message->nlmsg_len >= sizeof(*message) &&
	       message->nlmsg_len <= left;
}

static const struct nlmsghdr *next_message(const struct nlmsghdr *message, size_t *left)
{
	size_t length = NLMSG_ALIGN((size_t)message->nlmsg_len);

	if (length > *left)
		length = *left;
	*left -= length;
	return (const struct nlmsghdr *)((const char *)message + length);
}

enum sock_diag_progress sock_diag_parse(
	const void *bytes, size_t length, uint32_t sequence, struct sock_diag_answer *answer)
{
	const struct nlmsghdr *message = bytes;
	size_t left = length > ANSWER_SIZE ? ANSWER_SIZE : length;

	for (; is_message(message, left); message = next_message(message, &left)) {
		if (message->nlmsg_seq != sequence)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			answer->interrupted = true;
		switch (message->nlmsg_type) {
		case NLMSG_ERROR:
		case NLMSG_DONE:
			answer->error = message_error(message);
			return answer->error ? SOCK_DIAG_FAILED : SOCK_DIAG_DONE;
		case SOCK_DIAG_BY_FAMILY:
			take_socket(message, answer);
			/* Only dumps go on. */
			if (answer->query->inode)
				return SOCK_DIAG_DONE;
		}
	}
	return SOCK_DIAG_MORE;
}

/* A request with room for what any family wants. */
struct request {
	struct nlmsghdr header;
	union {
		struct {
			struct inet_diag_req_v2 fixed;
			struct nlattr protocol_header;
			uint32_t protocol;
		} inet;
		struct unix_diag_req local;
		struct netlink_diag_req netlink;
		struct packet_diag_req packet;
		struct vsock_diag_req vsock;
	};
};

/* The size of what it has put. */
static size_t put_inet_request(struct request *request, const struct sock_diag_query *query)
{
	request->inet.fixed = (struct inet_diag_req_v2){
		.sdiag_family = (uint8_t)query->family,
		.sdiag_protocol = (uint8_t)query->protocol,
		.idiag_states = query->states,
	};
	if (query->protocol <= UINT8_MAX)
		return sizeof(request->inet.fixed);
	/* since Linux 5.9; net/ipv4/inet_diag.c */
	request->inet.protocol_header = (struct nlattr){
		.nla_len = NLA_HDRLEN + sizeof(request->inet.protocol),
		.nla_type = INET_DIAG_REQ_PROTOCOL,
	};
	request->inet.protocol = (uint32_t)query->protocol;
	return sizeof(request->inet);
}

static size_t put_unix_request(struct request *request, const struct sock_diag_query *query)
{
	request->local = (struct unix_diag_req){
		.sdiag_family = AF_UNIX,
		.udiag_states = query->states,
		.udiag_ino = query->inode,
		.udiag_show = query->backlogs
				      ? UDIAG_SHOW_ICONS
				      : UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN,
		/* whatever socket has the inode */
		.udiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
	};
	return sizeof(request->local);
}

static size_t put_query(struct request *request, const struct sock_diag_query *query)
{
	switch (query->family) {
	case AF_UNIX:
		return put_unix_request(request, query);
	case AF_NETLINK:
		request->netlink = (struct netlink_diag_req){
			.sdiag_family = AF_NETLINK, .sdiag_protocol = NDIAG_PROTO_ALL};
		return sizeof(request->netlink);
	case AF_PACKET:
		request->packet = (struct packet_diag_req){
			.sdiag_family = AF_PACKET, .pdiag_show = PACKET_SHOW_INFO};
		return sizeof(request->packet);
	case AF_VSOCK:
		request->vsock = (struct vsock_diag_req){
			.sdiag_family = AF_VSOCK, .vdiag_states = query->states};
		return sizeof(request->vsock);
	default:
		return put_inet_request(request, query);
	}
}

int sock_diag_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/* Reads until the answer to @sequence ends; 0 or an errno value. */
static int gather(int socket, uint32_t sequence, struct sock_diag_answer *answer)
{
	void *buffer cleanup_free = allocate(ANSWER_SIZE);
	enum sock_diag_progress progress;

	do {
		ssize_t length = recv(socket, buffer, ANSWER_SIZE, 0);

		if (length < 0 && errno == EINTR) {
			progress = SOCK_DIAG_MORE;
			continue;
		}
		if (length <= 0)
			return length ? errno : EPIPE;
		progress = sock_diag_parse(buffer, (size_t)length, sequence, answer);
	} while (progress == SOCK_DIAG_MORE);
	return progress == SOCK_DIAG_DONE ? 0 : answer->error;
}

int sock_diag_ask(int socket, struct sock_diag_answer *answer)
{
	/* Not that of an answer to an earlier question, which may have been left half read. */
	uint32_t sequence = (uint32_t)clock_ns(CLOCK_MONOTONIC);
	int error = 0;

	for (unsigned attempt = 0; attempt < DUMP_ATTEMPTS; attempt++, sequence++) {
		struct request request = {0};

		answer->records.count = 0;
		answer->pending.count = 0;
		answer->interrupted = false;
		request.header = (struct nlmsghdr){
			.nlmsg_len = NLMSG_LENGTH(put_query(&request, answer->query)),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | (answer->query->inode ? 0 : NLM_F_DUMP),
			.nlmsg_seq = sequence,
		};
		if (send(socket, &request, request.header.nlmsg_len, 0) < 0)
			return errno;
		error = gather(socket, sequence, answer);
		if (error || !answer->interrupted)
			break;
	}
	return error;
}
