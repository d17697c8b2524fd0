// SPDX-License-Identifier: Apache-2.0
/*
 * Keyed hash: of words that a target chose. The key is this run's own, so nobody can make many of
 * them fall together.
 */
#pragma once

#include <stdint.h>

struct hash_key {
	uint64_t words[2];
};

/* The key of this run: the 16 random bytes that the kernel gave it (getauxval(3), AT_RANDOM). */
struct hash_key hash_key(void);

/* The hash of @value after what came to @hash; 0 is the beginning. */
static inline uint64_t hash_word(const struct hash_key *key, uint64_t hash, uint64_t value)
{
	__uint128_t product = (__uint128_t)(value ^ key->words[0]) * (key->words[1] | 1);

	value = (uint64_t)product ^ (uint64_t)(product >> 64) ^ hash;
	product = (__uint128_t)value * (key->words[0] | 1);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}
