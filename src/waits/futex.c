// SPDX-License-Identifier: Apache-2.0
/*
 * Futexes: the kernel sees an address and a value; what they stand for, the functions of user
 * space above the call tell. Nothing is claimed that they do not name.
 */
#include <linux/futex.h>

#include "waits/futex_parts.h"

/* How much of a stack is searched for what pthread_cond_wait() keeps there, in bytes from sp. */
#define STACK_SEARCHED 1024

static struct futex read_futex(struct waiting *waiting)
{
	const struct process *process = waiting->process;
	struct futex futex = {.address = call_value(waiting, "uaddr"),
		.expected = call_value(waiting, "val"),
		.operation = FUTEX_WAIT_BITSET};

	if (call_parameter(waiting->call, "futex_op") >= 0) {
		uint32_t operation = (uint32_t)call_value(waiting, "futex_op");

		futex.expected = (uint32_t)futex.expected;
		futex.operation = operation & (uint32_t)FUTEX_CMD_MASK;
		futex.private = operation & FUTEX_PRIVATE_FLAG;
	}
	const struct mapping *mapping = mappings_find(&process->mappings, futex.address);
	futex.within = futex.private || (mapping && !mapping->shared);
	futex.known = memory_read_now(
		futex_memory(waiting), futex.address, &futex.word, sizeof(futex.word));
	return futex;
}

/* What is between the memory and the kernel alone: FUTEX_LOCK_PI, by whomever it is used. */
static bool explain_pi(struct waiting *waiting)
{
	uint32_t operation = (uint32_t)call_value(waiting, "futex_op") & (uint32_t)FUTEX_CMD_MASK;

	if (operation != FUTEX_LOCK_PI && operation != FUTEX_LOCK_PI2)
		return false;
	struct futex futex = read_futex(waiting);
	struct lock lock = pi_lock(&futex);
	say(waiting, "waits for the priority-inheriting mutex");
	say_futex(waiting, &futex);
	add_lock_holder(waiting, &futex, &lock, "holds the mutex");
	say_timeout(waiting);
	return true;
}

/*
 * Within pthread_cond_wait() the mutex may be waited for as well, to be taken again. glibc waits
 * for the signal with FUTEX_WAIT_BITSET, and for a contended lock with FUTEX_WAIT for a change from
 * 2 (sysdeps/nptl/futex-internal.c and nptl/lowlevellock.c, 2.17 to 2.42). musl waits with
 * FUTEX_WAIT for both, but its lock has a function of its own
 * (src/thread/pthread_cond_timedwait.c).
 */
static bool is_relocking(const struct waiting *waiting, const struct telling *telling)
{
	return telling->role == ROLE_CONDITION && telling->maker == MAKER_C &&
	       (uint32_t)call_value(waiting, "val") == 2 &&
	       ((uint32_t)call_value(waiting, "futex_op") & (uint32_t)FUTEX_CMD_MASK) == FUTEX_WAIT;
}

static struct lock find_mutex(
	struct waiting *waiting, enum futex_maker maker, const struct futex *futex)
{
	const struct memory *memory = futex_memory(waiting);

	switch (maker) {
	case MAKER_C:
		return glibc_mutex(memory, futex);
	case MAKER_MUSL:
		return musl_mutex(memory, futex);
	case MAKER_RUST:
		return rust_mutex(futex);
	default:
		return (struct lock){.address = futex->address};
	}
}

/* That a thread is parked on a word of its own leads to no lock. */
static bool explain_parking_lot(struct waiting *waiting, const char *what, const char *more)
{
	struct futex futex = read_futex(waiting);

	say(waiting, "waits for %s of parking_lot%s", what, more);
	add_others(waiting, &futex);
	say_timeout(waiting);
	return true;
}

/*
 * glibc waits so, on a word of its own, where the kernel refused FUTEX_LOCK_PI (nptl/
 * pthread_mutex_lock.c, "Delay the thread indefinitely", since 2.34).
 */
static bool is_refused(const struct telling *telling, const struct futex *futex)
{
	return telling->maker == MAKER_C && futex->expected == 0;
}

static bool explain_mutex(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);

	if (telling.role != ROLE_MUTEX && !is_relocking(waiting, &telling))
		return false;
	if (telling.maker == MAKER_PARKING_LOT)
		return explain_parking_lot(waiting, "a mutex", " (who holds it is not recorded)");
	struct futex futex = read_futex(waiting);
	if (is_refused(&telling, &futex)) {
		say(waiting, "waits without end for a priority-inheriting mutex: its owner has "
			     "ended, or "
			     "it would be a deadlock");
		return true;
	}
	struct lock lock = find_mutex(waiting, telling.maker, &futex);
	if (telling.uncertain && lock.state == LOCK_UNKNOWN)
		return false;
	if (telling.maker == MAKER_GO) {
		say(waiting, "waits for the lock 0x%llx of Go's runtime", HEX(futex.address));
	} else {
		say(waiting, "waits for mutex ");
		say_object(waiting, lock.address);
		add_lock_holder(waiting, &futex, &lock, "holds the mutex");
	}
	say_timeout(waiting);
	return true;
}

