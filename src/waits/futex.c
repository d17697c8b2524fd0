// SPDX-License-Identifier: Apache-2.0
/*
 * Futexes: the kernel sees an address and a value; what they stand for, the functions of user
 * space above the call tell. Nothing is claimed that they do not name.
 */
#include <linux/futex.h>
#include <string.h>

#include "util/memory.h"
#include "waits/kinds.h"

/* Frames above the call that are looked at; the deepest known chain (Rust's) has six. */
#define FRAMES_LOOKED_AT 16

enum role {
	ROLE_NONE,    /* tells nothing, and ends the search */
	ROLE_PASSING, /* a step on the way into the kernel */
	ROLE_MUSL,    /* such a step that only musl has */
	ROLE_MUTEX,
	ROLE_CONDITION,
	ROLE_READ_LOCK,
	ROLE_WRITE_LOCK,
	ROLE_SEMAPHORE,
	ROLE_BARRIER,
	ROLE_ONCE,
	ROLE_STATIC,
	ROLE_JOIN,
	ROLE_PARK,
	ROLE_FUTURE,
	ROLE_GO_LOCK,
	ROLE_GO_NOTE,
	ROLE_GO_SIGNAL,
};

/*
 * By the function's name, without what follows a dot or an at sign, and without leading underscores
 * and "GI_" (glibc's local aliases) unless they are asked for. Those with "::" may stand anywhere
 * in a name.
 */
static const struct {
	const char *function;
	enum role role;
} functions[] = {
	{"syscall", ROLE_PASSING},
	{"internal_syscall_cancel", ROLE_PASSING},
	{"syscall_cancel", ROLE_PASSING},
	{"syscall_cancel_arch", ROLE_PASSING},
	{"lll_lock_wait", ROLE_PASSING},
	{"lll_clocklock_wait", ROLE_PASSING},
	{"futex_wait", ROLE_PASSING},
	{"futex_wait_simple", ROLE_PASSING},
	{"futex_lock_pi64", ROLE_PASSING},
	{"futex_abstimed_wait64", ROLE_PASSING},
	{"futex_abstimed_wait_cancelable64", ROLE_PASSING},
	{"futex_abstimed_wait_common", ROLE_PASSING},
	{"futex_abstimed_wait_common64", ROLE_PASSING},
	{"do_futex_wait", ROLE_PASSING},
	{"__timedwait", ROLE_MUSL},
	{"__timedwait_cp", ROLE_MUSL},
	{"__wait", ROLE_MUSL},
	{"__syscall_cp", ROLE_MUSL},
	{"__syscall_cp_c", ROLE_MUSL},
	{"__syscall_cp_asm", ROLE_MUSL},

	{"pthread_mutex_lock", ROLE_MUTEX},
	{"pthread_mutex_lock_full", ROLE_MUTEX},
	{"pthread_mutex_timedlock", ROLE_MUTEX},
	{"pthread_mutex_clocklock", ROLE_MUTEX},
	{"pthread_mutex_clocklock_common", ROLE_MUTEX},
	{"pthread_mutex_cond_lock", ROLE_MUTEX},
	{"mtx_lock", ROLE_MUTEX},
	{"mtx_timedlock", ROLE_MUTEX},
	{"pthread_cond_wait", ROLE_CONDITION},
	{"pthread_cond_wait_common", ROLE_CONDITION},
	{"pthread_cond_timedwait", ROLE_CONDITION},
	{"pthread_cond_clockwait", ROLE_CONDITION},
	{"cnd_wait", ROLE_CONDITION},
	{"cnd_timedwait", ROLE_CONDITION},
	{"pthread_rwlock_rdlock", ROLE_READ_LOCK},
	{"pthread_rwlock_timedrdlock", ROLE_READ_LOCK},
	{"pthread_rwlock_clockrdlock", ROLE_READ_LOCK},
	{"pthread_rwlock_rdlock_full64", ROLE_READ_LOCK},
	{"pthread_rwlock_wrlock", ROLE_WRITE_LOCK},
	{"pthread_rwlock_timedwrlock", ROLE_WRITE_LOCK},
	{"pthread_rwlock_clockwrlock", ROLE_WRITE_LOCK},
	{"pthread_rwlock_wrlock_full64", ROLE_WRITE_LOCK},
	{"sem_wait", ROLE_SEMAPHORE},
	{"sem_timedwait", ROLE_SEMAPHORE},
	{"sem_clockwait", ROLE_SEMAPHORE},
	{"new_sem_wait", ROLE_SEMAPHORE},
	{"new_sem_wait_slow64", ROLE_SEMAPHORE},
	{"pthread_barrier_wait", ROLE_BARRIER},
	{"pthread_once", ROLE_ONCE},
	{"pthread_once_slow", ROLE_ONCE},
	{"pthread_once_full", ROLE_ONCE},
	{"call_once", ROLE_ONCE},
	{"cxa_guard_acquire", ROLE_STATIC},
	{"pthread_join", ROLE_JOIN},
	{"pthread_tryjoin_np", ROLE_JOIN},
	{"pthread_timedjoin_np", ROLE_JOIN},
	{"pthread_clockjoin_np", ROLE_JOIN},
	{"pthread_clockjoin_ex", ROLE_JOIN},
	{"thrd_join", ROLE_JOIN},

	{"std::__atomic_futex_unsigned_base::_M_futex_wait_until", ROLE_FUTURE},

	{"::futex::futex_wait", ROLE_PASSING},
	{"::futex::Mutex::lock_contended", ROLE_MUTEX},
	{"::futex::Condvar::wait", ROLE_CONDITION},
	{"::futex::RwLock::read_contended", ROLE_READ_LOCK},
	{"::futex::RwLock::write_contended", ROLE_WRITE_LOCK},
	{"::futex::Once::call", ROLE_ONCE},
	{"::futex::Once::wait", ROLE_ONCE},
	{"::futex::Parker::park", ROLE_PARK},

	{"runtime.futex", ROLE_PASSING},
	{"runtime.futexsleep", ROLE_PASSING},
	{"runtime.lock2", ROLE_GO_LOCK},
	{"runtime.notesleep", ROLE_GO_NOTE},
	/* Called by notetsleep() for the scheduler, and by notetsleepg() for a goroutine. */
	{"runtime.notetsleep_internal", ROLE_PASSING},
	{"runtime.notetsleep", ROLE_GO_NOTE},
	{"runtime.notetsleepg", ROLE_PASSING},
	{"os/signal.signal_recv", ROLE_GO_SIGNAL},
};

