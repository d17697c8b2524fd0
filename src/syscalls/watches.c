// SPDX-License-Identifier: Apache-2.0
#include "syscalls/watches.h"

#include <poll.h>

#include "util/memory.h"

/* More bits of an fd_set than this are not looked at; RLIMIT_NOFILE allows 2^20 (fs.nr_open). */
#define SET_BITS (1 << 20)
#define SET_WORDS 64 /* read at a time */

bool watches_add_pollfds(
	struct watches *watches, const struct memory *memory, uint64_t address, uint64_t count)
{
	struct pollfd pollfds[ARRAY_SHOWN];
	size_t got = read_array(memory, address, pollfds, sizeof(pollfds[0]), count, ARRAY_SHOWN);

	if (count && !got)
		return false;
	watches->total += count;
	for (size_t i = 0; i < got; i++) {
		if (pollfds[i].fd < 0)
			watches->total--;
		else if (watches->count < ARRAY_SHOWN)
			watches->items[watches->count++] = (struct watched){
				.fd = pollfds[i].fd, .events = (uint16_t)pollfds[i].events};
	}
	return true;
}

static void add_word(struct watches *watches, uint64_t word, int first, uint32_t events)
{
	watches->total += (unsigned)__builtin_popcountll(word);
	for (; word && watches->count < ARRAY_SHOWN; word &= word - 1)
		watches->items[watches->count++] =
			(struct watched){.fd = first + __builtin_ctzll(word), .events = events};
}

bool watches_add_set(struct watches *watches, const struct memory *memory, uint64_t address,
	int limit, uint32_t events)
{
	uint64_t words[SET_WORDS];

	if (limit < 0 || limit > SET_BITS)
		limit = limit < 0 ? 0 : SET_BITS;
	for (int bit = 0; bit < limit; bit += SET_WORDS * 64) {
		size_t wanted = ((size_t)(limit - bit) + 63) / 64;
		size_t got = read_array(memory, address + (uint64_t)bit / 8, words,
			sizeof(words[0]), wanted, SET_WORDS);

		for (size_t i = 0; i < got; i++) {
			int first = bit + (int)i * 64;

			if (limit - first < 64)
				words[i] &= (UINT64_C(1) << (limit - first)) - 1;
			add_word(watches, words[i], first, events);
		}
		if (got < SET_WORDS && got < wanted)
			return bit || got;
	}
	return true;
}