/* The condition variable and its mutex, as far as they can be found on the thread's stack. */
static bool find_condition(
	struct waiting *waiting, const struct futex *futex, struct condition *condition)
{
	const struct thread *thread = waiting->thread;
	size_t length =
		thread->stack_length < STACK_SEARCHED ? thread->stack_length : STACK_SEARCHED;

	return thread->stack_bytes && glibc_condition(futex_memory(waiting), thread->stack_bytes,
					      length, futex, condition);
}

static bool explain_condition(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);
	struct condition condition;

	if (telling.role != ROLE_CONDITION)
		return false;
	struct futex futex = read_futex(waiting);
	if (telling.uncertain && !musl_condition(&futex))
		return false;
	/* A pool's threads are not the first of their process. */
	waiting->idle = waiting->thread->tid != waiting->process->pid;
	if (telling.maker == MAKER_PARKING_LOT)
		return explain_parking_lot(waiting, "a condition variable", "");
	if (telling.maker == MAKER_C && find_condition(waiting, &futex, &condition)) {
		say(waiting, "waits for condition variable ");
		say_object(waiting, condition.address);
		say(waiting, " with mutex ");
		say_object(waiting, condition.mutex);
	} else {
		say(waiting, "waits for a condition variable");
		say_futex(waiting, &futex);
	}
	add_others(waiting, &futex);
	say_timeout(waiting);
	return true;
}

static struct lock find_rwlock(
	struct waiting *waiting, enum futex_maker maker, const struct futex *futex, bool to_write)
{
	const struct memory *memory = futex_memory(waiting);

	switch (maker) {
	case MAKER_C:
		return glibc_rwlock(memory, futex, to_write);
	case MAKER_MUSL:
		return musl_rwlock(memory, futex);
	case MAKER_RUST:
		return rust_rwlock(memory, futex, to_write);
	default:
		return (struct lock){0};
	}
}

static bool explain_rwlock(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);
	bool to_write = telling.role == ROLE_WRITE_LOCK;
	const char *purpose = to_write ? "write" : "read";

	if (telling.role != ROLE_READ_LOCK && !to_write)
		return false;
	if (telling.maker == MAKER_PARKING_LOT)
		return explain_parking_lot(waiting, "a read-write lock",
			to_write ? ", to write (who holds it is not recorded)"
				 : ", to read (who holds it is not recorded)");
	struct futex futex = read_futex(waiting);
	struct lock lock = find_rwlock(waiting, telling.maker, &futex, to_write);
	if (telling.uncertain && lock.state == LOCK_UNKNOWN)
		return false;
	if (lock.address) {
		say(waiting, "waits for read-write lock ");
		say_object(waiting, lock.address);
		say(waiting, ", to %s", purpose);
	} else {
		say(waiting, "waits for a read-write lock, to %s", purpose);
		say_futex(waiting, &futex);
	}
	add_lock_holder(waiting, &futex, &lock, "holds the lock");
	say_timeout(waiting);
	return true;
}

static bool explain_semaphore(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);

	if (telling.role != ROLE_SEMAPHORE)
		return false;
	struct futex futex = read_futex(waiting);
	if (telling.uncertain && !musl_semaphore(futex_memory(waiting), &futex))
		return false;
	say(waiting, "waits for semaphore ");
	say_object(waiting, futex.address);
	add_others(waiting, &futex);
	say_timeout(waiting);
	return true;
}

static bool explain_barrier(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);
	const struct memory *memory = futex_memory(waiting);
	uint32_t come = 0, count = 0;
	uint64_t barrier = 0;

	if (telling.role != ROLE_BARRIER)
		return false;
	struct futex futex = read_futex(waiting);
	bool known = telling.maker == MAKER_MUSL
			     ? musl_barrier(memory, &futex, &come)
			     : glibc_barrier(memory, &futex, &barrier, &come, &count);
	if (telling.uncertain && !known)
		return false;
	say(waiting, "waits for the other threads at ");
	if (known && barrier) {
		say(waiting, "barrier ");
		say_object(waiting, barrier);
		say(waiting, ": %u of %u", come, count);
	} else {
		say(waiting, "a barrier");
		say_futex(waiting, &futex);
		if (known)
			say(waiting, ": %u", come);
	}
	if (known)
		say(waiting, " %s come", come == 1 ? "has" : "have");
	add_others(waiting, &futex);
	return true;
}

static bool explain_once(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);

	if (telling.role != ROLE_ONCE && telling.role != ROLE_STATIC)
		return false;
	struct futex futex = read_futex(waiting);
	if (telling.uncertain && !musl_once(&futex))
		return false;
	if (telling.maker == MAKER_PARKING_LOT) {
		say(waiting, "waits for another thread to finish what is done once (parking_lot)");
	} else if (telling.role == ROLE_STATIC) {
		say(waiting, "waits for another thread to finish the initialization of ");
		say_guarded(waiting, &futex);
	} else {
		say(waiting, "waits for another thread to finish what is done once");
		say_futex(waiting, &futex);
	}
	add_others(waiting, &futex);
	say_timeout(waiting);
	return true;
}

