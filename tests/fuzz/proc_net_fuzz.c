// SPDX-License-Identifier: Apache-2.0
/* Names of sockets stand in /proc/PID/net/unix as they are. The first byte chooses the file. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "collect/mountinfo.h"
#include "collect/proc_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!length)
		return 0;
	struct arena *arena cleanup_arena = arena_create();
	struct socket_records records = {0};
	const char *content = (const char *)bytes + 1;

	proc_net_parse((enum proc_net_form)(bytes[0] % 3), content, length - 1, arena, &records);
	for (size_t i = 1; i < records.count; i++) {
		if (records.items[i].inode && records.items[i].inode == records.items[i - 1].inode)
			abort();
	}
	free(records.items);
	mountinfo_is(content, length - 1, 0, "mqueue");
	mountinfo_has(content, length - 1, 27);
	return 0;
}
