// SPDX-License-Identifier: Apache-2.0
/* Telling: what a futex is of, by the functions of user space above the call. */
#include <string.h>

#include "util/memory.h"
#include "waits/futex_parts.h"

/* Frames above the call that are looked at; the deepest known chain (parking_lot's) has ten. */
#define FRAMES_LOOKED_AT 16

/*
 * By the function's name, without what follows a dot or an at sign, and without leading underscores
 * and "GI_" (glibc's local aliases) unless they are asked for. Those with "::" may stand anywhere
 * in a name. The first that fits counts.
 */
static const struct {
	const char *function;
	enum futex_role role;
	enum futex_maker maker;
} functions[] = {
	{"syscall", ROLE_PASSING, MAKER_C},
	{"internal_syscall_cancel", ROLE_PASSING, MAKER_C},
	{"syscall_cancel", ROLE_PASSING, MAKER_C},
	{"syscall_cancel_arch", ROLE_PASSING, MAKER_C},
	{"lll_lock_wait", ROLE_PASSING, MAKER_C},
	{"lll_clocklock_wait", ROLE_PASSING, MAKER_C},
	{"futex_wait", ROLE_PASSING, MAKER_C},
	{"futex_wait_simple", ROLE_PASSING, MAKER_C},
	{"futex_lock_pi64", ROLE_PASSING, MAKER_C},
	{"futex_abstimed_wait64", ROLE_PASSING, MAKER_C},
	{"futex_abstimed_wait_cancelable64", ROLE_PASSING, MAKER_C},
	{"futex_abstimed_wait_common", ROLE_PASSING, MAKER_C},
	{"futex_abstimed_wait_common64", ROLE_PASSING, MAKER_C},
	{"do_futex_wait", ROLE_PASSING, MAKER_C},
	{"__timedwait", ROLE_PASSING, MAKER_MUSL},
	{"__timedwait_cp", ROLE_PASSING, MAKER_MUSL},
	{"__wait", ROLE_PASSING, MAKER_MUSL},
	{"sccp", ROLE_PASSING, MAKER_MUSL},
	{"__syscall_cp", ROLE_PASSING, MAKER_MUSL},
	{"__syscall_cp_c", ROLE_PASSING, MAKER_MUSL},
	{"__syscall_cp_asm", ROLE_PASSING, MAKER_MUSL},

	{"pthread_mutex_lock", ROLE_MUTEX, MAKER_C},
	{"pthread_mutex_lock_full", ROLE_MUTEX, MAKER_C},
	{"pthread_mutex_timedlock", ROLE_MUTEX, MAKER_C},
	{"pthread_mutex_clocklock", ROLE_MUTEX, MAKER_C},
	{"pthread_mutex_clocklock_common", ROLE_MUTEX, MAKER_C},
	{"pthread_mutex_cond_lock", ROLE_MUTEX, MAKER_C},
	{"mtx_lock", ROLE_MUTEX, MAKER_C},
	{"mtx_timedlock", ROLE_MUTEX, MAKER_C},
	{"pthread_cond_wait", ROLE_CONDITION, MAKER_C},
	{"pthread_cond_wait_common", ROLE_CONDITION, MAKER_C},
	{"pthread_cond_timedwait", ROLE_CONDITION, MAKER_C},
	{"pthread_cond_clockwait", ROLE_CONDITION, MAKER_C},
	{"cnd_wait", ROLE_CONDITION, MAKER_C},
	{"cnd_timedwait", ROLE_CONDITION, MAKER_C},
	{"pthread_rwlock_rdlock", ROLE_READ_LOCK, MAKER_C},
	{"pthread_rwlock_timedrdlock", ROLE_READ_LOCK, MAKER_C},
	{"pthread_rwlock_clockrdlock", ROLE_READ_LOCK, MAKER_C},
	{"pthread_rwlock_rdlock_full64", ROLE_READ_LOCK, MAKER_C},
	{"pthread_rwlock_wrlock", ROLE_WRITE_LOCK, MAKER_C},
	{"pthread_rwlock_timedwrlock", ROLE_WRITE_LOCK, MAKER_C},
	{"pthread_rwlock_clockwrlock", ROLE_WRITE_LOCK, MAKER_C},
	{"pthread_rwlock_wrlock_full64", ROLE_WRITE_LOCK, MAKER_C},
	{"sem_wait", ROLE_SEMAPHORE, MAKER_C},
	{"sem_timedwait", ROLE_SEMAPHORE, MAKER_C},
	{"sem_clockwait", ROLE_SEMAPHORE, MAKER_C},
	{"new_sem_wait", ROLE_SEMAPHORE, MAKER_C},
	{"new_sem_wait_slow64", ROLE_SEMAPHORE, MAKER_C},
	{"pthread_barrier_wait", ROLE_BARRIER, MAKER_C},
	{"pthread_once", ROLE_ONCE, MAKER_C},
	{"pthread_once_slow", ROLE_ONCE, MAKER_C},
	{"pthread_once_full", ROLE_ONCE, MAKER_C},
	{"call_once", ROLE_ONCE, MAKER_C},
	{"cxa_guard_acquire", ROLE_STATIC, MAKER_CXX},
	{"pthread_join", ROLE_JOIN, MAKER_C},
	{"pthread_tryjoin_np", ROLE_JOIN, MAKER_C},
	{"pthread_timedjoin_np", ROLE_JOIN, MAKER_C},
	{"pthread_clockjoin_np", ROLE_JOIN, MAKER_C},
	{"pthread_clockjoin_ex", ROLE_JOIN, MAKER_C},
	{"thrd_join", ROLE_JOIN, MAKER_C},

	{"std::__atomic_futex_unsigned_base::_M_futex_wait_until", ROLE_FUTURE, MAKER_CXX},

	{"::futex::futex_wait", ROLE_PASSING, MAKER_RUST},
	{"::futex::Mutex::lock_contended", ROLE_MUTEX, MAKER_RUST},
	{"::futex::Condvar::wait", ROLE_CONDITION, MAKER_RUST},
	{"::futex::RwLock::read_contended", ROLE_READ_LOCK, MAKER_RUST},
	{"::futex::RwLock::write_contended", ROLE_WRITE_LOCK, MAKER_RUST},
	{"::futex::Once::call", ROLE_ONCE, MAKER_RUST},
	{"::futex::Once::wait", ROLE_ONCE, MAKER_RUST},
	{"::futex::Parker::park", ROLE_PARK, MAKER_RUST},
	/* What that is inlined in; names of 1.62 to 1.95. */
	{"std::thread::park", ROLE_PARK, MAKER_RUST},
	{"std::thread::functions::park", ROLE_PARK, MAKER_RUST},
	{"std::thread::Thread::park", ROLE_PARK, MAKER_RUST},
	{"std::thread::thread::Thread::park", ROLE_PARK, MAKER_RUST},
	{"std::sync::mpmc::context::Context::wait_until", ROLE_PARK, MAKER_RUST},

	{"runtime.futex", ROLE_PASSING, MAKER_GO},
	{"runtime.futexsleep", ROLE_PASSING, MAKER_GO},
	{"runtime.lock2", ROLE_MUTEX, MAKER_GO},
	{"runtime.notesleep", ROLE_NOTE, MAKER_GO},
	/* Called by notetsleep() for the scheduler, and by notetsleepg() for a goroutine. */
	{"runtime.notetsleep_internal", ROLE_PASSING, MAKER_GO},
	{"runtime.notetsleep", ROLE_NOTE, MAKER_GO},
	{"runtime.notetsleepg", ROLE_PASSING, MAKER_GO},
	{"os/signal.signal_recv", ROLE_SIGNAL, MAKER_GO},

	{"parking_lot::raw_mutex::RawMutex::lock_slow", ROLE_MUTEX, MAKER_PARKING_LOT},
	{"parking_lot::raw_rwlock::RawRwLock::lock_shared_slow", ROLE_READ_LOCK, MAKER_PARKING_LOT},
	{"parking_lot::raw_rwlock::RawRwLock::lock_upgradable_slow", ROLE_READ_LOCK,
		MAKER_PARKING_LOT},
	{"parking_lot::raw_rwlock::RawRwLock::lock_exclusive_slow", ROLE_WRITE_LOCK,
		MAKER_PARKING_LOT},
	{"parking_lot::raw_rwlock::RawRwLock::wait_for_readers", ROLE_WRITE_LOCK,
		MAKER_PARKING_LOT},
	{"parking_lot::raw_rwlock::RawRwLock::upgrade_slow", ROLE_WRITE_LOCK, MAKER_PARKING_LOT},
	{"parking_lot::condvar::Condvar::wait", ROLE_CONDITION, MAKER_PARKING_LOT},
	{"parking_lot::once::Once::call_once_slow", ROLE_ONCE, MAKER_PARKING_LOT},
	/* All that these rest on; generic functions have the names above among their own. */
	{"parking_lot_core::", ROLE_PASSING, MAKER_PARKING_LOT},
	{"parking_lot::raw_rwlock::RawRwLock::lock_common", ROLE_PASSING, MAKER_PARKING_LOT},
};

