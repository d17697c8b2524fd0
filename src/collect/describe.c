// SPDX-License-Identifier: Apache-2.0
#include "collect/describe.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "util/endpoint.h"
#include "util/memory.h"
#include "util/signals.h"
#include "util/text.h"

static void append_raw(struct text *text, const char *string)
{
	text_append_escaped(text, string, strlen(string));
}

/* " ← cat (pid 7) and 2 more", with @before in place of the arrow; nothing where there is nobody.
 */
static void append_peers(struct text *text, const struct descriptor *descriptor, const char *before)
{
	if (!descriptor->peer_count)
		return;
	text_append(text, before);
	append_raw(text, descriptor->peers[0].comm);
	text_append_format(text, " (pid %d)", descriptor->peers[0].pid);
	if (descriptor->peer_count > 1)
		text_append_format(text, " and %zu more", descriptor->peer_count - 1);
}

static void append_path(struct text *text, const struct descriptor *descriptor)
{
	append_raw(text, descriptor->path ? descriptor->path : "?");
	if (descriptor->deleted)
		text_append(text, " (deleted)");
}

static void describe_file(struct text *text, const struct descriptor *descriptor)
{
	if (descriptor->path && descriptor->deleted &&
		strncmp(descriptor->path, "/memfd:", strlen("/memfd:")) == 0)
		append_raw(text, descriptor->path + 1);
	else
		append_path(text, descriptor);
}

static void describe_device(struct text *text, const struct descriptor *descriptor)
{
	append_path(text, descriptor);
	/* Elsewhere than in /dev a name says nothing. */
	if (!descriptor->path || strncmp(descriptor->path, "/dev/", strlen("/dev/")) != 0)
		text_append_format(text, " (%s device %u:%u)",
			descriptor->kind == DESCRIPTOR_BLOCK_DEVICE ? "block" : "character",
			major(descriptor->represents), minor(descriptor->represents));
}

static void append_pipe_peers(struct text *text, const struct descriptor *descriptor)
{
	append_peers(text, descriptor,
		!descriptor->writable   ? " ← "
		: !descriptor->readable ? " → "
					: " ↔ ");
}

static void describe_pipe(struct text *text, const struct descriptor *descriptor)
{
	append_path(text, descriptor);
	append_pipe_peers(text, descriptor);
}

static void describe_fifo(struct text *text, const struct descriptor *descriptor)
{
	text_append(text, "FIFO ");
	describe_pipe(text, descriptor);
}

static void describe_unix(struct text *text, const struct descriptor *descriptor)
{
	const struct socket_facts *facts = descriptor->socket;

	text_append(text, "unix ");
	if (facts->local_length) {
		text_append_sockaddr(text, &facts->local, facts->local_length);
	} else if (facts->remote_length) {
		text_append(text, "to ");
		text_append_sockaddr(text, &facts->remote, facts->remote_length);
	} else if (facts->peer_inode) {
		text_append(text, "pair");
	} else {
		append_raw(text, descriptor->path ? descriptor->path : "socket");
	}
	append_peers(
		text, descriptor, facts->peer_not_accepted ? ", not accepted yet by " : " with ");
}

static void describe_netlink(struct text *text, const struct descriptor *descriptor)
{
	static const char *const names[] = {
		[NETLINK_ROUTE] = "ROUTE",
		[NETLINK_USERSOCK] = "USERSOCK",
		[NETLINK_FIREWALL] = "FIREWALL",
		[NETLINK_SOCK_DIAG] = "SOCK_DIAG",
		[NETLINK_NFLOG] = "NFLOG",
		[NETLINK_XFRM] = "XFRM",
		[NETLINK_SELINUX] = "SELINUX",
		[NETLINK_ISCSI] = "ISCSI",
		[NETLINK_AUDIT] = "AUDIT",
		[NETLINK_FIB_LOOKUP] = "FIB_LOOKUP",
		[NETLINK_CONNECTOR] = "CONNECTOR",
		[NETLINK_NETFILTER] = "NETFILTER",
		[NETLINK_DNRTMSG] = "DNRTMSG",
		[NETLINK_KOBJECT_UEVENT] = "KOBJECT_UEVENT",
		[NETLINK_GENERIC] = "GENERIC",
		[NETLINK_SCSITRANSPORT] = "SCSITRANSPORT",
		[NETLINK_ECRYPTFS] = "ECRYPTFS",
		[NETLINK_RDMA] = "RDMA",
		[NETLINK_CRYPTO] = "CRYPTO",
		[NETLINK_SMC] = "SMC",
	};
	int protocol = descriptor->socket->protocol;

	if (protocol >= 0 && (size_t)protocol < array_length(names) && names[protocol])
		text_append_format(text, "netlink %s", names[protocol]);
	else
		text_append_format(text, "netlink %d", protocol);
}

static bool is_connected(const struct socket_facts *facts)
{
	return facts->family == AF_VSOCK ? facts->state == TCP_ESTABLISHED
					 : endpoint_port(&facts->remote) != 0;
}

/* A raw socket has no ports: only the host of its address is told. */
static void describe_raw(struct text *text, const struct descriptor *descriptor)
{
	const struct socket_facts *facts = descriptor->socket;
	struct text host cleanup_text = {0};

	text_append_sockaddr(&host, &facts->local, facts->local_length);
	const char *colon = strrchr(host.bytes, ':');
	text_append(text, "raw ");
	text_append_bytes(text, host.bytes, colon ? (size_t)(colon - host.bytes) : host.length);
	text_append_format(text, ", protocol %d", facts->protocol);
}

