// SPDX-License-Identifier: Apache-2.0
/* Waits for futexes: what the functions above the call tell, and what of it has a name. */
#include "futex_fixture.h"

static void futexes_that_nothing_explains(void **state)
{
	struct fake_target *target = *state;
	const struct timespec time = {3, 0};

	fake_place(target, AT, &time, sizeof(time));
	assert_call(target, "futex", ARGUMENTS(0x1000, FUTEX_WAIT_PRIVATE, 2, AT), "futex", false,
		"waits for futex 0x1000 to change from 2 (private), at most 3.0 s more");
	USER(target, "wait_for_it", "pthread_mutex_lock", "main");
	assert_call(target, "futex", ARGUMENTS(0x1000, FUTEX_WAIT, 7, 0), "futex", false,
		"waits for futex 0x1000 to change from 7");
	USER(target, "", "initialize", "pthread_once", "main");
	assert_call(target, "futex", ARGUMENTS(0x1000, FUTEX_WAIT, 7, 0), "futex", false,
		"waits for futex 0x1000 to change from 7");
	assert_call(target, "futex_waitv", ARGUMENTS(1, 2), "futex", false,
		"waits for one of 2 futexes to change");
}

static void mutexes(void **state)
{
	struct fake_target *target = *state;
	const uint64_t *glibc = ARGUMENTS(0x1000, FUTEX_WAIT_PRIVATE, 2, 0);

	USER(target, "__GI___lll_lock_wait", "___pthread_mutex_lock", "main");
	struct wait *wait =
		assert_call(target, "futex", glibc, "mutex", false, "waits for mutex 0x1000");
	assert_string_equal(wait->text, "mutex 0x1000");
	USER(target, "", "pthread_mutex_lock", "main");
	assert_call(target, "futex", glibc, "mutex", false, "waits for mutex 0x1000");
	USER(target, "__timedwait", "__pthread_mutex_timedlock", "main");
	assert_call(target, "futex", ARGUMENTS(0x1004, FUTEX_WAIT_PRIVATE, 16, 0), "mutex", false,
		"waits for mutex 0x1000");
	USER(target, "syscall", "std::sys::unix::futex::futex_wait::h0123456789abcdef",
		"std::sys::sync::mutex::futex::Mutex::lock_contended", "main");
	assert_call(target, "futex", ARGUMENTS(0x1000, FUTEX_WAIT_BITSET_PRIVATE, 2, 0), "mutex",
		false, "waits for mutex 0x1000");
	USER(target, "runtime.futex.abi0", "runtime.futexsleep", "runtime.lock2", "main");
	assert_call(target, "futex", glibc, "mutex", false,
		"waits for the lock 0x1000 of Go's runtime");
	target->thread.user_stack = NULL;
	assert_call(target, "futex", ARGUMENTS(0x1000, FUTEX_LOCK_PI_PRIVATE, 0, 0), "mutex", false,
		"waits for the priority-inheriting mutex (futex 0x1000)");
}

static void condition_variables(void **state)
{
	struct fake_target *target = *state;
	const uint64_t *signal = ARGUMENTS(0x1028, FUTEX_WAIT_BITSET_PRIVATE, 0, 0);

	USER(target, "", "pthread_cond_wait", "main");
	assert_call(target, "futex", signal, "condition", false,
		"waits for a condition variable (futex 0x1028)");
	/* The same in a thread of a pool is rest. */
	target->thread.tid = 4243;
	assert_call(target, "futex", signal, "condition", true,
		"waits for a condition variable (futex 0x1028)");
	/* Signalled, and now the mutex is not free. */
	assert_call(target, "futex", ARGUMENTS(0x2000, FUTEX_WAIT_PRIVATE, 2, 0), "mutex", false,
		"waits for mutex 0x2000");
	USER(target, "__timedwait_cp", "pthread_cond_timedwait", "main");
	assert_call(target, "futex", ARGUMENTS(0x2000, FUTEX_WAIT_PRIVATE, 2, 0), "condition", true,
		"waits for a condition variable (futex 0x2000)");
	USER(target, "std::sys::pal::unix::futex::futex_wait",
		"std::sys::sync::condvar::futex::Condvar::wait_optional_timeout", "main");
	assert_call(target, "futex", signal, "condition", true,
		"waits for a condition variable (futex 0x1028)");
}