/* Whether @symbol goes on as @pattern does, but for angle brackets: with or without these
 * demanglers set off a type, "<std::sys::sync::mutex::futex::Mutex>::lock_contended". */
static bool goes_on(const char *symbol, const char *pattern)
{
	while (*pattern) {
		if (*symbol == *pattern)
			pattern++;
		else if (*symbol != '<' && *symbol != '>')
			return false;
		symbol++;
	}
	return true;
}

static bool contains(const char *symbol, const char *pattern)
{
	for (; (symbol = strchr(symbol, pattern[0])); symbol++) {
		if (goes_on(symbol, pattern))
			return true;
	}
	return false;
}

static bool is_named(const char *symbol, const char *pattern)
{
	size_t length = strlen(pattern);

	if (strstr(pattern, "::"))
		return contains(symbol, pattern);
	return strncmp(symbol, pattern, length) == 0 && strchr(".@", symbol[length]);
}

static struct telling find_function(const char *symbol)
{
	const char *name = symbol + strspn(symbol, "_");

	if (name > symbol && strncmp(name, "GI_", 3) == 0)
		name += 3 + strspn(name + 3, "_");
	for (size_t i = 0; i < array_length(functions); i++) {
		const char *pattern = functions[i].function;

		if (is_named(pattern[0] == '_' ? symbol : name, pattern))
			return (struct telling){
				.maker = functions[i].maker, .role = functions[i].role};
	}
	return (struct telling){.role = ROLE_NONE};
}

