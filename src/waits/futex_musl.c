// SPDX-License-Identifier: Apache-2.0
/* The objects of musl in memory: src/internal/pthread_impl.h, 1.1.20 to 1.2.5. */
#include <linux/futex.h>

#include "waits/futex_parts.h"

struct mutex {
	uint32_t type;
	uint32_t lock;
};

#define TYPE_MASK 3U /* PTHREAD_MUTEX_NORMAL, _RECURSIVE, _ERRORCHECK */
#define TYPE_ROBUST 4U
#define TYPE_INHERIT 8U
#define TYPE_SHARED 128U
#define TYPES_KNOWN (TYPE_MASK | TYPE_ROBUST | TYPE_INHERIT | TYPE_SHARED)

#define NORMAL_LOCKED 16U /* EBUSY: src/thread/pthread_mutex_lock.c */

/* All but normal ones have the owner's id for a lock (src/thread/pthread_mutex_trylock.c). */
struct lock musl_mutex(const struct memory *memory, const struct futex *futex)
{
	struct lock lock = {.address = futex->address - offsetof(struct mutex, lock)};
	struct mutex mutex;

	if (!futex->known || !memory_read_now(memory, lock.address, &mutex, sizeof(mutex)) ||
		(mutex.type & ~TYPES_KNOWN) || (mutex.type & TYPE_MASK) == TYPE_MASK ||
		futex->private == ((mutex.type & TYPE_SHARED) != 0) ||
		!(futex->expected & FUTEX_WAITERS))
		return lock;
	uint32_t owner = mutex.lock & FUTEX_TID_MASK;
	if (mutex.lock & FUTEX_OWNER_DIED) { /* of robust ones and others: pthread_create.c */
		lock.state = LOCK_DIED;
	} else if (mutex.lock != futex->expected || futex->word != futex->expected) {
		lock.state = LOCK_CHANGING;
	} else if (!(mutex.type & (TYPE_MASK | TYPE_ROBUST | TYPE_INHERIT))) {
		lock.state = owner == NORMAL_LOCKED ? LOCK_UNRECORDED : LOCK_UNKNOWN;
	} else if (owner && owner != FUTEX_TID_MASK) { /* the latter: not recoverable */
		lock.state = LOCK_OWNED;
		lock.owner = (pid_t)owner;
		lock.owner_address = futex->address;
		lock.owner_mask = FUTEX_TID_MASK;
	}
	return lock;
}

/* All three words of this file's that say whether processes share a thing: 0 or 128, of which one
 * means "private" here and the other there. */
static bool is_flag(uint32_t word, bool set)
{
	return word == (set ? TYPE_SHARED : 0);
}

struct rwlock {
	uint32_t lock;
	uint32_t waiters;
	uint32_t shared;
};

#define READERS_MASK 0x7fffffffU
#define WRITE_LOCKED READERS_MASK

/* src/thread/pthread_rwlock_tryrdlock.c, pthread_rwlock_trywrlock.c. */
struct lock musl_rwlock(const struct memory *memory, const struct futex *futex)
{
	struct lock lock = {.address = futex->address, .readers = futex->word & READERS_MASK};
	struct rwlock rwlock;

	if (!futex->known || !memory_read_now(memory, lock.address, &rwlock, sizeof(rwlock)) ||
		!is_flag(rwlock.shared, !futex->private) || !(futex->expected & FUTEX_WAITERS))
		return lock;
	if (futex->word != futex->expected || !lock.readers)
		lock.state = LOCK_CHANGING;
	else
		lock.state = lock.readers == WRITE_LOCKED ? LOCK_UNRECORDED : LOCK_READ;
	return lock;
}

/* src/thread/sem_timedwait.c: the value, -1 before 1.2.4; how many wait; 128 for a private one. */
bool musl_semaphore(const struct memory *memory, const struct futex *futex)
{
	uint32_t words[3];

	return memory_read_now(memory, futex->address, words, sizeof(words)) &&
	       (futex->expected == FUTEX_WAITERS || futex->expected == UINT32_MAX) &&
	       is_flag(words[2], futex->private);
}

/* src/thread/pthread_cond_timedwait.c: a private one's waiter has a lock of its own on its stack;
 * a shared one counts signals. */
bool musl_condition(const struct futex *futex)
{
	return futex->known && (!futex->private || futex->expected == 2);
}

/* src/thread/pthread_once.c: under way, and somebody waits. */
bool musl_once(const struct futex *futex)
{
	return futex->private && futex->expected == 3;
}

/*
 * src/thread/pthread_barrier_wait.c, struct instance, on the stack of the thread that came first,
 * which waits for `finished`; the others wait for `last`. Nothing there leads to the barrier. One
 * that processes share has another way.
 */
struct instance {
	int32_t count; /* who came after the first */
	int32_t last;
	int32_t waiters;
	int32_t finished;
};

bool musl_barrier(const struct memory *memory, const struct futex *futex, uint32_t *come)
{
	struct instance instance;
	size_t offset = futex->expected ? offsetof(struct instance, finished)
					: offsetof(struct instance, last);

	if (!futex->private || futex->expected > 1 ||
		!memory_read_now(memory, futex->address - offset, &instance, sizeof(instance)) ||
		instance.count < 0 || instance.count == INT32_MAX || instance.last ||
		instance.waiters < 0)
		return false;
	*come = (uint32_t)instance.count + 1;
	return true;
}

/* src/thread/pthread_join.c waits for detach_state, behind tid and errno_val. */
pid_t musl_joined(const struct memory *memory, const struct futex *futex, uint64_t *address)
{
	enum { EXITING = 1, JOINABLE = 2, TO_TID = 8 };
	int32_t tid;

	*address = futex->address - TO_TID;
	if (!futex->known || futex->word != futex->expected ||
		(futex->expected != EXITING && futex->expected != JOINABLE) ||
		!memory_read_now(memory, *address, &tid, sizeof(tid)) || tid <= 0)
		return 0;
	return tid;
}
