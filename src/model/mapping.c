// SPDX-License-Identifier: Apache-2.0
#include "model/mapping.h"

const struct mapping *mappings_find(const struct mappings *mappings, uint64_t address)
{
	size_t low = 0, high = mappings->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mappings->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < mappings->count && mappings->items[low].start <= address)
		return &mappings->items[low];
	return NULL;
}
