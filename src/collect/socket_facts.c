// SPDX-License-Identifier: Apache-2.0
#include "collect/socket_facts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>

#include "collect/peers.h"
#include "collect/sockets.h"
#include "util/file.h"

static socklen_t set_inet(struct sockaddr_storage *address, const struct socket_end *end)
{
	struct sockaddr_in *inet = (void *)address;

	inet->sin_family = AF_INET;
	inet->sin_port = htons((uint16_t)end->port);
	memcpy(&inet->sin_addr, end->host + 12, 4);
	return sizeof(*inet);
}

static socklen_t set_inet6(struct sockaddr_storage *address, const struct socket_end *end)
{
	struct sockaddr_in6 *inet6 = (void *)address;

	inet6->sin6_family = AF_INET6;
	inet6->sin6_port = htons((uint16_t)end->port);
	inet6->sin6_scope_id = end->scope;
	memcpy(&inet6->sin6_addr, end->host, 16);
	return sizeof(*inet6);
}

static socklen_t set_vsock(struct sockaddr_storage *address, const struct socket_end *end)
{
	struct sockaddr_vm *vsock = (void *)address;

	vsock->svm_family = AF_VSOCK;
	vsock->svm_cid = end->scope;
	vsock->svm_port = end->port;
	return sizeof(*vsock);
}

static socklen_t set_packet(struct sockaddr_storage *address, const struct socket_record *record)
{
	struct sockaddr_ll *packet = (void *)address;

	packet->sll_family = AF_PACKET;
	packet->sll_protocol = htons(record->protocol);
	packet->sll_ifindex = (int)record->local.scope;
	return offsetof(struct sockaddr_ll, sll_hatype);
}

static socklen_t set_unix(struct sockaddr_storage *address, const struct socket_record *record)
{
	struct sockaddr_un *name = (void *)address;
	size_t length = record->name_length;

	if (!record->name || length > sizeof(name->sun_path))
		return 0;
	name->sun_family = AF_UNIX;
	memcpy(name->sun_path, record->name, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static void set_addresses(struct socket_facts *facts, const struct socket_record *record)
{
	switch (record->family) {
	case AF_INET:
		facts->local_length = set_inet(&facts->local, &record->local);
		if (record->remote.port)
			facts->remote_length = set_inet(&facts->remote, &record->remote);
		break;
	case AF_INET6:
		facts->local_length = set_inet6(&facts->local, &record->local);
		if (record->remote.port)
			facts->remote_length = set_inet6(&facts->remote, &record->remote);
		break;
	case AF_VSOCK:
		facts->local_length = set_vsock(&facts->local, &record->local);
		if (record->state == TCP_ESTABLISHED)
			facts->remote_length = set_vsock(&facts->remote, &record->remote);
		break;
	case AF_PACKET:
		facts->local_length = set_packet(&facts->local, record);
		break;
	case AF_UNIX:
		facts->local_length = set_unix(&facts->local, record);
		break;
	}
}

/* The bound name as a string: "/run/x.sock", "@abstract". */
static const char *unix_path(const struct socket_record *record, struct arena *arena)
{
	char *path;

	if (!record->name)
		return NULL;
	path = arena_alloc(arena, (size_t)record->name_length + 1);
	memcpy(path, record->name, record->name_length);
	if (!path[0])
		path[0] = '@';
	return path;
}

/* The socket at the other end in the one other namespace that has it; NULL: in none, or more. */
static const struct socket_record *find_elsewhere(const struct sockets *own,
	const struct socket_record *record, struct machine *machine, bool *not_accepted)
{
	const struct socket_record *found = NULL;
	struct sockets *sockets;
	int process;

	*not_accepted = false;
	if (!sockets_may_end_elsewhere(record))
		return NULL;
	for (size_t i = 0; (sockets = machine_sockets_of(machine, i, &process)); i++) {
		bool waits = false;
		const struct socket_record *end =
			sockets == own
				? NULL
				: sockets_other_end_elsewhere(sockets, process, record, &waits);

		if (end && found)
			return NULL;
		if (!end)
			continue;
		found = end;
		*not_accepted = waits;
	}
	return found;
}

static void add_other_end(struct descriptor *descriptor, pid_t self, int process,
	struct sockets *sockets, const struct socket_record *record, struct machine *machine,
	struct arena *arena)
{
	struct socket_facts *facts = descriptor->socket;
	const struct socket_record *end =
		sockets_other_end(sockets, process, record, &facts->peer_not_accepted);

	if (!end)
		end = find_elsewhere(sockets, record, machine, &facts->peer_not_accepted);
	facts->is_client =
		sockets_is_unix_client(record, end) || sockets_is_client(sockets, process, record);
	facts->peer_inode = end ? end->inode : record->peer_inode;
	if (end && end->family == AF_UNIX)
		facts->remote_length = set_unix(&facts->remote, end);
	if (facts->peer_inode)
		descriptor_add_peers(descriptor, self, descriptor->device, facts->peer_inode,
			PEER_ANY, machine, arena);
}

/* Where a descriptor's socket is found. */
struct found {
	const struct socket_record *record; /* NULL: nowhere */
	struct sockets *sockets;
	int process; /* of that namespace */
};

/* A descriptor that was handed over may be of another namespace than its holder: last all are
 * searched. */
static void find_handed_over(
	struct found *found, const char *kernel_name, uint32_t inode, struct machine *machine)
{
	struct sockets *first = found->sockets, *sockets;
	int process;

	for (size_t i = 0; !found->record && (sockets = machine_sockets_of(machine, i, &process));
		i++) {
		if (sockets == first)
			continue;
		found->record = sockets_find(sockets, process, kernel_name, inode);
		if (found->record) {
			found->sockets = sockets;
			found->process = process;
		}
	}
}

void descriptor_add_socket(struct descriptor *descriptor, pid_t self, int process,
	const char *kernel_name, struct machine *machine, struct arena *arena)
{
	struct socket_facts *facts = arena_new(arena, struct socket_facts, 1);
	struct found found = {.sockets = machine_sockets(machine, process), .process = process};
	uint32_t inode = (uint32_t)descriptor->inode;

	found.record = sockets_find(found.sockets, process, kernel_name, inode);
	if (!found.record)
		find_handed_over(&found, kernel_name, inode, machine);
	const struct socket_record *record = found.record;
	struct sockets *sockets = found.sockets;
	descriptor->socket = facts;
	facts->protocol_name =
		*kernel_name ? arena_strdup(arena, sockets_protocol_name(kernel_name)) : "socket";
	if (!record) {
		descriptor->problem = sockets_problem(sockets)
					      ? sockets_problem(sockets)
					      : "not among the sockets of its network namespace: "
						"it is neither bound nor "
						"connected, or belongs to another one";
		return;
	}
	facts->family = record->family;
	facts->type = record->type;
	facts->protocol = record->protocol;
	facts->state = record->state;
	facts->has_queues = record->has_queues;
	facts->receive_queue = record->receive_queue;
	facts->send_queue = record->send_queue;
	set_addresses(facts, record);
	if (record->family == AF_UNIX)
		facts->path = unix_path(record, arena);
	add_other_end(descriptor, self, found.process, sockets, record, machine, arena);
	if (!descriptor->problem && record->family == AF_UNIX)
		descriptor->problem = sockets_problem(sockets);
}
