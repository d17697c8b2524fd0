// SPDX-License-Identifier: Apache-2.0
/*
 * Perf map: /tmp/perf-PID.map, in which a just-in-time compiler names the code that it made, one
 * "START SIZE name" a line, in hexadecimal (tools/perf/Documentation/jit-interface.txt of the
 * kernel's sources).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/process.h"
#include "symbolize/symbols.h"
#include "util/arena.h"
#include "util/text.h"

/*
 * Names each of the @count addresses (of the process, rising, distinct) by the process's map,
 * which is sought under @root, its root directory. A map is believed only if root, the process's
 * user or we own it (perf does alike: tools/perf/util/symbol.c, dso__load()); one that is not is
 * a gap of the process. A line overrules those before it: code moves, and room is used again.
 */
void perf_map_find(struct process *process, struct root *root, const uint64_t *addresses,
	size_t count, struct symbol *symbols, struct arena *arena);

/* The parser: a map is fed to it in pieces, as they are read. */
struct perf_map {
	const uint64_t *addresses;
	size_t count;
	struct text line; /* one that has not ended yet; of a long one the beginning */
	struct perf_map_entry *entries;
	size_t entry_count, entry_capacity;
	size_t names_size; /* of all entries together */
	size_t prune_count,
		prune_size; /* at so many entries, or bytes, those of no use are dropped */
};

void perf_map_init(struct perf_map *map, const uint64_t *addresses, size_t count);
void perf_map_feed(struct perf_map *map, const char *bytes, size_t length);

/* Ends the last line, fills in @symbols with names in @arena, and frees all that was collected. */
void perf_map_finish(struct perf_map *map, struct symbol *symbols, struct arena *arena);
