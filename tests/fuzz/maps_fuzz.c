// SPDX-License-Identifier: Apache-2.0
/* Any bytes may stand in /proc/PID/maps: paths are the target's. What comes out is in order. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "collect/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct arena *arena cleanup_arena = arena_create();
	struct mappings mappings = maps_parse((const char *)bytes, length, arena);

	for (size_t i = 0; i < mappings.count; i++) {
		const struct mapping *mapping = &mappings.items[i];

		if (mapping->start >= mapping->end || !mapping->path ||
			(i && mapping->start < mapping[-1].end) ||
			mappings_find(&mappings, mapping->end - 1) != mapping)
			abort();
	}
	return 0;
}