static bool is_named(const char *symbol, const char *pattern)
{
	size_t length = strlen(pattern);

	if (strstr(pattern, "::"))
		return strstr(symbol, pattern);
	return strncmp(symbol, pattern, length) == 0 && strchr(".@", symbol[length]);
}

static enum role find_role(const char *symbol)
{
	const char *name = symbol + strspn(symbol, "_");

	if (name > symbol && strncmp(name, "GI_", 3) == 0)
		name += 3 + strspn(name + 3, "_");
	for (size_t i = 0; i < array_length(functions); i++) {
		const char *pattern = functions[i].function;

		if (is_named(pattern[0] == '_' ? symbol : name, pattern))
			return functions[i].role;
	}
	return ROLE_NONE;
}

/*
 * The innermost function that tells. A function without a name is passed over only in the module
 * that makes the call, whose own helpers are stripped of their names; any other function that is
 * not known ends the search, so that what stands further out is never taken for the cause.
 */
static struct telling seek_telling(const struct user_stack *stack)
{
	struct telling telling = {.role = ROLE_NONE};
	size_t count = stack->frames ? stack->frame_count : 0;

	for (size_t i = 0; i < count && i < FRAMES_LOOKED_AT; i++) {
		const struct frame *frame = stack->frames[i];
		const char *module = frame->module, *first = stack->frames[0]->module;

		if (i == 0)
			telling.musl = module && strstr(module, "ld-musl-");
		if (frame->uncertain)
			break;
		if (!frame->symbol) {
			if (!module || !first || strcmp(module, first) != 0)
				break;
			continue;
		}
		enum role role = find_role(frame->symbol);
		telling.musl |= role == ROLE_MUSL;
		if (role == ROLE_PASSING || role == ROLE_MUSL)
			continue;
		telling.role = role;
		break;
	}
	return telling;
}