static void other_futexes(void **state)
{
	struct fake_target *target = *state;
	const uint64_t *futex = ARGUMENTS(0x1000, FUTEX_WAIT_PRIVATE, 2, 0);

	target->thread.tid = 4243;
	USER(target, "", "pthread_rwlock_wrlock", "main");
	assert_call(target, "futex", futex, "rwlock", false,
		"waits for a read-write lock, to write (futex 0x1000)");
	USER(target, "", "pthread_rwlock_rdlock", "main");
	assert_call(target, "futex", futex, "rwlock", false,
		"waits for a read-write lock, to read (futex 0x1000)");
	USER(target, "__futex_abstimed_wait_common", "__new_sem_wait_slow64.constprop.0", "main");
	assert_call(target, "futex", futex, "semaphore", true, "waits for semaphore 0x1000");
	USER(target, "pthread_barrier_wait@@GLIBC_2.34", "main");
	assert_call(target, "futex", futex, "barrier", false,
		"waits for the other threads at a barrier (futex 0x1000)");
	USER(target, "", "__pthread_once_slow", "main");
	assert_call(target, "futex", futex, "once", false,
		"waits for another thread to finish what is done once (futex 0x1000)");
	USER(target, "syscall", "__cxa_guard_acquire", "main");
	assert_call(target, "futex", futex, "once", false,
		"waits for another thread to finish the initialization of a static variable "
		"(futex 0x1000)");
	USER(target, "std::sys::unix::thread_parking::futex::Parker::park", "main");
	assert_call(target, "futex", futex, "park", true, "waits for another thread to unpark it");
	USER(target, "std::__atomic_futex_unsigned_base::_M_futex_wait_until(unsigned int*)",
		"main");
	assert_call(target, "futex", futex, "future", false,
		"waits for the result of a future (futex 0x1000)");
	USER(target, "runtime.futex", "runtime.futexsleep", "runtime.notesleep", "runtime.stopm");
	assert_call(target, "futex", futex, "futex", true,
		"waits for work from Go's scheduler (futex 0x1000)");
	USER(target, "runtime.futex", "runtime.futexsleep", "runtime.notetsleep_internal",
		"runtime.notetsleepg", "os/signal.signal_recv", "os/signal.loop");
	assert_call(target, "futex", futex, "signal", true, "waits for a signal (futex 0x1000)");
}

static void joining_a_thread(void **state)
{
	struct fake_target *target = *state;
	struct thread threads[] = {{.tid = 4242}, {.tid = 4243}, {.tid = 4245}, {.tid = 4250}};
	const uint64_t *join = ARGUMENTS(0x1000, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 4245, 0);

	target->process.threads = threads;
	target->process.thread_count = 4;
	USER(target, "__pthread_clockjoin_ex", "main");
	struct wait *wait = assert_call(
		target, "futex", join, "thread-join", false, "waits for thread 4245 to end");
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].tid, 4245);
	/* pthread_join() jumps to a helper that has lost its name. */
	USER(target, "", "", "main");
	assert_call(target, "futex", join, "thread-join", false, "waits for thread 4245 to end");
	assert_call(target, "futex",
		ARGUMENTS(0x1000, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 4244, 0), "futex",
		false, "waits for futex 0x1000 to change from 4244");
	target->process.namespace_pid = 1;
	USER(target, "__pthread_clockjoin_ex", "main");
	wait = assert_call(target, "futex", join, "thread-join", false,
		"waits for thread 4245 (an id of its own pid namespace) to end");
	assert_int_equal(wait->holder_count, 0);
}

