// SPDX-License-Identifier: Apache-2.0
/* Any bytes may come from a netlink socket. The first byte chooses what was asked for. */
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collect/sock_diag.h"
#include "util/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct sock_diag_query queries[] = {
		{.family = AF_INET, .protocol = IPPROTO_TCP},
		{.family = AF_INET6, .protocol = IPPROTO_RAW},
		{.family = AF_UNIX},
		{.family = AF_UNIX, .backlogs = true},
		{.family = AF_UNIX, .inode = 7},
		{.family = AF_NETLINK},
		{.family = AF_PACKET},
		{.family = AF_VSOCK},
	};

	if (!length)
		return 0;
	struct arena *arena cleanup_arena = arena_create();
	struct sock_diag_answer answer = {
		.query = &queries[bytes[0] % array_length(queries)], .arena = arena};
	/* As received: aligned, and readable up to a multiple of 4. */
	uint8_t *message cleanup_free = allocate_zeroed((length + 3) & ~(size_t)3, 1);

	memcpy(message, bytes + 1, length - 1);
	sock_diag_parse(message, length - 1, 1, &answer);
	for (size_t i = 0; i < answer.records.count; i++) {
		const struct socket_record *record = &answer.records.items[i];

		if (record->name_length > 108 || !record->name != !record->name_length)
			abort();
	}
	free(answer.records.items);
	free(answer.pending.items);
	return 0;
}
