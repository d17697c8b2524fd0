// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "util/endpoint.h"

static void expect(const void *address, size_t length, const char *expected)
{
	struct text text cleanup_text = {0};

	text_append_sockaddr(&text, address, length);
	assert_string_equal(text.bytes, expected);
}

static struct sockaddr_storage inet6(const char *host, unsigned port, unsigned scope)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in6 *address = (void *)&storage;

	address->sin6_family = AF_INET6;
	address->sin6_port = htons((uint16_t)port);
	address->sin6_scope_id = scope;
	assert_int_equal(inet_pton(AF_INET6, host, &address->sin6_addr), 1);
	return storage;
}

static void internet_addresses(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(8080),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage storage;

	(void)state;
	expect(&address, sizeof(address), "127.0.0.1:8080");
	storage = inet6("::1", 80, 0);
	expect(&storage, sizeof(struct sockaddr_in6), "[::1]:80");
	expect(&storage, sizeof(struct sockaddr_in6) - 4, "[::1]:80");
	storage = inet6("fe80::1", 65535, 2);
	expect(&storage, sizeof(storage), "[fe80::1%2]:65535");
	storage = inet6("::ffff:192.0.2.7", 443, 0);
	expect(&storage, sizeof(storage), "192.0.2.7:443");
}

static void unix_names_end_as_their_length_says(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/x\n\033[2J"};
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	struct text text cleanup_text = {0};

	(void)state;
	expect(&address, sizeof(address), "/run/x\\n\\x1b[2J");
	expect(&address, start + 4, "/run");
	expect(&address, start, "unnamed");
	memcpy(address.sun_path, "\0a\0b\0\0", 6);
	expect(&address, start + 4, "@a\\x00b");
	expect(&address, start + 5, "@a\\x00b\\x00");
	expect(&address, start + 6, "@a\\x00b\\x00…");

	struct sockaddr_storage storage = {0};
	memcpy(&storage, &address, start + 6);
	text_append_endpoint(&text, &storage);
	assert_string_equal(text.bytes, "@a\\x00b");
	text_clear(&text);
	memset((char *)&storage + start, 'x', sizeof(storage) - start);
	text_append_endpoint(&text, &storage);
	assert_int_equal(text.length, sizeof(address.sun_path));
}

static void other_families(void **state)
{
	struct sockaddr_nl netlink = {.nl_family = AF_NETLINK, .nl_pid = 12, .nl_groups = 1};
	struct sockaddr_vm vsock = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 1024};
	struct sockaddr_storage storage = {.ss_family = 44};

	(void)state;
	expect(&netlink, sizeof(netlink), "netlink 12, groups 0x1");
	expect(&vsock, sizeof(vsock), "vsock any:1024");
	expect(&storage, sizeof(storage), "family 44");
}

static void addresses_that_are_cut_short(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	(void)state;
	expect(&address, sizeof(address) - 9, "family 2, cut short");
	expect(&address, 1, "none");
	expect(NULL, 0, "none");
}

static void ports_and_hosts(void **state)
{
	struct sockaddr_storage any = inet6("::ffff:0.0.0.0", 53, 0), host = inet6("::1", 53, 0);
	struct sockaddr_storage none = {0};

	(void)state;
	assert_int_equal(endpoint_port(&any), 53);
	assert_false(endpoint_has_host(&any));
	assert_true(endpoint_has_host(&host));
	assert_int_equal(endpoint_port(&none), 0);
	assert_false(endpoint_has_host(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(internet_addresses),
		cmocka_unit_test(unix_names_end_as_their_length_says),
		cmocka_unit_test(other_families),
		cmocka_unit_test(addresses_that_are_cut_short),
		cmocka_unit_test(ports_and_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