static struct telling find_telling(struct waiting *waiting)
{
	const struct user_stack *stack = waiting->thread->user_stack;
	size_t slot = stack_slot(stack);
	struct waits *waits = waiting->waits;

	if (!stack)
		return (struct telling){.role = ROLE_NONE};
	if (waits->tellings[slot].stack != stack) {
		waits->tellings[slot].stack = stack;
		waits->tellings[slot].telling = seek_telling(stack);
	}
	return waits->tellings[slot].telling;
}

/* The address and the value of a futex that is waited for, whichever call it is. */
struct futex {
	uint64_t address;
	uint64_t expected;
	uint32_t operation; /* FUTEX_WAIT … */
	bool private;
};

static struct futex read_futex(const struct waiting *waiting)
{
	struct futex futex = {.address = call_value(waiting, "uaddr"),
		.expected = call_value(waiting, "val"),
		.operation = FUTEX_WAIT_BITSET};

	if (call_parameter(waiting->call, "futex_op") >= 0) {
		uint32_t operation = (uint32_t)call_value(waiting, "futex_op");

		futex.expected = (uint32_t)futex.expected;
		futex.operation = operation & (uint32_t)FUTEX_CMD_MASK;
		futex.private = operation & FUTEX_PRIVATE_FLAG;
	}
	return futex;
}

#define HEX(value) ((unsigned long long)(value))

/*
 * Within pthread_cond_wait() the mutex may be waited for as well, to be taken again. glibc waits
 * for the signal with FUTEX_WAIT_BITSET, and for a contended lock with FUTEX_WAIT for a change from
 * 2 (sysdeps/nptl/futex-internal.c and nptl/lowlevellock.c, 2.17 to 2.41). musl waits with
 * FUTEX_WAIT for both, but its lock has a function of its own
 * (src/thread/pthread_cond_timedwait.c).
 */
static bool is_relocking(const struct telling *telling, const struct futex *futex)
{
	return telling->role == ROLE_CONDITION && !telling->musl &&
	       futex->operation == FUTEX_WAIT && futex->expected == 2;
}

static bool explain_mutex(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);
	struct futex futex = read_futex(waiting);
	uint64_t mutex = futex.address;

	if (futex.operation == FUTEX_LOCK_PI || futex.operation == FUTEX_LOCK_PI2) {
		say(waiting, "waits for the priority-inheriting mutex with futex 0x%llx",
			HEX(mutex));
	} else if (telling.role == ROLE_GO_LOCK) {
		say(waiting, "waits for the lock 0x%llx of Go's runtime", HEX(mutex));
	} else if (telling.role == ROLE_MUTEX || is_relocking(&telling, &futex)) {
		/*
		 * The lock is the first member in glibc and in Rust, the second in musl
		 * (src/internal/pthread_impl.h, _m_lock).
		 */
		if (telling.musl)
			mutex -= sizeof(int);
		say(waiting, "waits for mutex 0x%llx", HEX(mutex));
	} else {
		return false;
	}
	say_timeout(waiting);
	return true;
}

static bool explain_condition(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_CONDITION)
		return false;
	/* A pool's threads are not the first of their process. */
	waiting->idle = waiting->thread->tid != waiting->process->pid;
	say(waiting, "waits for a condition variable (futex 0x%llx)",
		HEX(read_futex(waiting).address));
	say_timeout(waiting);
	return true;
}

static bool explain_rwlock(struct waiting *waiting)
{
	int role = find_telling(waiting).role;

	if (role != ROLE_READ_LOCK && role != ROLE_WRITE_LOCK)
		return false;
	say(waiting, "waits for a read-write lock, to %s (futex 0x%llx)",
		role == ROLE_READ_LOCK ? "read" : "write", HEX(read_futex(waiting).address));
	say_timeout(waiting);
	return true;
}

