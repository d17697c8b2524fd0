// SPDX-License-Identifier: Apache-2.0
/* Futexes: by the primitives of pthreads, and raw. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

static pthread_barrier_t held = {0}; /* passed once the companion thread holds the lock */

static void *hold_mutex(void *mutex)
{
	pthread_mutex_lock(mutex);
	pthread_barrier_wait(&held);
	rest();
}

static pid_t holder_tid;

static void *hold_mutex_and_tell(void *mutex)
{
	holder_tid = gettid();
	return hold_mutex(mutex);
}

static void lock_held_mutex(struct facts *facts, pthread_mutex_t *mutex)
{
	pthread_barrier_init(&held, NULL, 2);
	start_thread(hold_mutex_and_tell, mutex);
	pthread_barrier_wait(&held);
	fact_address(facts, "address", mutex);
	fact_number(facts, "holder", holder_tid);
	ready(facts, SYS_futex);
	must(-pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

static void run_mutex(struct facts *facts, const char *argument)
{
	(void)argument;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	lock_held_mutex(facts, &mutex);
}

static pid_t waiter_tid;
static sem_t waiter_told;

static void *wait_for_mutex(void *mutex)
{
	waiter_tid = gettid();
	sem_post(&waiter_told);
	pthread_mutex_lock(mutex);
	rest();
}

/* Two threads wait for the same lock, which a third holds. */
static void run_mutex_queue(struct facts *facts, const char *argument)
{
	(void)argument;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_barrier_init(&held, NULL, 2);
	sem_init(&waiter_told, 0, 0);
	start_thread(hold_mutex_and_tell, &mutex);
	pthread_barrier_wait(&held);
	start_thread(wait_for_mutex, &mutex);
	sem_wait(&waiter_told);
	await_syscall(waiter_tid, SYS_futex);
	fact_address(facts, "address", &mutex);
	fact_number(facts, "holder", holder_tid);
	fact_number(facts, "waiter", waiter_tid);
	ready(facts, SYS_futex);
	must(-pthread_mutex_lock(&mutex), "pthread_mutex_lock");
}

static void run_mutex_pi(struct facts *facts, const char *argument)
{
	(void)argument;
	static pthread_mutex_t mutex;
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	if (pthread_mutex_init(&mutex, &attributes))
		unsupported("PTHREAD_PRIO_INHERIT");
	lock_held_mutex(facts, &mutex);
}

/* The holder is another process. */
static void run_mutex_shared(struct facts *facts, const char *argument)
{
	(void)argument;
	struct {
		pthread_mutex_t mutex;
		pthread_barrier_t held;
	} *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		unsupported("mmap");
	pthread_mutexattr_t mutex_attributes;
	pthread_mutexattr_init(&mutex_attributes);
	pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &mutex_attributes);
	pthread_barrierattr_t barrier_attributes;
	pthread_barrierattr_init(&barrier_attributes);
	pthread_barrierattr_setpshared(&barrier_attributes, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->held, &barrier_attributes, 2);

	pid_t holder = fork_companion();
	if (!holder) {
		pthread_mutex_lock(&shared->mutex);
		pthread_barrier_wait(&shared->held);
		rest();
	}
	pthread_barrier_wait(&shared->held);
	fact_address(facts, "address", &shared->mutex);
	fact_number(facts, "holder", holder);
	ready(facts, SYS_futex);
	must(-pthread_mutex_lock(&shared->mutex), "pthread_mutex_lock");
}

static void run_condition(struct facts *facts, const char *argument)
{
	(void)argument;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	pthread_mutex_lock(&mutex);
	fact_address(facts, "address", &condition);
	ready(facts, SYS_futex);
	must(-pthread_cond_wait(&condition, &mutex), "pthread_cond_wait");
}

static struct timespec within_an_hour(void)
{
	struct timespec until;
	must(clock_gettime(CLOCK_REALTIME, &until), "clock_gettime");
	until.tv_sec += 3599;
	return until;
}

static void run_condition_timed(struct facts *facts, const char *argument)
{
	(void)argument;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	struct timespec until = within_an_hour();
	pthread_mutex_lock(&mutex);
	fact_address(facts, "address", &condition);
	ready(facts, SYS_futex);
	must(-pthread_cond_timedwait(&condition, &mutex, &until), "pthread_cond_timedwait");
}

static void *rest_thread(void *told)
{
	*(pid_t *)told = gettid();
	pthread_barrier_wait(&held);
	rest();
}

static void run_thread_join(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t joined;
	pthread_t thread;
	pthread_barrier_init(&held, NULL, 2);
	must(-pthread_create(&thread, NULL, rest_thread, &joined), "pthread_create");
	pthread_barrier_wait(&held);
	fact_number(facts, "joined", joined);
	ready(facts, SYS_futex);
	must(-pthread_join(thread, NULL), "pthread_join");
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *hold_rwlock(void *unused)
{
	(void)unused;
	pthread_rwlock_wrlock(&rwlock);
	pthread_barrier_wait(&held);
	rest();
}

static void hold_rwlock_elsewhere(struct facts *facts)
{
	pthread_barrier_init(&held, NULL, 2);
	start_thread(hold_rwlock, NULL);
	pthread_barrier_wait(&held);
	fact_address(facts, "address", &rwlock);
}

static void run_rwlock_read(struct facts *facts, const char *argument)
{
	(void)argument;
	hold_rwlock_elsewhere(facts);
	ready(facts, SYS_futex);
	must(-pthread_rwlock_rdlock(&rwlock), "pthread_rwlock_rdlock");
}

static void run_rwlock_write(struct facts *facts, const char *argument)
{
	(void)argument;
	hold_rwlock_elsewhere(facts);
	ready(facts, SYS_futex);
	must(-pthread_rwlock_wrlock(&rwlock), "pthread_rwlock_wrlock");
}

static void run_semaphore(struct facts *facts, const char *argument)
{
	(void)argument;
	static sem_t semaphore;
	must(sem_init(&semaphore, 0, 0), "sem_init");
	fact_address(facts, "address", &semaphore);
	ready(facts, SYS_futex);
	must(TEMP_FAILURE_RETRY(sem_wait(&semaphore)), "sem_wait");
}

static void run_semaphore_timed(struct facts *facts, const char *argument)
{
	(void)argument;
	static sem_t semaphore;
	must(sem_init(&semaphore, 0, 0), "sem_init");
	struct timespec until = within_an_hour();
	fact_address(facts, "address", &semaphore);
	ready(facts, SYS_futex);
	must(TEMP_FAILURE_RETRY(sem_timedwait(&semaphore, &until)), "sem_timedwait");
}

static void run_barrier(struct facts *facts, const char *argument)
{
	(void)argument;
	static pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, 2);
	fact_address(facts, "address", &barrier);
	ready(facts, SYS_futex);
	pthread_barrier_wait(&barrier);
}

static uint32_t word = 42;

static void run_futex(struct facts *facts, const char *argument)
{
	(void)argument;
	struct timespec timeout = {3599, 500000000};
	fact_address(facts, "address", &word);
	ready(facts, SYS_futex);
	must(TEMP_FAILURE_RETRY(
		     syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 42, &timeout, NULL, 0)),
		"futex");
}

