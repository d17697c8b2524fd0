// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Orders pid_t as qsort() and bsearch() want it, rising. */
static inline int compare_pids(const void *one, const void *other)
{
	pid_t a = *(const pid_t *)one, b = *(const pid_t *)other;

	return (a > b) - (a < b);
}

/* The index of the first of the rising @values that is not below @value; no branch that depends on
 * the values. */
static inline size_t lower_bound(const uint64_t *values, size_t count, uint64_t value)
{
	const uint64_t *base = values;

	if (!count)
		return 0;
	for (size_t half; count > 1; count -= half) {
		half = count / 2;
		base += base[half - 1] < value ? half : 0;
	}
	return (size_t)(base - values) + (*base < value);
}
