// SPDX-License-Identifier: Apache-2.0
/* Any bytes may stand in /proc/locks. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "collect/file_locks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct file_lock wanted = {.kind = FILE_LOCK_FLOCK, .inode = 5};
	struct file_lock_lines lines = {0};

	file_locks_parse((const char *)bytes, length, &lines);
	const struct file_lock_line *request = file_locks_find_request(&lines, 7, &wanted);
	if (request && (!request->blocked || request->kind != FILE_LOCK_FLOCK))
		abort();
	for (size_t i = 0; i < lines.count; i++) {
		if (file_lock_blocks(&lines.items[i], &lines.items[0], 7) && lines.items[i].blocked)
			abort();
	}
	free(lines.items);
	return 0;
}