/*
 * glibc waits for a change from the joined thread's id, in a futex that is not private, since the
 * kernel wakes it when the thread ends (nptl/pthread_join_common.c). pthread_join() leaves for
 * its helper by a jump, so that its name is often not on the stack: then the id of another living
 * thread as the expected value tells.
 */
static bool is_joining(const struct waiting *waiting)
{
	uint32_t operation = (uint32_t)call_value(waiting, "futex_op");
	pid_t tid = (pid_t)call_value(waiting, "val");

	if (call_parameter(waiting->call, "futex_op") < 0 || (operation & FUTEX_PRIVATE_FLAG) ||
		(operation & (uint32_t)FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET || tid <= 0)
		return false;
	const struct thread *thread = find_thread(waiting, tid);
	return thread && thread != waiting->thread;
}

static bool explain_join(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);

	if (telling.role != ROLE_JOIN && (telling.role != ROLE_NONE || !is_joining(waiting)))
		return false;
	struct futex futex = read_futex(waiting);
	uint64_t address = futex.address;
	pid_t tid = (pid_t)futex.expected;
	if (telling.maker == MAKER_MUSL)
		tid = musl_joined(futex_memory(waiting), &futex, &address);
	const struct thread *thread = tid > 0 ? find_thread(waiting, tid) : NULL;
	if (telling.uncertain && !thread)
		return false;
	if (tid <= 0 || (telling.maker == MAKER_MUSL && !thread))
		say(waiting, "waits for a thread to end");
	else if (!thread && !same_pid_namespace(waiting))
		say(waiting, "waits for thread %d (an id of its own pid namespace) to end", tid);
	else
		say(waiting, "waits for thread %d to end", thread ? thread->tid : tid);
	if (tid > 0)
		add_joined(waiting, tid, address);
	say_timeout(waiting);
	return true;
}

static bool explain_park(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_PARK)
		return false;
	struct futex futex = read_futex(waiting);
	say(waiting, "waits for another thread to unpark it");
	add_others(waiting, &futex);
	say_timeout(waiting);
	return true;
}

static bool explain_future(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_FUTURE)
		return false;
	struct futex futex = read_futex(waiting);
	say(waiting, "waits for the result of a future");
	say_futex(waiting, &futex);
	add_others(waiting, &futex);
	say_timeout(waiting);
	return true;
}

static bool explain_several(struct waiting *waiting)
{
	if (call_parameter(waiting->call, "waiters") < 0)
		return false;
	say(waiting, "waits for one of %u futexes to change",
		(uint32_t)call_value(waiting, "nr_futexes"));
	say_timeout(waiting);
	return true;
}

static bool explain_futex(struct waiting *waiting)
{
	struct futex futex = read_futex(waiting);
	int role = find_telling(waiting).role;

	if (role == ROLE_SIGNAL) {
		waiting->idle = true;
		waiting->word = "signal";
		say(waiting, "waits for a signal (futex 0x%llx)", HEX(futex.address));
	} else if (role == ROLE_NOTE) {
		waiting->idle = true;
		say(waiting, "waits for work from Go's scheduler (futex 0x%llx)",
			HEX(futex.address));
	} else if (futex.operation == FUTEX_WAIT || futex.operation == FUTEX_WAIT_BITSET ||
		   futex.operation == FUTEX_WAIT_REQUEUE_PI) {
		say(waiting, "waits for futex ");
		say_object(waiting, futex.address);
		say(waiting, " to change from %llu%s", HEX(futex.expected),
			futex.private ? " (private)" : "");
		if (futex.private)
			add_others(waiting, &futex);
	} else {
		say(waiting, "waits in a futex operation on 0x%llx", HEX(futex.address));
	}
	say_timeout(waiting);
	return true;
}

static const struct wait_kind rows[] = {
	{"mutex", false, CALL_FUTEX, explain_pi},
	{"mutex", false, CALL_FUTEX, explain_mutex},
	{"condition", true, CALL_FUTEX, explain_condition},
	{"rwlock", false, CALL_FUTEX, explain_rwlock},
	{"semaphore", true, CALL_FUTEX, explain_semaphore},
	{"barrier", false, CALL_FUTEX, explain_barrier},
	{"once", false, CALL_FUTEX, explain_once},
	{"thread-join", false, CALL_FUTEX, explain_join},
	{"park", true, CALL_FUTEX, explain_park},
	{"future", false, CALL_FUTEX, explain_future},
	{"futex", false, CALL_FUTEX, explain_several},
	{"futex", false, CALL_FUTEX, explain_futex},
};

const struct wait_kinds waits_for_futex = KINDS(rows);