static void describe_internet(struct text *text, const struct descriptor *descriptor)
{
	const struct socket_facts *facts = descriptor->socket;

	append_raw(text, facts->protocol_name);
	text_append(text, " ");
	text_append_sockaddr(text, &facts->local, facts->local_length);
	if (is_connected(facts)) {
		text_append(text, " → ");
		text_append_sockaddr(text, &facts->remote, facts->remote_length);
	}
}

static void describe_vsock(struct text *text, const struct descriptor *descriptor)
{
	const struct socket_facts *facts = descriptor->socket;

	text_append_sockaddr(text, &facts->local, facts->local_length);
	if (is_connected(facts)) {
		text_append(text, " → ");
		text_append_sockaddr(text, &facts->remote, facts->remote_length);
	}
}

static void describe_socket(struct text *text, const struct descriptor *descriptor)
{
	const struct socket_facts *facts = descriptor->socket;

	switch (facts->family) {
	case AF_INET:
	case AF_INET6:
		if (facts->type == SOCK_RAW)
			describe_raw(text, descriptor);
		else
			describe_internet(text, descriptor);
		break;
	case AF_UNIX:
		describe_unix(text, descriptor);
		break;
	case AF_NETLINK:
		describe_netlink(text, descriptor);
		break;
	case AF_PACKET:
		text_append_sockaddr(text, &facts->local, facts->local_length);
		break;
	case AF_VSOCK:
		describe_vsock(text, descriptor);
		break;
	default:
		append_raw(text, facts->protocol_name);
		text_append(text, " ");
		append_path(text, descriptor);
	}
}

static void describe_eventfd(struct text *text, const struct descriptor *descriptor)
{
	text_append_format(text, "eventfd %llu", (unsigned long long)descriptor->counter);
}

static void describe_timer(struct text *text, const struct descriptor *descriptor)
{
	text_append(text, "timerfd");
	if (descriptor->ticks)
		text_append(text, ", has fired");
	if (descriptor->expires_ns >= 0) {
		text_append(text, descriptor->ticks ? ", again in " : ", fires in ");
		text_append_duration(text, descriptor->expires_ns);
	} else if (!descriptor->ticks) {
		text_append(text, ", disarmed");
	}
	if (descriptor->interval_ns) {
		text_append(text, ", every ");
		text_append_duration(text, descriptor->interval_ns);
	}
}

static void describe_signals(struct text *text, const struct descriptor *descriptor)
{
	text_append(text, "signalfd ");
	text_append_signals(text, descriptor->signals);
}

static void describe_epoll(struct text *text, const struct descriptor *descriptor)
{
	text_append_format(text, "epoll of %zu descriptor%s", descriptor->watched_count,
		descriptor->watched_count == 1 ? "" : "s");
}

static void describe_pidfd(struct text *text, const struct descriptor *descriptor)
{
	if (descriptor->pid > 0 && descriptor->peer_count) {
		text_append_format(text, "pidfd of %d (", descriptor->pid);
		append_raw(text, descriptor->peers[0].comm);
		text_append(text, ")");
	} else if (descriptor->pid > 0) {
		text_append_format(text, "pidfd of %d", descriptor->pid);
	} else {
		text_append(text, descriptor->pid ? "pidfd of a process that has ended" : "pidfd");
	}
}

static void describe_queue(struct text *text, const struct descriptor *descriptor)
{
	text_append(text, "message queue ");
	append_path(text, descriptor);
}

/* "anon_inode:[perf_event]" as "perf_event". */
static void describe_anonymous(struct text *text, const struct descriptor *descriptor)
{
	const char *name = descriptor->path ? descriptor->path : "?";
	size_t prefix = strlen("anon_inode:");

	if (strncmp(name, "anon_inode:", prefix) == 0) {
		size_t length = strlen(name + prefix);
		bool bracketed =
			length > 2 && name[prefix] == '[' && name[prefix + length - 1] == ']';

		text_append_escaped(text, name + prefix + bracketed, length - 2 * bracketed);
	} else {
		append_raw(text, name);
	}
}

static void (*const describers[])(struct text *, const struct descriptor *) = {
	[DESCRIPTOR_UNKNOWN] = append_path,
	[DESCRIPTOR_FILE] = describe_file,
	[DESCRIPTOR_DIRECTORY] = append_path,
	[DESCRIPTOR_PIPE] = describe_pipe,
	[DESCRIPTOR_FIFO] = describe_fifo,
	[DESCRIPTOR_SOCKET] = describe_socket,
	[DESCRIPTOR_EVENTFD] = describe_eventfd,
	[DESCRIPTOR_TIMERFD] = describe_timer,
	[DESCRIPTOR_SIGNALFD] = describe_signals,
	[DESCRIPTOR_INOTIFY] = describe_anonymous,
	[DESCRIPTOR_FANOTIFY] = describe_anonymous,
	[DESCRIPTOR_EPOLL] = describe_epoll,
	[DESCRIPTOR_PIDFD] = describe_pidfd,
	[DESCRIPTOR_IO_URING] = describe_anonymous,
	[DESCRIPTOR_MESSAGE_QUEUE] = describe_queue,
	[DESCRIPTOR_TTY] = describe_device,
	[DESCRIPTOR_CHARACTER_DEVICE] = describe_device,
	[DESCRIPTOR_BLOCK_DEVICE] = describe_device,
	[DESCRIPTOR_ANONYMOUS] = describe_anonymous,
};

const char *descriptor_describe(const struct descriptor *descriptor, struct arena *arena)
{
	struct text text cleanup_text = {0};

	describers[descriptor->kind](&text, descriptor);
	return text_to_arena(&text, arena);
}
