// SPDX-License-Identifier: Apache-2.0
/* Any bytes may stand in /proc/PID/fdinfo. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "collect/fdinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct arena *arena cleanup_arena = arena_create();
	struct fdinfo info;

	fdinfo_parse((const char *)bytes, length, arena, &info);
	if (info.value_ns < 0 || info.interval_ns < 0 || info.watched_count > FDINFO_WATCHED_MAX)
		abort();
	return 0;
}
