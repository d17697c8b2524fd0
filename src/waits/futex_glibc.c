// SPDX-License-Identifier: Apache-2.0
/*
 * The objects of glibc in memory: the same on x86-64 and arm64 (sysdeps/x86/nptl/bits and
 * sysdeps/nptl/bits: struct_mutex.h, struct_rwlock.h), the mutex since ever, the others since 2.25.
 */
#include <linux/futex.h>
#include <string.h>

#include "waits/futex_parts.h"

struct mutex {
	uint32_t lock;
	uint32_t count;
	int32_t owner;
	uint32_t users;
	uint32_t kind;
};

/* nptl/pthreadP.h: the kinds of a mutex. The lowest two bits are its type. */
#define KIND_TYPE 3U
#define KIND_RECURSIVE 1U
#define KIND_ROBUST 16U
#define KIND_INHERIT 32U
#define KIND_PROTECT 64U
#define KIND_SHARED 128U
#define KIND_ELISION 256U
#define KIND_NO_ELISION 512U
#define KINDS_KNOWN 1023U

/* PID_MAX_LIMIT, include/linux/threads.h: no more threads can be at a mutex. */
#define USERS_MAX (4U * 1024 * 1024)

#define CONTENDED 2U     /* nptl/lowlevellock.c: locked, and others wait */
#define CEILING_SHIFT 19 /* above it is the priority's ceiling, in the lock of such a mutex */

/* Whether the rest of the mutex is as its kind has it while it is held. */
static bool is_regular(const struct mutex *mutex)
{
	bool counted = (mutex->kind & KIND_TYPE) == KIND_RECURSIVE || (mutex->kind & KIND_PROTECT);

	return mutex->users && mutex->users <= USERS_MAX && (mutex->count != 0) == counted;
}

struct lock pi_lock(const struct futex *futex)
{
	struct lock lock = {.address = futex->address};
	uint32_t owner = futex->word & FUTEX_TID_MASK;

	if (!futex->known)
		return lock;
	lock.owner = (pid_t)owner;
	lock.owner_address = futex->address;
	lock.owner_mask = FUTEX_TID_MASK;
	if (futex->word & FUTEX_OWNER_DIED)
		lock.state = LOCK_DIED;
	else
		lock.state = owner ? LOCK_OWNED : LOCK_CHANGING;
	return lock;
}

/* nptl/pthread_mutex_lock.c: its lock is the owner's id, and FUTEX_WAITERS. */
static struct lock robust_mutex(const struct futex *futex)
{
	struct lock lock = pi_lock(futex);

	if (!(futex->expected & FUTEX_WAITERS) || !(futex->expected & FUTEX_TID_MASK))
		lock.state = LOCK_UNKNOWN;
	else if (lock.state == LOCK_OWNED && futex->word != (uint32_t)futex->expected)
		lock.state = LOCK_CHANGING;
	return lock;
}

/*
 * The owner is written once the lock is had, and cleared before it is given back
 * (nptl/pthread_mutex_lock.c, pthread_mutex_unlock.c): an owner there is the present one. A lock
 * that was elided and then taken after all has none.
 */
struct lock glibc_mutex(const struct memory *memory, const struct futex *futex)
{
	struct lock lock = {.address = futex->address};
	struct mutex mutex;

	if (!futex->known || !memory_read_now(memory, futex->address, &mutex, sizeof(mutex)) ||
		(mutex.kind & ~KINDS_KNOWN) || (mutex.kind & KIND_INHERIT))
		return lock;
	/* The kernel wakes who waits for a robust one, and knows nothing of private ones then. */
	if (futex->private == ((mutex.kind & (KIND_SHARED | KIND_ROBUST)) != 0))
		return lock;
	if (mutex.kind & KIND_ROBUST)
		return robust_mutex(futex);
	uint32_t ceiling = (mutex.kind & KIND_PROTECT) ? ~0U << CEILING_SHIFT : 0;
	if ((futex->expected & ~ceiling) != CONTENDED)
		return lock;
	lock.state = LOCK_CHANGING;
	if (mutex.lock != futex->expected || futex->word != futex->expected)
		return lock;
	if (mutex.owner > 0) {
		lock.state = LOCK_OWNED;
		lock.owner = mutex.owner;
		lock.owner_address = futex->address + offsetof(struct mutex, owner);
		lock.owner_mask = UINT32_MAX;
		lock.uncertain = !is_regular(&mutex);
	} else if (mutex.kind & KIND_ELISION) {
		lock.state = LOCK_UNRECORDED;
	}
	return lock;
}

/* nptl/pthread_rwlock_common.c has the states of `readers` at its beginning. */
struct rwlock {
	uint32_t readers;
	uint32_t writers;
	uint32_t phase_futex;
	uint32_t writers_futex;
	uint32_t pad[2];
	int32_t writer;
	uint32_t shared;
};

#define WRITE_PHASE 1U
#define WRITE_LOCKED 2U
#define READERS_WAIT 4U
#define READERS_SHIFT 3
#define FUTEX_USED 2U

