// SPDX-License-Identifier: Apache-2.0
/* Futex fixture: a thread that waits for a word of made-up memory, and who is said to hold it. */
#pragma once

#include <linux/futex.h>

#include "waits_fixture.h"

/* A process of three threads, of which 4243 is the one that waits. */
static inline void add_threads(struct fake_target *target)
{
	struct thread *threads = arena_new(target->arena, struct thread, 3);

	for (int i = 0; i < 3; i++)
		threads[i] = (struct thread){.tid = 4242 + i, .state = 'S'};
	target->process.threads = threads;
	target->process.thread_count = 3;
	target->thread.tid = 4243;
}

/* The wait of one that waits for the change of the word at AT + @offset, of which memory holds the
 * @length bytes at @bytes from AT on. */
static inline struct wait *assert_futex(struct fake_target *target, const void *bytes,
	size_t length, uint64_t offset, int operation, const char *sentence)
{
	uint32_t expected;

	memcpy(&expected, (const char *)bytes + offset, sizeof(expected));
	target->piece_count = 0;
	fake_place(target, AT, bytes, length);
	fake_call(target, "futex", ARGUMENTS(AT + offset, (uint32_t)operation, expected, 0));
	struct wait *wait = explain(target);
	assert_string_equal(wait->sentence, sentence);
	return wait;
}

static inline void assert_owner(const struct wait *wait, pid_t tid, uint64_t address)
{
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 4242);
	assert_int_equal(wait->holders[0].tid, tid);
	assert_int_equal(wait->holders[0].sureness, SURE_OWNS);
	assert_false(wait->holders[0].uncertain);
	assert_int_equal(wait->holders[0].proof.address, address);
	assert_int_equal(wait->holders[0].proof.value, tid);
	assert_true(wait->holders_complete);
}

static inline void assert_others(const struct wait *wait)
{
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 4242);
	assert_int_equal(wait->holders[0].tid, 0);
	assert_int_equal(wait->holders[0].sureness, SURE_MAY);
	assert_true(wait->holders_complete);
}

static inline void assert_nobody(const struct wait *wait)
{
	assert_int_equal(wait->holder_count, 0);
	assert_false(wait->holders_complete);
}
