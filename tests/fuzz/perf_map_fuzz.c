// SPDX-License-Identifier: Apache-2.0
/* The perf map's parser, fed in two pieces. */
#include <stddef.h>
#include <stdint.h>

#include "symbolize/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t addresses[] = {
		0, 1, 0x10, 0x1000, 0x1008, 0x2000, 0x7f0000000000, UINT64_MAX - 1, UINT64_MAX};
	enum { COUNT = sizeof(addresses) / sizeof(addresses[0]) };
	struct arena *arena cleanup_arena = arena_create();
	struct symbol symbols[COUNT];
	struct perf_map map;
	size_t half = size ? data[0] % size : 0;

	perf_map_init(&map, addresses, COUNT);
	map.prune_count = 4; /* so that small inputs get there as well */
	perf_map_feed(&map, (const char *)data, half);
	perf_map_feed(&map, (const char *)data + half, size - half);
	perf_map_finish(&map, symbols, arena);
	for (size_t i = 0; i < COUNT; i++) {
		if (symbols[i].name && symbols[i].start > addresses[i])
			__builtin_trap();
	}
	return 0;
}
