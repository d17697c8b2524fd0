// SPDX-License-Identifier: Apache-2.0
#include "util/endpoint.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static bool is_mapped(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address);
}

static void append_inet(struct text *text, const void *bytes)
{
	struct sockaddr_in address;
	char host[INET_ADDRSTRLEN];

	memcpy(&address, bytes, sizeof(address));
	inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
	text_append_format(text, "%s:%u", host, ntohs(address.sin_port));
}

static void append_inet6(struct text *text, const void *bytes)
{
	struct sockaddr_in6 address;
	char host[INET6_ADDRSTRLEN];

	memcpy(&address, bytes, sizeof(address));
	if (is_mapped(&address.sin6_addr)) {
		inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], host, sizeof(host));
		text_append_format(text, "%s:%u", host, ntohs(address.sin6_port));
		return;
	}
	inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof(host));
	text_append_format(text, "[%s", host);
	/* Only of a link-local address does the scope say which host is meant (RFC 4007, section
	 * 11). */
	if (address.sin6_scope_id && IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr))
		text_append_format(text, "%%%u", address.sin6_scope_id);
	text_append_format(text, "]:%u", ntohs(address.sin6_port));
}

static void append_unix(struct text *text, const char *name, size_t length)
{
	if (!length) {
		text_append(text, "unnamed");
		return;
	}
	if (name[0]) {
		if (name[0] == '@') /* a file of that name, not an abstract one */
			text_append(text, "./");
		text_append_escaped(text, name, strnlen(name, length));
		return;
	}
	/* All bytes of an abstract name count, NULs too (unix(7)); programs that give the whole of
	 * sun_path as its length make for a hundred of them at the end. */
	size_t end = length;
	while (end > 1 && !name[end - 1])
		end--;
	text_append(text, "@");
	text_append_escaped(text, name + 1, end - 1);
	if (end < length)
		text_append(text, length - end == 1 ? "\\x00" : "\\x00…");
}

static void append_netlink(struct text *text, const void *bytes)
{
	struct sockaddr_nl address;

	memcpy(&address, bytes, sizeof(address));
	if (!address.nl_pid)
		text_append(text, "netlink kernel");
	else
		text_append_format(text, "netlink %u", address.nl_pid);
	if (address.nl_groups)
		text_append_format(text, ", groups %#x", address.nl_groups);
}

static void append_packet(struct text *text, const void *bytes)
{
	struct sockaddr_ll address;

	memcpy(&address, bytes, sizeof(address));
	text_append(text, "packet on ");
	if (address.sll_ifindex)
		text_append_format(text, "interface %d", address.sll_ifindex);
	else
		text_append(text, "any interface");
	text_append_format(text, ", protocol 0x%04x", ntohs(address.sll_protocol));
}

static void append_vsock(struct text *text, const void *bytes)
{
	struct sockaddr_vm address;

	memcpy(&address, bytes, sizeof(address));
	text_append(text, "vsock ");
	if (address.svm_cid == VMADDR_CID_ANY)
		text_append(text, "any:");
	else
		text_append_format(text, "%u:", address.svm_cid);
	if (address.svm_port == VMADDR_PORT_ANY)
		text_append(text, "any");
	else
		text_append_format(text, "%u", address.svm_port);
}

/* To add a family: a function that appends it, and a line here. */
static const struct {
	sa_family_t family;
	size_t size; /* what the function reads */
	void (*append)(struct text *text, const void *bytes);
} families[] = {
	{AF_INET, sizeof(struct sockaddr_in), append_inet},
	/* RFC 2133's form, which the kernel takes too, ends before the scope (net/ipv6/af_inet6.c,
	 * SIN6_LEN_RFC2133); the copy below supplies zeros for it. */
	{AF_INET6, offsetof(struct sockaddr_in6, sin6_scope_id), append_inet6},
	{AF_NETLINK, sizeof(struct sockaddr_nl), append_netlink},
	{AF_PACKET, offsetof(struct sockaddr_ll, sll_hatype), append_packet},
	{AF_VSOCK, sizeof(struct sockaddr_vm), append_vsock},
};

void text_append_sockaddr(struct text *text, const void *address, size_t length)
{
	struct sockaddr_storage copy = {0};

	if (length > sizeof(copy))
		length = sizeof(copy);
	if (length)
		memcpy(&copy, address, length);
	if (length < sizeof(copy.ss_family) || copy.ss_family == AF_UNSPEC) {
		text_append(text, "none");
		return;
	}
	if (copy.ss_family == AF_UNIX) {
		const size_t start = offsetof(struct sockaddr_un, sun_path);
		size_t name = length - start;

		if (name > sizeof(((struct sockaddr_un *)0)->sun_path))
			name = sizeof(((struct sockaddr_un *)0)->sun_path);
		append_unix(text, (const char *)&copy + start, name);
		return;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].family != copy.ss_family)
			continue;
		if (length >= families[i].size)
			families[i].append(text, &copy);
		else
			text_append_format(text, "family %u, cut short", copy.ss_family);
		return;
	}
	text_append_format(text, "family %u", copy.ss_family);
}

void text_append_endpoint(struct text *text, const struct sockaddr_storage *address)
{
	size_t length = sizeof(*address);

	if (address->ss_family == AF_UNIX) {
		const struct sockaddr_un *name = (const void *)address;

		length = sizeof(name->sun_path);
		while (length && !name->sun_path[length - 1])
			length--;
		length += offsetof(struct sockaddr_un, sun_path);
	}
	text_append_sockaddr(text, address, length);
}

unsigned endpoint_port(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return 0;
}

bool endpoint_has_host(const struct sockaddr_storage *address)
{
	static const uint8_t none[16];

	if (address->ss_family == AF_INET)
		return ((const struct sockaddr_in *)address)->sin_addr.s_addr != htonl(INADDR_ANY);
	if (address->ss_family == AF_INET6) {
		const struct in6_addr *host = &((const struct sockaddr_in6 *)address)->sin6_addr;

		return memcmp(
			&host->s6_addr[is_mapped(host) ? 12 : 0], none, is_mapped(host) ? 4 : 16);
	}
	return false;
}

/* The bytes of an address, IPv4 as IPv6 has it; NULL: of another family. */
static const uint8_t *host_of(const struct sockaddr_storage *address, struct in6_addr *buffer)
{
	if (address->ss_family == AF_INET) {
		*buffer = (struct in6_addr){.s6_addr = {[10] = 0xff, 0xff}};
		memcpy(&buffer->s6_addr[12], &((const struct sockaddr_in *)address)->sin_addr, 4);
		return buffer->s6_addr;
	}
	return address->ss_family == AF_INET6
		       ? ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr
		       : NULL;
}

bool endpoint_is_of_host(const struct sockaddr_storage *address)
{
	struct in6_addr buffer;
	const uint8_t *host = host_of(address, &buffer);

	if (!host)
		return false;
	return is_mapped((const struct in6_addr *)host)
		       ? host[12] == 127
		       : memcmp(host, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

bool endpoint_same_host(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
	struct in6_addr first, second;
	const uint8_t *a = host_of(one, &first), *b = host_of(other, &second);

	return a && b && memcmp(a, b, sizeof(first)) == 0;
}
