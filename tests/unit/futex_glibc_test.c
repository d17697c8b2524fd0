// SPDX-License-Identifier: Apache-2.0
/* Who holds the locks of glibc, by their memory. */
#include "futex_fixture.h"

/* As glibc has it: lock, count, owner, users, kind. */
struct glibc_mutex_words {
	uint32_t lock, count, owner, users, kind;
};

#define MUTEX_OF(...)                                                                              \
	(const struct glibc_mutex_words)                                                           \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#define ASSERT_MUTEX(target, words, operation, sentence)                                           \
	assert_futex(target, &(words), sizeof(words), 0, operation, sentence)

static const char *const glibc_lock[] = {"__lll_lock_wait", "pthread_mutex_lock", "main"};

static void who_holds_a_mutex_of_glibc(void **state)
{
	/* NORMAL, RECURSIVE, ERRORCHECK, ADAPTIVE, as the process's own and elision not wanted */
	static const uint32_t kinds[] = {0, 1, 2, 3, 512};
	struct fake_target *target = *state;
	static const char sentence[] = "waits for mutex 0x7ffd1c2a0000";

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	for (size_t i = 0; i < array_length(kinds); i++) {
		struct glibc_mutex_words words = {2, kinds[i] == 1, 4244, 1, kinds[i]};

		assert_owner(
			ASSERT_MUTEX(target, words, FUTEX_WAIT_PRIVATE, sentence), 4244, AT + 8);
	}
	/* Its own thread: of a normal mutex that is for ever. */
	assert_owner(ASSERT_MUTEX(target, MUTEX_OF(2, 0, 4243, 1, 0), FUTEX_WAIT_PRIVATE, sentence),
		4243, AT + 8);
	/* The first thread, and a mutex with a priority's ceiling. */
	assert_owner(ASSERT_MUTEX(target, MUTEX_OF(7 << 19 | 2, 1, 4242, 1, 64), FUTEX_WAIT_PRIVATE,
			     sentence),
		4242, AT + 8);
	/* Elided and taken after all. */
	assert_others(ASSERT_MUTEX(target, MUTEX_OF(2, 0, 0, 0, 256), FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000 (who holds it is not recorded)"));
}

static void what_only_looks_like_a_mutex(void **state)
{
	static const struct glibc_mutex_words none[] = {
		{2, 0, 0, 1, 0},          /* being taken, or let go */
		{2, 0, 4244, 1, 1024},    /* no such kind */
		{2, 0, 4244, 1, 128},     /* shared, and yet waited for privately */
		{3, 0, 4244, 1, 0},       /* no such state of the lock */
		{2, 0, 0x80001094U, 1, 0} /* no such id */
	};
	static const struct glibc_mutex_words doubtful[] = {
		{2, 0, 4244, 0, 0},
		{2, 0, 4244, 0x7ffd1c2a, 0},
		{2, 5, 4244, 1, 0},
		{2, 0, 4244, 1, 1},
	};
	struct fake_target *target = *state;

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	for (size_t i = 0; i < array_length(none); i++)
		assert_nobody(ASSERT_MUTEX(
			target, none[i], FUTEX_WAIT_PRIVATE, "waits for mutex 0x7ffd1c2a0000"));
	for (size_t i = 0; i < array_length(doubtful); i++) {
		struct wait *wait = ASSERT_MUTEX(
			target, doubtful[i], FUTEX_WAIT_PRIVATE, "waits for mutex 0x7ffd1c2a0000");

		assert_int_equal(wait->holder_count, 1);
		assert_true(wait->holders[0].uncertain);
		assert_false(wait->holders_complete);
	}
	/* What is cut off. */
	const struct glibc_mutex_words whole = {2, 0, 4244, 1, 0};
	assert_nobody(assert_futex(target, &whole, sizeof(whole) - 1, 0, FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000"));
}

static void a_mutex_that_is_let_go_meanwhile(void **state)
{
	static const uint32_t locks[] = {0, 1};
	struct fake_target *target = *state;

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	for (size_t i = 0; i < array_length(locks); i++) {
		const struct glibc_mutex_words words = {locks[i], 0, 4244, 1, 0};

		target->piece_count = 0;
		fake_place(target, AT, &words, sizeof(words));
		fake_call(target, "futex", ARGUMENTS(AT, FUTEX_WAIT_PRIVATE, 2, 0));
		assert_nobody(explain(target));
	}
}

static bool has_thread_4250(const struct process *process, pid_t tid)
{
	(void)process;
	return tid == 4250;
}

static void owners_that_have_ended_or_are_new(void **state)
{
	struct fake_target *target = *state;
	const struct glibc_mutex_words words = {2, 0, 4250, 1, 0};

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	assert_nobody(ASSERT_MUTEX(target, words, FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000, whose owner (thread 4250) has ended"));
	target->process.has_thread = has_thread_4250;
	assert_owner(
		ASSERT_MUTEX(target, words, FUTEX_WAIT_PRIVATE, "waits for mutex 0x7ffd1c2a0000"),
		4250, AT + 8);
	target->process.threads[2].state = 'Z';
	assert_nobody(ASSERT_MUTEX(target, MUTEX_OF(2, 0, 4244, 1, 0), FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000, whose owner (thread 4244) has ended"));
}

static void owners_in_another_pid_namespace(void **state)
{
	struct fake_target *target = *state;

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	target->process.namespace_pid = 1;
	target->process.threads[2].namespace_tid = 7;
	struct wait *wait = ASSERT_MUTEX(target, MUTEX_OF(2, 0, 7, 1, 0), FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000");
	assert_int_equal(wait->holders[0].tid, 4244);
	assert_int_equal(wait->holders[0].proof.value, 7);
	assert_nobody(ASSERT_MUTEX(target, MUTEX_OF(2, 0, 8, 1, 0), FUTEX_WAIT_PRIVATE,
		"waits for mutex 0x7ffd1c2a0000, which thread 8 of its own pid namespace holds"));
}

static void a_mutex_that_processes_share(void **state)
{
	struct fake_target *target = *state;
	struct mapping mapping = {.start = AT, .end = AT + 4096, .shared = true};

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	target->process.mappings = (struct mappings){&mapping, 1};
	struct wait *wait = ASSERT_MUTEX(
		target, MUTEX_OF(2, 0, 999, 1, 128), FUTEX_WAIT, "waits for mutex 0x7ffd1c2a0000");
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 0);
	assert_int_equal(wait->holders[0].tid, 999);
	assert_true(wait->holders_complete);
	assert_owner(ASSERT_MUTEX(target, MUTEX_OF(2, 0, 4244, 1, 128), FUTEX_WAIT,
			     "waits for mutex 0x7ffd1c2a0000"),
		4244, AT + 8);
	/* Made to be shared, and then nobody shared it. */
	mapping.shared = false;
	assert_nobody(ASSERT_MUTEX(target, MUTEX_OF(2, 0, 999, 1, 128), FUTEX_WAIT,
		"waits for mutex 0x7ffd1c2a0000, whose owner (thread 999) has ended"));
}

static void robust_mutexes(void **state)
{
	struct fake_target *target = *state;
	struct mapping mapping = {.start = AT, .end = AT + 4096};

	add_threads(target);
	USER(target, "__pthread_mutex_lock_full", "main");
	target->process.mappings = (struct mappings){&mapping, 1};
	assert_owner(ASSERT_MUTEX(target, MUTEX_OF(FUTEX_WAITERS | 4244, 1, 4244, 1, 16 | 128),
			     FUTEX_WAIT, "waits for mutex 0x7ffd1c2a0000"),
		4244, AT);
	assert_nobody(ASSERT_MUTEX(target,
		MUTEX_OF(FUTEX_WAITERS | FUTEX_OWNER_DIED | 4244, 1, 4244, 1, 16 | 128), FUTEX_WAIT,
		"waits for mutex 0x7ffd1c2a0000, whose owner has ended"));
}

static void priority_inheriting_mutexes(void **state)
{
	struct fake_target *target = *state;
	const uint32_t word = FUTEX_WAITERS | 4244, free_word = 0, orphan = FUTEX_OWNER_DIED | 4244;

	add_threads(target);
	USER(target, "whatever", "main");
	assert_owner(assert_futex(target, &word, sizeof(word), 0, FUTEX_LOCK_PI_PRIVATE,
			     "waits for the priority-inheriting mutex (futex 0x7ffd1c2a0000)"),
		4244, AT);
	assert_nobody(assert_futex(target, &free_word, sizeof(free_word), 0, FUTEX_LOCK_PI2_PRIVATE,
		"waits for the priority-inheriting mutex (futex 0x7ffd1c2a0000)"));
	assert_nobody(assert_futex(target, &orphan, sizeof(orphan), 0, FUTEX_LOCK_PI_PRIVATE,
		"waits for the priority-inheriting mutex (futex 0x7ffd1c2a0000), whose owner has "
		"ended"));
}

/* What the kernel would not have: glibc waits for ever then, on its stack. */
static void a_mutex_that_is_never_had(void **state)
{
	struct fake_target *target = *state;
	const uint32_t word = 0;

	add_threads(target);
	USER(target, "__futex_abstimed_wait_common", "__pthread_mutex_lock_full", "main");
	assert_nobody(assert_futex(target, &word, sizeof(word), 0, FUTEX_WAIT_BITSET_PRIVATE,
		"waits without end for a priority-inheriting mutex: its owner has ended, or it "
		"would be a deadlock"));
}

/* A mutex that is waited for with a limit: time can end it as well. */
static void a_limit_of_time(void **state)
{
	struct fake_target *target = *state;
	const struct {
		struct glibc_mutex_words mutex;
		struct timespec until;
	} memory = {{2, 0, 4244, 1, 0}, {NOW / NS_PER_SECOND + 5, 0}};

	add_threads(target);
	USER(target, "pthread_mutex_timedlock", "main");
	fake_place(target, AT, &memory, sizeof(memory));
	struct wait *wait = assert_call(target, "futex",
		ARGUMENTS(AT, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 2,
			AT + offsetof(__typeof__(memory), until)),
		"mutex", false, "waits for mutex 0x7ffd1c2a0000, at most 5.0 s more");
	assert_int_equal(wait->holders[0].tid, 4244);
	assert_false(wait->holders_complete);
}

/* readers, writers, phase's futex, writers' futex, -, -, writer, shared */
struct glibc_rwlock_words {
	uint32_t readers, writers, phase, writers_futex, pad[2], writer, shared;
};

#define RWLOCK_OF(readers, phase, writers_futex, writer)                                           \
	(const struct glibc_rwlock_words)                                                          \
	{                                                                                          \
		readers, 0, phase, writers_futex, {0}, writer, 0                                   \
	}

static void read_write_locks_of_glibc(void **state)
{
	struct fake_target *target = *state;
	const struct glibc_rwlock_words written = RWLOCK_OF(1 << 3 | 3, 3, 3, 4244),
					taken = RWLOCK_OF(3, 3, 3, 0),
					read = RWLOCK_OF(3 << 3 | 2, 2, 3, 0),
					first = RWLOCK_OF(1 << 3 | 2 | 4, 2, 3, 0);
	const size_t size = sizeof(written);
	const int wait = FUTEX_WAIT_BITSET_PRIVATE;

	add_threads(target);
	USER(target, "", "pthread_rwlock_rdlock", "main");
	assert_owner(assert_futex(target, &written, size, 8, wait,
			     "waits for read-write lock 0x7ffd1c2a0000, to read"),
		4244, AT + 24);
	assert_nobody(assert_futex(target, &taken, size, 8, wait,
		"waits for read-write lock 0x7ffd1c2a0000, to read"));
	/* It lets a writer go first, which waits for a reader. */
	assert_others(assert_futex(target, &first, size, 0, wait,
		"waits for read-write lock 0x7ffd1c2a0000, to read (1 reader has it)"));
	USER(target, "", "pthread_rwlock_wrlock", "main");
	assert_owner(assert_futex(target, &written, size, 12, wait,
			     "waits for read-write lock 0x7ffd1c2a0000, to write"),
		4244, AT + 24);
	assert_others(assert_futex(target, &read, size, 8, wait,
		"waits for read-write lock 0x7ffd1c2a0000, to write (3 readers have it)"));
	assert_others(assert_futex(target, &read, size, 12, wait,
		"waits for read-write lock 0x7ffd1c2a0000, to write (3 readers have it)"));
	/* Its word says that processes share it, the call that they do not. */
	struct glibc_rwlock_words shared = written;
	shared.shared = 1;
	assert_nobody(assert_futex(target, &shared, size, 12, wait,
		"waits for a read-write lock, to write (futex 0x7ffd1c2a000c)"));
}

static void barriers(void **state)
{
	struct fake_target *target = *state;
	const uint32_t glibc[] = {10, 8, 4, 0, 8}, strange[] = {0, 8, 4, 0, 8},
		       musl[] = {1, 0, 1, 0};

	add_threads(target);
	USER(target, "pthread_barrier_wait", "main");
	assert_others(assert_futex(target, glibc, sizeof(glibc), 4, FUTEX_WAIT_PRIVATE,
		"waits for the other threads at barrier 0x7ffd1c2a0000: 2 of 4 have come"));
	assert_others(assert_futex(target, strange, sizeof(strange), 4, FUTEX_WAIT_PRIVATE,
		"waits for the other threads at a barrier (futex 0x7ffd1c2a0004)"));
	USER(target, "__wait", "pthread_barrier_wait", "main");
	assert_others(assert_futex(target, musl, sizeof(musl), 4, FUTEX_WAIT_PRIVATE,
		"waits for the other threads at a barrier (futex 0x7ffd1c2a0004): 2 have come"));
}

static void the_mutex_of_a_condition_variable(void **state)
{
	struct fake_target *target = *state;
	/* The next waiter's number is 9: before what is its own stand a misaligned mutex, one
	 * within the condition variable, a waiter of the other group, and one that has not come
	 * yet. */
	const uint32_t condition[12] = {9};
	const uint64_t stack[] = {2, AT, 7, 0, 2, AT, AT + 8, 0, 3, AT, AT + 0x300, 0, 10, AT,
		AT + 0x200, 0, 6, AT, AT + 0x100, 0xffffffff00000000};
	const uint64_t since_2_42[] = {6, AT, AT + 0x100, 0};

	add_threads(target);
	USER(target, "", "pthread_cond_wait", "main");
	target->thread.stack_bytes = (const uint8_t *)stack;
	target->thread.stack_length = sizeof(stack);
	assert_others(
		assert_futex(target, condition, sizeof(condition), 40, FUTEX_WAIT_BITSET_PRIVATE,
			"waits for condition variable 0x7ffd1c2a0000 with mutex 0x7ffd1c2a0100"));
	target->thread.stack_length -= 1;
	assert_others(
		assert_futex(target, condition, sizeof(condition), 40, FUTEX_WAIT_BITSET_PRIVATE,
			"waits for a condition variable (futex 0x7ffd1c2a0028)"));
	target->thread.stack_bytes = (const uint8_t *)since_2_42;
	target->thread.stack_length = sizeof(since_2_42);
	assert_others(
		assert_futex(target, condition, sizeof(condition), 32, FUTEX_WAIT_BITSET_PRIVATE,
			"waits for condition variable 0x7ffd1c2a0000 with mutex 0x7ffd1c2a0100"));
}

static unsigned batches;

static void read_batch(const struct memory *memory, struct memory_range *ranges, size_t count)
{
	batches++;
	for (size_t i = 0; i < count; i++)
		ranges[i].got =
			fake_read(memory, ranges[i].address, ranges[i].to, ranges[i].length);
}

static void many_threads_are_read_at_once(void **state)
{
	struct fake_target *target = *state;
	/* Each with an owner of its own, nearer to each other than what is read of one. */
	static const uint32_t at[] = {0, 20, 4072};
	static uint8_t bytes[8192];
	struct waits waits = {
		.process = &target->process, .arena = target->arena, .clock = fake_clock};

	add_threads(target);
	set_user_stack(target, glibc_lock, 3);
	batches = 0;
	target->memory.read_many = read_batch;
	fake_place(target, AT, bytes, sizeof(bytes));
	for (int i = 0; i < 3; i++) {
		const struct glibc_mutex_words words = {2, 0, 4242 + (uint32_t)i, 1, 0};
		struct thread *thread = &target->process.threads[i];

		memcpy(bytes + at[i], &words, sizeof(words));
		fake_call(target, "futex", ARGUMENTS(AT + at[i], FUTEX_WAIT_PRIVATE, 2, 0));
		thread->entry = target->thread.entry;
		thread->user_stack = target->thread.user_stack;
	}
	for (int i = 0; i < 3; i++) {
		const struct thread *thread = &target->process.threads[i];
		struct call call = call_find(&fake_arch, syscall_row_find("futex"), thread);

		assert_owner(wait_explain(&waits, thread, &call), 4242 + i, AT + at[i] + 8);
	}
	assert_int_equal(batches, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_holds_a_mutex_of_glibc),
		TEST(what_only_looks_like_a_mutex),
		TEST(a_mutex_that_is_let_go_meanwhile),
		TEST(owners_that_have_ended_or_are_new),
		TEST(owners_in_another_pid_namespace),
		TEST(a_mutex_that_processes_share),
		TEST(robust_mutexes),
		TEST(priority_inheriting_mutexes),
		TEST(a_mutex_that_is_never_had),
		TEST(a_limit_of_time),
		TEST(read_write_locks_of_glibc),
		TEST(barriers),
		TEST(the_mutex_of_a_condition_variable),
		TEST(many_threads_are_read_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