static bool explain_semaphore(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_SEMAPHORE)
		return false;
	say(waiting, "waits for semaphore 0x%llx", HEX(read_futex(waiting).address));
	say_timeout(waiting);
	return true;
}

static bool explain_barrier(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_BARRIER)
		return false;
	say(waiting, "waits for the other threads at a barrier (futex 0x%llx)",
		HEX(read_futex(waiting).address));
	return true;
}

static bool explain_once(struct waiting *waiting)
{
	int role = find_telling(waiting).role;

	if (role != ROLE_ONCE && role != ROLE_STATIC)
		return false;
	say(waiting, "waits for another thread to finish %s (futex 0x%llx)",
		role == ROLE_ONCE ? "what is done once" : "the initialization of a static variable",
		HEX(read_futex(waiting).address));
	return true;
}

/* Threads stand by rising id, after the first (model/process.h). */
static bool is_thread(const struct process *process, pid_t tid)
{
	size_t low = 1, high = process->thread_count;

	if (high && process->threads[0].tid == tid)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->threads[middle].tid == tid)
			return true;
		if (process->threads[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/*
 * glibc waits for a change from the joined thread's id, in a futex that is not private, since the
 * kernel wakes it when the thread ends (nptl/pthread_join_common.c). pthread_join() leaves for
 * its helper by a jump, so that its name is often not on the stack: then the id of another living
 * thread as the expected value tells.
 */
static bool is_joining(const struct waiting *waiting, const struct futex *futex)
{
	pid_t tid = (pid_t)futex->expected;

	return futex->operation == FUTEX_WAIT_BITSET && !futex->private &&
	       same_pid_namespace(waiting) && tid != waiting->thread->tid &&
	       is_thread(waiting->process, tid);
}

static bool explain_join(struct waiting *waiting)
{
	struct telling telling = find_telling(waiting);
	struct futex futex = read_futex(waiting);
	pid_t tid = (pid_t)futex.expected;

	if (telling.role != ROLE_JOIN &&
		(telling.role != ROLE_NONE || !is_joining(waiting, &futex)))
		return false;
	if (telling.musl || tid <= 0) {
		say(waiting, "waits for a thread to end");
	} else if (!same_pid_namespace(waiting)) {
		say(waiting, "waits for thread %d (an id of its own pid namespace) to end", tid);
	} else {
		say(waiting, "waits for thread %d to end", tid);
		if (is_thread(waiting->process, tid)) {
			add_holder(waiting, SURE_OWNS, waiting->process->pid, tid,
				"the joined thread");
			holders_are_all(waiting);
		}
	}
	say_timeout(waiting);
	return true;
}

static bool explain_park(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_PARK)
		return false;
	say(waiting, "waits for another thread to unpark it");
	say_timeout(waiting);
	return true;
}

static bool explain_future(struct waiting *waiting)
{
	if (find_telling(waiting).role != ROLE_FUTURE)
		return false;
	say(waiting, "waits for the result of a future (futex 0x%llx)",
		HEX(read_futex(waiting).address));
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

	if (role == ROLE_GO_SIGNAL) {
		waiting->idle = true;
		waiting->word = "signal";
		say(waiting, "waits for a signal (futex 0x%llx)", HEX(futex.address));
	} else if (role == ROLE_GO_NOTE) {
		waiting->idle = true;
		say(waiting, "waits for work from Go's scheduler (futex 0x%llx)",
			HEX(futex.address));
	} else if (futex.operation == FUTEX_WAIT || futex.operation == FUTEX_WAIT_BITSET ||
		   futex.operation == FUTEX_WAIT_REQUEUE_PI) {
		say(waiting, "waits for futex 0x%llx to change from %llu%s", HEX(futex.address),
			HEX(futex.expected), futex.private ? " (private)" : "");
	} else {
		say(waiting, "waits in a futex operation on 0x%llx", HEX(futex.address));
	}
	say_timeout(waiting);
	return true;
}

static const struct wait_kind rows[] = {
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