/*
 * Where in the lock the futex is. A reader waits for the end of a write phase, or, where it lets
 * writers go first, for the readers before these; a writer for the writer before it, or, being the
 * next, for the end of a read phase.
 */
static bool place_in_rwlock(const struct futex *futex, bool to_write, size_t *offset)
{
	uint64_t expected = futex->expected;

	if (to_write && expected == (1 | FUTEX_USED))
		*offset = offsetof(struct rwlock, writers_futex);
	else if (to_write && expected == FUTEX_USED)
		*offset = offsetof(struct rwlock, phase_futex);
	else if (!to_write && expected == (1 | FUTEX_USED))
		*offset = offsetof(struct rwlock, phase_futex);
	else if (!to_write && (expected & (WRITE_PHASE | READERS_WAIT)) == READERS_WAIT)
		*offset = offsetof(struct rwlock, readers);
	else
		return false;
	return true;
}

struct lock glibc_rwlock(const struct memory *memory, const struct futex *futex, bool to_write)
{
	struct lock lock = {0};
	struct rwlock rwlock;
	size_t offset;

	if (!futex->known || !place_in_rwlock(futex, to_write, &offset))
		return lock;
	uint64_t address = futex->address - offset;
	if (!memory_read_now(memory, address, &rwlock, sizeof(rwlock)) || rwlock.shared > 1 ||
		futex->private == rwlock.shared)
		return lock;
	lock.address = address;
	lock.state = LOCK_CHANGING;
	if (futex->word != futex->expected)
		return lock;
	if ((rwlock.readers & (WRITE_PHASE | WRITE_LOCKED)) == (WRITE_PHASE | WRITE_LOCKED)) {
		if (rwlock.writer <= 0)
			return lock;
		lock.state = LOCK_OWNED;
		lock.owner = rwlock.writer;
		lock.owner_address = address + offsetof(struct rwlock, writer);
		lock.owner_mask = UINT32_MAX;
	} else if (!(rwlock.readers & WRITE_PHASE) && rwlock.readers >> READERS_SHIFT) {
		lock.state = LOCK_READ;
		lock.readers = rwlock.readers >> READERS_SHIFT;
	}
	return lock;
}

/* sysdeps/nptl/internaltypes.h, struct pthread_barrier; nptl/pthread_barrier_wait.c. */
struct barrier {
	uint32_t in;
	uint32_t round; /* what `in` was when the present round began */
	uint32_t count;
	uint32_t shared;
	uint32_t out;
};

bool glibc_barrier(const struct memory *memory, const struct futex *futex, uint64_t *address,
	uint32_t *come, uint32_t *count)
{
	struct barrier barrier;

	*address = futex->address - offsetof(struct barrier, round);
	if (!futex->known || !memory_read_now(memory, *address, &barrier, sizeof(barrier)) ||
		barrier.round != futex->expected || futex->private == (barrier.shared != 0))
		return false;
	*come = barrier.in - barrier.round;
	*count = barrier.count;
	return *come && *come < *count;
}

/* nptl/pthread_cond_wait.c, what a cancelled wait would need. */
struct condvar_cleanup_buffer {
	uint64_t sequence; /* of the waiter, by which it is in one of the two groups */
	uint64_t condition, mutex;
	uint32_t private;
};

#define CONDITION_SIZE 48
#define MUTEX_SIZE 40

/*
 * Whether that is the buffer of who waits for this futex: one of the two __g_signals, that of the
 * waiter's group, which stand 8 bytes lower since 2.42 (sysdeps/nptl/bits/thread-shared-types.h,
 * struct __pthread_cond_s). The condition variable begins with the next waiter's sequence number.
 */
static bool is_buffer_of(const struct condvar_cleanup_buffer *buffer, const struct memory *memory,
	const struct futex *futex)
{
	enum { SIGNALS = 40, SIGNALS_SINCE_2_42 = 32 };
	uint64_t low = futex->address & ~(uint64_t)7, group = futex->address >> 2 & 1, next;

	if ((buffer->condition != low - SIGNALS && buffer->condition != low - SIGNALS_SINCE_2_42) ||
		!buffer->mutex || buffer->mutex % sizeof(uint32_t) ||
		futex->private != (buffer->private == 0))
		return false;
	if (buffer->mutex < buffer->condition + CONDITION_SIZE &&
		buffer->condition < buffer->mutex + MUTEX_SIZE)
		return false;
	return (buffer->sequence & 1) == group &&
	       memory_read_now(memory, buffer->condition, &next, sizeof(next)) &&
	       buffer->sequence < next;
}

bool glibc_condition(const struct memory *memory, const uint8_t *stack, size_t length,
	const struct futex *futex, struct condition *condition)
{
	struct condvar_cleanup_buffer buffer;

	for (size_t at = 0; at + sizeof(buffer) <= length; at += sizeof(uint64_t)) {
		memcpy(&buffer, stack + at, sizeof(buffer));
		if (!is_buffer_of(&buffer, memory, futex))
			continue;
		*condition = (struct condition){.address = buffer.condition, .mutex = buffer.mutex};
		return true;
	}
	return false;
}
