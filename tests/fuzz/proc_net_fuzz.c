// SPDX-License-Identifier: Apache-2.0
/* Names of sockets stand in /proc/PID/net/unix as they are. The first byte chooses the file. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "collect/mountinfo.h"
#include "collect/sysv.h"
#include "collect/proc_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!length)
		return 0;
	struct arena *arena cleanup_arena = arena_create();
	struct socket_records records = {0};
	const char *content = (const char *)bytes + 1, *value;
	struct mount_facts facts;
	struct sysv_queue queue;

	proc_net_parse((enum proc_net_form)(bytes[0] % 3), content, length - 1, arena, &records);
	for (size_t i = 1; i < records.count; i++) {
		if (records.items[i].inode && records.items[i].inode == records.items[i - 1].inode)
			abort();
	}
	free(records.items);
	mountinfo_is(content, length - 1, 0, "mqueue");
	mountinfo_has(content, length - 1, 27);
	if (mountinfo_find_path(content, length - 1, "/srv/a b/c", &facts) ||
		mountinfo_find_device(content, length - 1, makedev(0, 39), &facts))
		mountinfo_option(facts.options, facts.options_length, "addr", &value);
	sysv_parse_queue(content, length - 1, 7, &queue);
	return 0;
}