/* musl is one library, which is its dynamic loader as well. */
static bool is_musl(const char *module)
{
	const char *slash = module ? strrchr(module, '/') : NULL;
	const char *name = slash ? slash + 1 : module;

	return name && (strcmp(name, "libc.so") == 0 || strncmp(name, "ld-musl-", 8) == 0);
}

/* Whether the frame may be passed over for lack of a name: only in the module that makes the call,
 * whose own helpers are stripped of their names. */
static bool is_nameless(const struct user_stack *stack, size_t index, bool musl)
{
	const char *module = stack->frames[index]->module, *first = stack->frames[0]->module;

	/* The name of the function before musl's own, which makes the call and has none. */
	if (stack->frames[index]->symbol && !(musl && index == 0 && stack->frames[0]->uncertain))
		return false;
	return module && first && strcmp(module, first) == 0;
}

/*
 * The innermost function that tells. Any function that is not known ends the search, so that what
 * stands further out is never taken for the cause. Guesses count for musl only, which has nothing
 * to unwind it by.
 */
static struct telling seek_telling(const struct user_stack *stack)
{
	static const struct telling none = {.role = ROLE_NONE};
	size_t count = stack->frames ? stack->frame_count : 0;
	bool musl = count && is_musl(stack->frames[0]->module);
	bool uncertain = false;

	for (size_t i = 0; i < count && i < FRAMES_LOOKED_AT; i++) {
		const struct frame *frame = stack->frames[i];

		if (is_nameless(stack, i, musl)) {
			uncertain |= i && frame->uncertain;
			continue;
		}
		if (!frame->symbol)
			break;
		struct telling telling = find_function(frame->symbol);
		musl |= telling.maker == MAKER_MUSL;
		uncertain |= frame->uncertain;
		if (telling.role == ROLE_PASSING)
			continue;
		if (musl && telling.maker == MAKER_C)
			telling.maker = MAKER_MUSL;
		telling.uncertain = uncertain;
		return uncertain && telling.maker != MAKER_MUSL ? none : telling;
	}
	return none;
}

struct telling find_telling(struct waiting *waiting)
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
