// SPDX-License-Identifier: Apache-2.0
/*
 * Interned: things that are kept once each, found by the bytes that tell them apart, and in the
 * order in which they were first met. It knows nothing of what they are.
 *
 * The bytes may be a target's choice, so the hash is keyed: nobody can make them collide.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"

/* All zero is an empty table. */
struct interned {
	void **items; /* heap */
	size_t count, capacity;
	struct arena *keys;
	struct interned_slot *slots; /* heap */
	size_t slot_count;           /* a power of two, or 0 */
};

/*
 * Where the thing with this key is kept; NULL stands there if the key is new, and the caller puts
 * the thing in its place before the next call.
 */
void **interned_find(struct interned *table, const void *key, size_t size);

void interned_deinit(struct interned *table);
