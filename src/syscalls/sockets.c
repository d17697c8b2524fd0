// SPDX-License-Identifier: Apache-2.0
/* Sockets. */
#include <sys/socket.h>

#include "syscalls/table.h"

static const struct name message_items[] = {
	NAME(MSG_OOB),
	NAME(MSG_PEEK),
	NAME(MSG_DONTROUTE),
	NAME(MSG_CTRUNC),
	NAME(MSG_PROXY),
	NAME(MSG_TRUNC),
	NAME(MSG_DONTWAIT),
	NAME(MSG_EOR),
	NAME(MSG_WAITALL),
	NAME(MSG_CONFIRM),
	NAME(MSG_ERRQUEUE),
	NAME(MSG_NOSIGNAL),
	NAME(MSG_MORE),
	NAME(MSG_WAITFORONE),
	NAME(MSG_BATCH),
	NAME(MSG_ZEROCOPY),
	NAME(MSG_FASTOPEN),
	NAME(MSG_CMSG_CLOEXEC),
};
static const struct names message_flags = NAMES(message_items);

static const struct name accept_items[] = {NAME(SOCK_CLOEXEC), NAME(SOCK_NONBLOCK)};
static const struct names accept_flags = NAMES(accept_items);

static const struct name family_items[] = {
	NAME(AF_UNSPEC),
	NAME(AF_UNIX),
	NAME(AF_INET),
	NAME(AF_INET6),
	NAME(AF_NETLINK),
	NAME(AF_PACKET),
	NAME(AF_BLUETOOTH),
	NAME(AF_ALG),
	NAME(AF_VSOCK),
	NAME(AF_XDP),
};
static const struct names families = NAMES(family_items);

static const struct name shutdown_items[] = {NAME(SHUT_RD), NAME(SHUT_WR), NAME(SHUT_RDWR)};
static const struct names shutdown_ways = NAMES(shutdown_items);

#define SOCKET                                                                                     \
	{                                                                                          \
		"sockfd", &argument_descriptor                                                     \
	}
#define BUFFER                                                                                     \
	{                                                                                          \
		"buf", &argument_pointer                                                           \
	}
#define LENGTH                                                                                     \
	{                                                                                          \
		"len", &argument_size                                                              \
	}
#define FLAGS                                                                                      \
	{                                                                                          \
		"flags", &argument_flags, &message_flags                                           \
	}
#define GIVEN_ADDRESS                                                                              \
	{                                                                                          \
		"addr", &argument_sockaddr                                                         \
	}
#define GIVEN_LENGTH                                                                               \
	{                                                                                          \
		"addrlen", &argument_int                                                           \
	}

static const struct syscall_row rows[] = {
	{"socket", CALL_OTHER,
		{{"domain", &argument_choice, &families}, {"type", &argument_hexadecimal},
			{"protocol", &argument_int}}},
	{"bind", CALL_OTHER, {SOCKET, GIVEN_ADDRESS, GIVEN_LENGTH}},
	{"listen", CALL_OTHER, {SOCKET, {"backlog", &argument_int}}},
	{"accept", CALL_ACCEPT,
		{SOCKET, {"addr", &argument_pointer}, {"addrlen", &argument_pointer}}},
	{"accept4", CALL_ACCEPT,
		{SOCKET, {"addr", &argument_pointer}, {"addrlen", &argument_pointer},
			{"flags", &argument_flags, &accept_flags}}},
	{"connect", CALL_CONNECT, {SOCKET, GIVEN_ADDRESS, GIVEN_LENGTH}},
	{"recvfrom", CALL_READ,
		{SOCKET, BUFFER, LENGTH, FLAGS, {"src_addr", &argument_pointer},
			{"addrlen", &argument_pointer}}},
	{"recvmsg", CALL_READ, {SOCKET, {"msg", &argument_msghdr}, FLAGS}},
	{"recvmmsg", CALL_READ,
		{SOCKET, {"msgvec", &argument_pointer}, {"vlen", &argument_int}, FLAGS,
			{"timeout", &argument_timespec}}},
	{"sendto", CALL_WRITE,
		{SOCKET, BUFFER, LENGTH, FLAGS, {"dest_addr", &argument_sockaddr}, GIVEN_LENGTH}},
	{"sendmsg", CALL_WRITE, {SOCKET, {"msg", &argument_msghdr}, FLAGS}},
	{"sendmmsg", CALL_WRITE,
		{SOCKET, {"msgvec", &argument_pointer}, {"vlen", &argument_int}, FLAGS}},
	{"shutdown", CALL_OTHER, {SOCKET, {"how", &argument_choice, &shutdown_ways}}},
};

const struct syscall_family syscalls_sockets = FAMILY(rows);
