// SPDX-License-Identifier: Apache-2.0
/* What the goroutines of go_fixture.h wait for. */
#pragma once

#include "go_fixture.h"

/* Where the tests put what goroutines wait for. */
enum {
	AT_SUDOG = 0x5000,   /* 0x80 each */
	AT_CHANNEL = 0x5800, /* 0x80 each */
	AT_LOCK = 0x5c00,
	AT_TIMER = 0x5d00,
	AT_POLL = 0x5e00,
};

/* Goroutine @number waits for the runtime's @reason. */
static inline void put_reason(struct fixture *fixture, unsigned number, const char *reason)
{
	const struct go_layout *layout = fixture->layout;

	for (uint8_t i = 0; i < layout->wait_reason_count; i++) {
		if (strcmp(layout->wait_reasons[i], reason) == 0)
			fixture->bytes[AT_G + 0x400 * number + layout->g.waitreason] = i;
	}
}

static inline uint64_t sudog_at(unsigned number)
{
	return AT_SUDOG + 0x80 * number;
}

static inline uint64_t channel_at(unsigned number)
{
	return AT_CHANNEL + 0x80 * number;
}

/* Sudog @number is goroutine @owner's, in no queue yet. */
static inline void put_sudog(struct fixture *fixture, unsigned number, unsigned owner)
{
	put64(fixture, sudog_at(number) + fixture->layout->sudog.g, at(AT_G + 0x400 * owner));
}

/* Puts the sudogs [first, first + count) into the queue of the channel. */
static inline void put_queue(
	struct fixture *fixture, unsigned channel, unsigned field, unsigned first, unsigned count)
{
	const struct go_layout *layout = fixture->layout;

	put64(fixture, channel_at(channel) + field, at(sudog_at(first)));
	put64(fixture, channel_at(channel) + field + 8, at(sudog_at(first + count - 1)));
	for (unsigned i = 0; i < count; i++) {
		uint64_t sudog = sudog_at(first + i);

		put64(fixture, sudog + layout->sudog.c, at(channel_at(channel)));
		if (i)
			put64(fixture, sudog + layout->sudog.prev, at(sudog_at(first + i - 1)));
		if (i + 1 < count)
			put64(fixture, sudog + layout->sudog.next, at(sudog_at(first + i + 1)));
	}
}

/* The channel's elements are of a type with that name, of @size bytes. */
static inline void put_type(
	struct fixture *fixture, unsigned channel, const char *name, uint8_t size)
{
	const struct go_layout *layout = fixture->layout;
	const uint64_t type = AT_TYPES + 0x40;

	put64(fixture, type, size);
	put32(fixture, type + layout->type.str, 0x100);
	fixture->bytes[AT_TYPES + 0x101] = (uint8_t)strlen(name);
	memcpy(fixture->bytes + AT_TYPES + 0x102, name, strlen(name));
	put64(fixture, channel_at(channel) + layout->hchan.elemtype, at(type));
	fixture->bytes[channel_at(channel) + layout->hchan.elemsize] = size;
}

/* Both goroutines receive from one channel. */
static inline void put_receivers(struct fixture *fixture)
{
	const struct go_layout *layout = fixture->layout;

	for (unsigned i = 0; i < 2; i++) {
		put_reason(fixture, i, "chan receive");
		put64(fixture, AT_G + 0x400 * i + layout->g.waiting, at(sudog_at(i)));
		put_sudog(fixture, i, i);
	}
	put_queue(fixture, 0, layout->hchan.recvq, 0, 2);
}

/* The wait of goroutine @number of the fixture, which has the higher ids first. */
static inline const struct wait *wait_of(struct fixture *fixture, unsigned number)
{
	if (!fixture->process.goroutines) {
		assert_true(fixture_open(fixture));
		go_goroutines_find(&fixture->go, 64);
		assert_int_equal(fixture->process.goroutine_count, 2);
	}
	assert_int_equal(fixture->process.goroutines[1 - number].id, 7 - number);
	return fixture->process.goroutines[1 - number].wait;
}

/* Goroutine @number has a pointer to @what in the word number @slot of its stack. */
static inline void put_word(struct fixture *fixture, unsigned number, unsigned slot, uint64_t what)
{
	put64(fixture, AT_STACK + 0x400 * number + 0x100 + 8 * slot, at(what));
}
