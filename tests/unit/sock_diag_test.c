// SPDX-License-Identifier: Apache-2.0
/* What netlink messages and the files of /proc/PID/net say of sockets, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collect/proc_net.h"
#include "collect/sock_diag.h"

#define SEQUENCE 9

struct message {
	char bytes[2048] __attribute__((aligned(8)));
	struct nlmsghdr *header;
};

static void *put(struct message *message, const void *bytes, size_t size)
{
	void *tail = message->bytes + message->header->nlmsg_len;

	assert_true(message->header->nlmsg_len + NLMSG_ALIGN(size) <= sizeof(message->bytes));
	memcpy(tail, bytes, size);
	message->header->nlmsg_len += NLMSG_ALIGN((unsigned)size);
	return tail;
}

static struct nlattr *put_attribute(
	struct message *message, uint16_t type, size_t size, const void *bytes)
{
	struct nlattr *attribute = put(message,
		&(struct nlattr){.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type},
		NLA_HDRLEN);

	put(message, bytes, size);
	return attribute;
}

static void begin(struct message *message, uint16_t type, const void *payload, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->header = (struct nlmsghdr *)message->bytes;
	message->header->nlmsg_len = NLMSG_HDRLEN;
	message->header->nlmsg_type = type;
	message->header->nlmsg_seq = SEQUENCE;
	put(message, payload, size);
}

static enum sock_diag_progress parse(
	const struct message *message, size_t length, struct sock_diag_answer *answer)
{
	return sock_diag_parse(message->bytes, length, SEQUENCE, answer);
}

static void free_answer(struct sock_diag_answer *answer)
{
	free(answer->records.items);
	free(answer->pending.items);
	arena_destroy(answer->arena);
}
#define cleanup_answer __attribute__((cleanup(free_answer)))

static const struct sock_diag_query all_unix = {.family = AF_UNIX};
static const struct sock_diag_query backlogs = {.family = AF_UNIX, .backlogs = true};

static void unix_socket_with_all_its_attributes(void **state)
{
	struct sock_diag_answer answer cleanup_answer = {
		.query = &all_unix, .arena = arena_create()};
	struct unix_diag_msg socket = {.udiag_family = AF_UNIX,
		.udiag_type = SOCK_STREAM,
		.udiag_state = TCP_ESTABLISHED,
		.udiag_ino = 77};
	struct unix_diag_rqlen queues = {4, 0};
	struct message message;

	(void)state;
	begin(&message, SOCK_DIAG_BY_FAMILY, &socket, sizeof(socket));
	put_attribute(&message, UNIX_DIAG_NAME, 4, "\0a\0b");
	put_attribute(&message, UNIX_DIAG_PEER, 4, &(uint32_t){78});
	put_attribute(&message, UNIX_DIAG_RQLEN, sizeof(queues), &queues);
	assert_int_equal(parse(&message, message.header->nlmsg_len, &answer), SOCK_DIAG_MORE);
	assert_int_equal(answer.records.count, 1);
	assert_int_equal(answer.records.items[0].inode, 77);
	assert_int_equal(answer.records.items[0].peer_inode, 78);
	assert_int_equal(answer.records.items[0].receive_queue, 4);
	assert_int_equal(answer.records.items[0].name_length, 4);
	assert_memory_equal(answer.records.items[0].name, "\0a\0b", 4);
}

static void attributes_that_are_too_short_or_too_long(void **state)
{
	struct sock_diag_answer answer cleanup_answer = {
		.query = &all_unix, .arena = arena_create()};
	struct unix_diag_msg socket = {.udiag_family = AF_UNIX, .udiag_ino = 77};
	struct message message;
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name));
	begin(&message, SOCK_DIAG_BY_FAMILY, &socket, sizeof(socket));
	put_attribute(&message, UNIX_DIAG_PEER, 2, "xx");
	put_attribute(&message, UNIX_DIAG_RQLEN, 4, "xxxx");
	put_attribute(&message, UNIX_DIAG_NAME, sizeof(name), name);
	struct nlattr *last = put_attribute(&message, UNIX_DIAG_PEER, 4, "xxxx");
	last->nla_len = 2000; /* past the message */
	parse(&message, message.header->nlmsg_len, &answer);
	assert_int_equal(answer.records.count, 1);
	assert_int_equal(answer.records.items[0].peer_inode, 0);
	assert_false(answer.records.items[0].has_queues);
	assert_int_equal(answer.records.items[0].name_length, 108);
}