static void run_futex_bitset(struct facts *facts, const char *argument)
{
	(void)argument;
	struct timespec until = within_an_hour();
	fact_address(facts, "address", &word);
	ready(facts, SYS_futex);
	must(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 42, &until, NULL,
		     0xff),
		"futex");
}

static void run_futex_waitv(struct facts *facts, const char *argument)
{
	(void)argument;
	static uint32_t words[2] = {7, 8};
	struct futex_waitv waiters[2] = {
		{.val = 7, .uaddr = (uintptr_t)&words[0], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG},
		{.val = 8, .uaddr = (uintptr_t)&words[1], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG},
	};
	fact_address(facts, "first", &words[0]);
	fact_address(facts, "second", &words[1]);
	ready(facts, SYS_futex_waitv);
	if (TEMP_FAILURE_RETRY(syscall(SYS_futex_waitv, waiters, 2, 0, NULL, 0)) < 0)
		unsupported("futex_waitv");
}

const struct situation futex_situations[] = {
	{"mutex", run_mutex},
	{"mutex-queue", run_mutex_queue},
	{"mutex-pi", run_mutex_pi},
	{"mutex-shared", run_mutex_shared},
	{"condition", run_condition},
	{"condition-timed", run_condition_timed},
	{"thread-join", run_thread_join},
	{"rwlock-read", run_rwlock_read},
	{"rwlock-write", run_rwlock_write},
	{"semaphore", run_semaphore},
	{"semaphore-timed", run_semaphore_timed},
	{"barrier", run_barrier},
	{"futex", run_futex},
	{"futex-bitset", run_futex_bitset},
	{"futex_waitv", run_futex_waitv},
	{0},
};
