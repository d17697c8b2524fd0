// SPDX-License-Identifier: Apache-2.0
/* The locks of Rust's standard library in memory (library/std/src/sys/…/futex.rs, since 1.62). */
#include "waits/futex_parts.h"

#define CONTENDED 2U

struct lock rust_mutex(const struct futex *futex)
{
	struct lock lock = {.address = futex->address};

	if (futex->known && futex->expected == CONTENDED)
		lock.state = futex->word == CONTENDED ? LOCK_UNRECORDED : LOCK_CHANGING;
	return lock;
}

struct rwlock {
	uint32_t state;
	uint32_t writer_notify; /* writers wait for its next value */
};

#define STATE_MASK ((1U << 30) - 1)
#define WRITE_LOCKED STATE_MASK

struct lock rust_rwlock(const struct memory *memory, const struct futex *futex, bool to_write)
{
	size_t offset = to_write ? offsetof(struct rwlock, writer_notify) : 0;
	struct lock lock = {.address = futex->address - offset};
	struct rwlock rwlock;

	if (!futex->known || !memory_read_now(memory, lock.address, &rwlock, sizeof(rwlock)))
		return (struct lock){0};
	uint32_t state = rwlock.state & STATE_MASK;
	if (futex->word != futex->expected || !state) {
		lock.state = LOCK_CHANGING;
	} else if (state == WRITE_LOCKED) {
		lock.state = LOCK_UNRECORDED;
	} else {
		lock.state = LOCK_READ;
		lock.readers = state;
	}
	return lock;
}