static void locks_of_musl(void **state)
{
	struct fake_target *target = *state;
	const uint32_t normal[] = {0, FUTEX_WAITERS | 16}, recursive[] = {1, FUTEX_WAITERS | 4244},
		       strange[] = {64, FUTEX_WAITERS | 4244}, dead[] = {1, FUTEX_WAITERS | 4250},
		       marked[] = {1, FUTEX_WAITERS | FUTEX_OWNER_DIED},
		       written[] = {UINT32_MAX, 1, 0}, read[] = {FUTEX_WAITERS | 2, 1, 0},
		       shared[] = {FUTEX_WAITERS | 2, 1, 128};

	add_threads(target);
	USER(target, "__timedwait", "__pthread_mutex_timedlock", "main");
	assert_others(assert_futex(target, normal, sizeof(normal), 4, FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000 (who holds it is not recorded)"));
	assert_owner(assert_futex(target, recursive, sizeof(recursive), 4, FUTEX_WAIT_PRIVATE,
			     "waits for mutex 0x7ffd1c2a0000"),
		4244, AT + 4);
	assert_nobody(assert_futex(target, strange, sizeof(strange), 4, FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000"));
	assert_nobody(assert_futex(target, dead, sizeof(dead), 4, FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000, whose owner (thread 4250) has ended"));
	assert_nobody(assert_futex(target, marked, sizeof(marked), 4, FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000, whose owner has ended"));
	USER(target, "__timedwait", "__pthread_rwlock_timedwrlock", "main");
	assert_others(assert_futex(target, read, sizeof(read), 0, FUTEX_WAIT_PRIVATE,
		"waits for read-write lock 0x7ffd1c2a0000, to write (2 readers have it)"));
	assert_nobody(assert_futex(target, shared, sizeof(shared), 0, FUTEX_WAIT_PRIVATE,
		"waits for read-write lock 0x7ffd1c2a0000, to write"));
	USER(target, "__timedwait", "__pthread_rwlock_timedrdlock", "main");
	assert_others(assert_futex(target, written, sizeof(written), 0, FUTEX_WAIT_PRIVATE,
		"waits for read-write lock 0x7ffd1c2a0000, to read (who holds it is not "
		"recorded)"));
}

/* As the frames of musl are, which has no unwind information: guesses, beyond the first. */
static void guess_frames(struct fake_target *target, const char *module)
{
	struct user_stack *stack = target->thread.user_stack;

	for (size_t i = 0; i < stack->frame_count; i++) {
		struct frame *frame = (struct frame *)stack->frames[i];

		frame->uncertain = i > 0;
		frame->module = i + 1 < stack->frame_count ? module : "/bin/program";
	}
}

static void guesses_have_to_agree_with_memory(void **state)
{
	struct fake_target *target = *state;
	const uint32_t recursive[] = {1, FUTEX_WAITERS | 4244}, strange[] = {5, 7},
		       semaphore[] = {FUTEX_WAITERS, 1, 128}, other[] = {7, 0, 0}, once = 3;
	static const char musl[] = "/usr/lib/x86_64-linux-musl/libc.so";
	static const char unknown[] = "waits for futex 0x7ffd1c2a0000 to change from 7 (private)";

	add_threads(target);
	USER(target, "", "", "", "pthread_mutex_timedlock", "main");
	guess_frames(target, musl);
	assert_owner(assert_futex(target, recursive, sizeof(recursive), 4, FUTEX_WAIT_PRIVATE,
			     "waits for mutex 0x7ffd1c2a0000"),
		4244, AT + 4);
	assert_futex(target, strange, sizeof(strange), 4, FUTEX_WAIT_PRIVATE,
		"waits for futex 0x7ffd1c2a0004 to change from 7 (private)");
	/* The same of a library that has such information. */
	USER(target, "", "", "", "pthread_mutex_timedlock", "main");
	guess_frames(target, "/lib/libc.so.6");
	assert_futex(target, recursive, sizeof(recursive), 4, FUTEX_WAIT_PRIVATE,
		"waits for futex 0x7ffd1c2a0004 to change from 2147487892 (private)");

	/* What makes the call has no name, and is taken for what stands before it. */
	USER(target, "memset", "", "", "sem_timedwait", "main");
	guess_frames(target, musl);
	((struct frame *)target->thread.user_stack->frames[0])->uncertain = true;
	assert_others(assert_futex(target, semaphore, sizeof(semaphore), 0, FUTEX_WAIT_PRIVATE,
		"waits for semaphore 0x7ffd1c2a0000"));
	USER(target, "memset", "", "", "sem_timedwait", "main");
	guess_frames(target, musl);
	((struct frame *)target->thread.user_stack->frames[0])->uncertain = true;
	assert_futex(target, other, sizeof(other), 0, FUTEX_WAIT_PRIVATE, unknown);
	USER(target, "__wait", "__pthread_once_full", "main");
	guess_frames(target, "/bin/static");
	assert_others(assert_futex(target, &once, sizeof(once), 0, FUTEX_WAIT_PRIVATE,
		"waits for another thread to finish what is done once (futex 0x7ffd1c2a0000)"));
	USER(target, "__timedwait_cp", "pthread_cond_timedwait", "main");
	guess_frames(target, "/bin/static");
	assert_futex(target, other, sizeof(other), 0, FUTEX_WAIT_PRIVATE, unknown);
}

static void joining_a_thread_of_musl(void **state)
{
	struct fake_target *target = *state;
	uint32_t thread[] = {4244, 0, 2};

	add_threads(target);
	USER(target, "__timedwait_cp", "__pthread_timedjoin_np", "main");
	assert_owner(assert_futex(target, thread, sizeof(thread), 8, FUTEX_WAIT_PRIVATE,
			     "waits for thread 4244 to end"),
		4244, AT);
	thread[0] = 77;
	assert_nobody(assert_futex(target, thread, sizeof(thread), 8, FUTEX_WAIT_PRIVATE,
		"waits for a thread to end"));
}

static void locks_of_rust(void **state)
{
	struct fake_target *target = *state;
	const uint32_t contended = 2, written[] = {0xbfffffff, 5}, read[] = {0x80000003, 5};

	add_threads(target);
	USER(target, "std::sys::pal::unix::futex::futex_wait",
		"<std::sys::sync::mutex::futex::Mutex>::lock_contended", "main");
	assert_others(assert_futex(target, &contended, 4, 0, FUTEX_WAIT_BITSET_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000 (who holds it is not recorded)"));
	USER(target, "syscall", "std::sys::sync::rwlock::futex::RwLock::write_contended", "main");
	assert_others(assert_futex(target, read, 8, 4, FUTEX_WAIT_BITSET_PRIVATE,
		"waits for read-write lock 0x7ffd1c2a0000, to write (3 readers have it)"));
	assert_others(assert_futex(target, written, 8, 4, FUTEX_WAIT_BITSET_PRIVATE,
		"waits for read-write lock 0x7ffd1c2a0000, to write (who holds it is not "
		"recorded)"));
	USER(target, "syscall", "std::sys::sync::rwlock::futex::RwLock::read_contended", "main");
	assert_others(assert_futex(target, written, 8, 0, FUTEX_WAIT_BITSET_PRIVATE,
		"waits for read-write lock 0x7ffd1c2a0000, to read (who holds it is not "
		"recorded)"));
}

static void locks_of_parking_lot(void **state)
{
	struct fake_target *target = *state;
	const uint32_t parked = 1;

	add_threads(target);
	USER(target, "syscall",
		"<parking_lot_core::thread_parker::imp::ThreadParker as "
		"parking_lot_core::thread_parker::ThreadParkerT>::park",
		"parking_lot_core::parking_lot::park::{{closure}}",
		"parking_lot::raw_mutex::RawMutex::lock_slow", "main");
	assert_others(assert_futex(target, &parked, 4, 0, FUTEX_WAIT_PRIVATE,
		"waits for a mutex of parking_lot (who holds it is not recorded)"));
	USER(target, "syscall", "parking_lot::raw_rwlock::RawRwLock::lock_common",
		"parking_lot::raw_rwlock::RawRwLock::lock_shared_slow", "main");
	assert_others(assert_futex(target, &parked, 4, 0, FUTEX_WAIT_PRIVATE,
		"waits for a read-write lock of parking_lot, to read (who holds it is not "
		"recorded)"));
	USER(target, "syscall", "parking_lot::condvar::Condvar::wait_until_internal", "main");
	assert_others(assert_futex(target, &parked, 4, 0, FUTEX_WAIT_PRIVATE,
		"waits for a condition variable of parking_lot"));
}

static void who_else_can_change_a_futex(void **state)
{
	struct fake_target *target = *state;
	const uint32_t word = 7;
	struct mapping mapping = {.start = AT, .end = AT + 4096, .shared = true};

	add_threads(target);
	USER(target, "sem_wait", "main");
	target->process.mappings = (struct mappings){&mapping, 1};
	assert_others(assert_futex(target, &word, 4, 0, FUTEX_WAIT_BITSET_PRIVATE,
		"waits for semaphore 0x7ffd1c2a0000"));
	/* Another process can post it. */
	assert_nobody(assert_futex(
		target, &word, 4, 0, FUTEX_WAIT_BITSET, "waits for semaphore 0x7ffd1c2a0000"));
	/* It was posted a moment ago. */
	fake_call(target, "futex", ARGUMENTS(AT, FUTEX_WAIT_BITSET_PRIVATE, 0, 0));
	assert_nobody(explain(target));
	USER(target, "mine", "main");
	assert_others(assert_futex(target, &word, 4, 0, FUTEX_WAIT_PRIVATE,
		"waits for futex 0x7ffd1c2a0000 to change from 7 (private)"));
	/* Go parks its threads there, and wakes them from elsewhere. */
	USER(target, "runtime.futex", "runtime.futexsleep", "runtime.notesleep", "runtime.stopm");
	assert_nobody(assert_futex(target, &word, 4, 0, FUTEX_WAIT_PRIVATE,
		"waits for work from Go's scheduler (futex 0x7ffd1c2a0000)"));
}

static bool find_variable(struct variable_names *names, uint64_t address, struct variable *variable)
{
	(void)names;
	if (address - AT >= 0x100)
		return false;
	*variable = (struct variable){.name = "queue\n", .offset = address - AT, .file = "a/app.c"};
	if (address - AT >= 0x40)
		*variable = (struct variable){.name = "guard variable for one()::only",
			.library = "/usr/lib/libone.so.1"};
	return true;
}

static void locks_that_have_names(void **state)
{
	struct fake_target *target = *state;
	struct variable_names names = {.find = find_variable};
	static const uint32_t words[0x20];

	add_threads(target);
	target->process.variables = &names;
	USER(target, "sem_wait", "main");
	assert_futex(target, words, sizeof(words), 0, FUTEX_WAIT_PRIVATE,
		"waits for semaphore queue\\n in app.c (0x7ffd1c2a0000)");
	assert_futex(target, words, sizeof(words), 0x28, FUTEX_WAIT_PRIVATE,
		"waits for semaphore queue\\n+0x28 in app.c (0x7ffd1c2a0028)");
	USER(target, "pthread_once", "main");
	assert_futex(target, words, sizeof(words), 0, FUTEX_WAIT_PRIVATE,
		"waits for another thread to finish what is done once (queue\\n in app.c, futex "
		"0x7ffd1c2a0000)");
	USER(target, "__cxa_guard_acquire", "main");
	assert_futex(target, words, sizeof(words), 0x40, FUTEX_WAIT,
		"waits for another thread to finish the initialization of static variable "
		"one()::only (futex 0x7ffd1c2a0040)");
	USER(target, "mine", "main");
	assert_futex(target, words, sizeof(words), 0x44, FUTEX_WAIT_PRIVATE,
		"waits for futex guard variable for one()::only in libone.so.1 (0x7ffd1c2a0044) to "
		"change from 0 (private)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(futexes_that_nothing_explains),
		TEST(mutexes),
		TEST(condition_variables),
		TEST(other_futexes),
		TEST(joining_a_thread),
		TEST(locks_of_musl),
		TEST(guesses_have_to_agree_with_memory),
		TEST(joining_a_thread_of_musl),
		TEST(locks_of_rust),
		TEST(locks_of_parking_lot),
		TEST(who_else_can_change_a_futex),
		TEST(locks_that_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