static void messages_that_do_not_answer(void **state)
{
	struct sock_diag_answer answer cleanup_answer = {
		.query = &all_unix, .arena = arena_create()};
	struct unix_diag_msg socket = {.udiag_family = AF_UNIX, .udiag_ino = 77};
	struct message message;

	(void)state;
	begin(&message, SOCK_DIAG_BY_FAMILY, &socket, sizeof(socket));
	message.header->nlmsg_seq = SEQUENCE - 1;
	parse(&message, message.header->nlmsg_len, &answer);
	message.header->nlmsg_seq = SEQUENCE;
	parse(&message, message.header->nlmsg_len - 1, &answer);
	socket.udiag_family = AF_INET;
	begin(&message, SOCK_DIAG_BY_FAMILY, &socket, sizeof(socket));
	parse(&message, message.header->nlmsg_len, &answer);
	socket.udiag_family = AF_UNIX;
	begin(&message, SOCK_DIAG_BY_FAMILY, &socket, 4);
	parse(&message, message.header->nlmsg_len, &answer);
	parse(&message, 0, &answer);
	message.header->nlmsg_len = UINT32_MAX;
	message.header->nlmsg_seq = SEQUENCE - 1;
	parse(&message, 64, &answer);
	assert_int_equal(answer.records.count, 0);
}

static void ends_and_errors(void **state)
{
	struct sock_diag_answer answer cleanup_answer = {
		.query = &all_unix, .arena = arena_create()};
	struct message message;

	(void)state;
	begin(&message, NLMSG_DONE, &(int){0}, sizeof(int));
	message.header->nlmsg_flags = NLM_F_DUMP_INTR;
	assert_int_equal(parse(&message, message.header->nlmsg_len, &answer), SOCK_DIAG_DONE);
	assert_true(answer.interrupted);
	begin(&message, NLMSG_DONE, &(int){-ENOENT}, sizeof(int));
	assert_int_equal(parse(&message, message.header->nlmsg_len, &answer), SOCK_DIAG_FAILED);
	assert_int_equal(answer.error, ENOENT);
	begin(&message, NLMSG_ERROR, &(int){-EINVAL}, sizeof(int));
	assert_int_equal(parse(&message, message.header->nlmsg_len, &answer), SOCK_DIAG_FAILED);
	assert_int_equal(answer.error, EINVAL);
}

static void connections_that_wait(void **state)
{
	struct sock_diag_answer answer cleanup_answer = {
		.query = &backlogs, .arena = arena_create()};
	struct unix_diag_msg socket = {.udiag_family = AF_UNIX, .udiag_ino = 5};
	uint32_t clients[] = {11, 0, 12};
	struct message message;

	(void)state;
	begin(&message, SOCK_DIAG_BY_FAMILY, &socket, sizeof(socket));
	put_attribute(&message, UNIX_DIAG_ICONS, sizeof(clients), clients);
	parse(&message, message.header->nlmsg_len, &answer);
	assert_int_equal(answer.records.count, 0);
	assert_int_equal(answer.pending.count, 2);
	assert_int_equal(answer.pending.items[1].client, 12);
	assert_int_equal(answer.pending.items[1].listener, 5);
}

static struct socket_records read_file(
	enum proc_net_form form, const char *content, struct arena *arena)
{
	struct socket_records records = {0};

	proc_net_parse(form, content, strlen(content), arena, &records);
	return records;
}

static void tcp_lines(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	char content[1024];
	uint32_t loopback = htonl(0x7f000001);

	(void)state;
	snprintf(content, sizeof(content),
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
		"   0: %08X:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0"
		"        0 21724 1 0 100 0 0 10 0\n"
		"   1: %08X:1F90 %08X:C822 01 00000005:00000007 00:00000000 00000000     0"
		"        0 21725 1\n"
		"   2: nonsense\n   3: 0:0 0:0 01 0:0 0:0 0 0 0 1\n",
		loopback, loopback, loopback);
	struct socket_records records = read_file(PROC_NET_INET, content, arena);
	assert_int_equal(records.count, 2);
	assert_int_equal(records.items[0].state, TCP_LISTEN);
	assert_false(records.items[0].has_queues); /* the limit is not told */
	assert_int_equal(records.items[1].local.port, 8080);
	assert_int_equal(records.items[1].remote.port, 51234);
	assert_int_equal(records.items[1].receive_queue, 7);
	assert_int_equal(records.items[1].send_queue, 5);
	assert_memory_equal(
		records.items[1].local.host, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	free(records.items);
}

static void unix_line_forged_by_a_name(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct socket_records records = read_file(PROC_NET_UNIX,
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 100 @name with blank\n"
		"0000000000000000: 00000003 00000000 00000000 0001 03 101\n"
		"0000000000000000: 00000002 00000000 00000000 0002 01 102 /tmp/x\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 101 /run/forged\n",
		arena);

	(void)state;
	assert_int_equal(records.count, 2);
	assert_int_equal(records.items[0].inode, 100);
	assert_int_equal(records.items[0].state, TCP_LISTEN);
	assert_int_equal(records.items[0].name_length, strlen("@name with blank"));
	assert_memory_equal(records.items[0].name, "\0name with blank", 16);
	assert_int_equal(records.items[1].inode, 102);
	assert_int_equal(records.items[1].type, SOCK_DGRAM);
	free(records.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unix_socket_with_all_its_attributes),
		cmocka_unit_test(attributes_that_are_too_short_or_too_long),
		cmocka_unit_test(messages_that_do_not_answer),
		cmocka_unit_test(ends_and_errors),
		cmocka_unit_test(connections_that_wait),
		cmocka_unit_test(tcp_lines),
		cmocka_unit_test(unix_line_forged_by_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
