// SPDX-License-Identifier: Apache-2.0
/*
 * locks SCENE [KIND]: a thread that waits for a lock of pthreads, whose holder is known. Announces
 * as tests/situations does; compiled against glibc and against musl.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "../situations/situations.h"

/* Where a thread has come to, for one other to wait for. */
static int reached[2];

static void reach(void)
{
	must((int)write(reached[1], "", 1), "write");
}

static void await_reached(int count)
{
	char byte;

	while (count--)
		must((int)read(reached[0], &byte, 1), "read");
}

static void check(int error, const char *what)
{
	errno = error;
	must(error ? -1 : 0, what);
}

static pthread_mutex_t queue_lock;
static pid_t holder, waiter;

static const struct {
	const char *name;
	int type, protocol, robust;
} kinds[] = {
	{"normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
	{"recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
	{"errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
	{"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
#endif
	{"robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST},
	{"inheriting", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED},
	{"inheriting-robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST},
};

static void init_mutex(pthread_mutex_t *mutex, const char *kind, int shared)
{
	pthread_mutexattr_t attributes;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		pthread_mutexattr_init(&attributes);
		check(pthread_mutexattr_settype(&attributes, kinds[i].type), "settype");
		if (pthread_mutexattr_setprotocol(&attributes, kinds[i].protocol) ||
			pthread_mutexattr_setrobust(&attributes, kinds[i].robust))
			unsupported(kind);
		check(pthread_mutexattr_setpshared(&attributes, shared), "setpshared");
		check(pthread_mutex_init(mutex, &attributes), "pthread_mutex_init");
		return;
	}
	unsupported(kind);
}

static void *hold(void *mutex)
{
	holder = gettid();
	pthread_mutex_lock(mutex);
	reach();
	rest();
}

static void announce(struct facts *facts, const void *address)
{
	fact_address(facts, "address", address);
	fact_number(facts, "holder", holder);
	ready(facts, SYS_futex);
}

static void run_mutex(struct facts *facts, const char *kind)
{
	init_mutex(&queue_lock, kind, PTHREAD_PROCESS_PRIVATE);
	start_thread(hold, &queue_lock);
	await_reached(1);
	announce(facts, &queue_lock);
	pthread_mutex_lock(&queue_lock);
}

static void run_mutex_heap(struct facts *facts, const char *kind)
{
	pthread_mutex_t *mutex = malloc(sizeof *mutex);

	init_mutex(mutex, kind, PTHREAD_PROCESS_PRIVATE);
	start_thread(hold, mutex);
	await_reached(1);
	announce(facts, mutex);
	pthread_mutex_lock(mutex);
}

/* By the thread itself, which waits for ever then. */
static void run_mutex_self(struct facts *facts, const char *kind)
{
	init_mutex(&queue_lock, kind, PTHREAD_PROCESS_PRIVATE);
	holder = gettid();
	pthread_mutex_lock(&queue_lock);
	announce(facts, &queue_lock);
	pthread_mutex_lock(&queue_lock);
}

static void *hold_and_end(void *mutex)
{
	holder = gettid();
	pthread_mutex_lock(mutex);
	return NULL;
}

static void run_mutex_ended(struct facts *facts, const char *kind)
{
	pthread_t thread;

	init_mutex(&queue_lock, kind, PTHREAD_PROCESS_PRIVATE);
	check(pthread_create(&thread, NULL, hold_and_end, &queue_lock), "pthread_create");
	check(pthread_join(thread, NULL), "pthread_join");
	announce(facts, &queue_lock);
	pthread_mutex_lock(&queue_lock);
}

static void *take(void *mutex)
{
	waiter = gettid();
	reach();
	pthread_mutex_lock(mutex);
	rest();
}

/* What the memory is between the moment when the lock is given back and that when the one that
 * waits is woken. */
static void run_mutex_let_go(struct facts *facts, const char *kind)
{
	pthread_mutex_t taken;

	init_mutex(&queue_lock, kind, PTHREAD_PROCESS_PRIVATE);
	taken = queue_lock;
	holder = gettid();
	pthread_mutex_lock(&queue_lock);
	start_thread(take, &queue_lock);
	await_reached(1);
	await_syscall(waiter, SYS_futex);
	memcpy(&queue_lock, &taken, sizeof taken);
	fact_address(facts, "address", &queue_lock);
	fact_number(facts, "holder", holder);
	ready_other(facts, getpid(), waiter, SYS_futex);
	rest();
}

static void *share(size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(shared == MAP_FAILED ? -1 : 0, "mmap");
	return shared;
}

static void run_mutex_shared(struct facts *facts, const char *kind)
{
	pthread_mutex_t *mutex = share(sizeof *mutex);

	init_mutex(mutex, kind, PTHREAD_PROCESS_SHARED);
	holder = fork_companion();
	if (!holder)
		hold(mutex);
	await_reached(1);
	announce(facts, mutex);
	pthread_mutex_lock(mutex);
}

static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;

static void *wait_for_condition(void *unused)
{
	(void)unused;
	waiter = gettid();
	pthread_mutex_lock(&queue_lock);
	reach();
	pthread_cond_wait(&filled, &queue_lock);
	rest();
}

static void run_condition(struct facts *facts, const char *kind)
{
	init_mutex(&queue_lock, kind, PTHREAD_PROCESS_PRIVATE);
	pthread_mutex_lock(&queue_lock);
	fact_address(facts, "mutex", &queue_lock);
	announce(facts, &filled);
	pthread_cond_wait(&filled, &queue_lock);
}

/* Signalled, it waits for the mutex, which whoever has signalled keeps. Before that it is made
 * known that others want the mutex, so that what it waits for is theirs to wake. */
static void run_condition_mutex(struct facts *facts, const char *kind)
{
	init_mutex(&queue_lock, kind, PTHREAD_PROCESS_PRIVATE);
	start_thread(wait_for_condition, NULL);
	await_reached(1);
	await_syscall(waiter, SYS_futex);
	holder = gettid();
	pthread_mutex_lock(&queue_lock);
	pthread_cond_signal(&filled);
	fact_address(facts, "address", &queue_lock);
	fact_number(facts, "holder", holder);
	ready_other(facts, getpid(), waiter, SYS_futex);
	rest();
}

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_table(void *unused)
{
	(void)unused;
	check(pthread_rwlock_rdlock(&table_lock), "rdlock");
	reach();
	rest();
}

static void *write_table(void *unused)
{
	(void)unused;
	holder = gettid();
	check(pthread_rwlock_wrlock(&table_lock), "wrlock");
	reach();
	rest();
}

static void *want_table(void *unused)
{
	(void)unused;
	waiter = gettid();
	reach();
	pthread_rwlock_wrlock(&table_lock);
	rest();
}

static void run_read_written(struct facts *facts, const char *kind)
{
	(void)kind;
	start_thread(write_table, NULL);
	await_reached(1);
	announce(facts, &table_lock);
	pthread_rwlock_rdlock(&table_lock);
}

static void run_write_written(struct facts *facts, const char *kind)
{
	(void)kind;
	start_thread(write_table, NULL);
	await_reached(1);
	announce(facts, &table_lock);
	pthread_rwlock_wrlock(&table_lock);
}

static void run_write_read(struct facts *facts, const char *kind)
{
	(void)kind;
	start_thread(read_table, NULL);
	start_thread(read_table, NULL);
	await_reached(2);
	announce(facts, &table_lock);
	pthread_rwlock_wrlock(&table_lock);
}

/* Two readers have it, one writer waits for them, and a second one behind that. */
static void run_write_behind(struct facts *facts, const char *kind)
{
	(void)kind;
	start_thread(read_table, NULL);
	start_thread(read_table, NULL);
	await_reached(2);
	start_thread(want_table, NULL);
	await_reached(1);
	await_syscall(waiter, SYS_futex);
	announce(facts, &table_lock);
	pthread_rwlock_wrlock(&table_lock);
}

static pthread_barrier_t start_line;

static void *come(void *unused)
{
	(void)unused;
	waiter = gettid();
	reach();
	pthread_barrier_wait(&start_line);
	rest();
}

static void run_barrier(struct facts *facts, const char *kind)
{
	(void)kind;
	pthread_barrier_init(&start_line, NULL, 3);
	start_thread(come, NULL);
	await_reached(1);
	await_syscall(waiter, SYS_futex);
	announce(facts, &start_line);
	pthread_barrier_wait(&start_line);
}

static sem_t free_places;

static void run_semaphore(struct facts *facts, const char *kind)
{
	(void)kind;
	must(sem_init(&free_places, 0, 0), "sem_init");
	announce(facts, &free_places);
	sem_wait(&free_places);
}

static void run_semaphore_timed(struct facts *facts, const char *kind)
{
	struct timespec until;

	(void)kind;
	must(sem_init(&free_places, 0, 0), "sem_init");
	must(clock_gettime(CLOCK_REALTIME, &until), "clock_gettime");
	until.tv_sec += 3599;
	announce(facts, &free_places);
	sem_timedwait(&free_places, &until);
}

static void run_semaphore_shared(struct facts *facts, const char *kind)
{
	sem_t *semaphore = share(sizeof *semaphore);

	(void)kind;
	must(sem_init(semaphore, 1, 0), "sem_init");
	announce(facts, semaphore);
	sem_wait(semaphore);
}

static pthread_once_t set_up_once = PTHREAD_ONCE_INIT;

static void set_up_for_ever(void)
{
	reach();
	rest();
}

static void *set_up(void *unused)
{
	(void)unused;
	pthread_once(&set_up_once, set_up_for_ever);
	return NULL;
}

static void run_once(struct facts *facts, const char *kind)
{
	(void)kind;
	start_thread(set_up, NULL);
	await_reached(1);
	announce(facts, &set_up_once);
	pthread_once(&set_up_once, set_up_for_ever);
}

static void *stay(void *unused)
{
	(void)unused;
	holder = gettid();
	reach();
	rest();
}

static void run_join(struct facts *facts, const char *kind)
{
	pthread_t thread;

	(void)kind;
	check(pthread_create(&thread, NULL, stay, NULL), "pthread_create");
	await_reached(1);
	announce(facts, &thread);
	pthread_join(thread, NULL);
}

static mtx_t c11_lock;

static int hold_c11(void *unused)
{
	(void)unused;
	holder = gettid();
	mtx_lock(&c11_lock);
	reach();
	rest();
}

static void run_mtx(struct facts *facts, const char *kind)
{
	thrd_t thread;

	mtx_init(&c11_lock, strcmp(kind, "recursive") ? mtx_plain : mtx_plain | mtx_recursive);
	must(thrd_create(&thread, hold_c11, NULL) == thrd_success ? 0 : -1, "thrd_create");
	await_reached(1);
	announce(facts, &c11_lock);
	mtx_lock(&c11_lock);
}

static unsigned word = 7;

static void run_futex(struct facts *facts, const char *kind)
{
	(void)kind;
	announce(facts, &word);
	for (;;)
		syscall(SYS_futex, &word, 128 /* FUTEX_WAIT_PRIVATE */, 7, NULL, NULL, 0);
}

static const struct situation scenes[] = {
	{"mutex", run_mutex},
	{"mutex-heap", run_mutex_heap},
	{"mutex-self", run_mutex_self},
	{"mutex-ended", run_mutex_ended},
	{"mutex-let-go", run_mutex_let_go},
	{"mutex-shared", run_mutex_shared},
	{"condition", run_condition},
	{"condition-mutex", run_condition_mutex},
	{"read-written", run_read_written},
	{"write-written", run_write_written},
	{"write-read", run_write_read},
	{"write-behind", run_write_behind},
	{"barrier", run_barrier},
	{"semaphore", run_semaphore},
	{"semaphore-timed", run_semaphore_timed},
	{"semaphore-shared", run_semaphore_shared},
	{"once", run_once},
	{"join", run_join},
	{"mtx", run_mtx},
	{"futex", run_futex},
	{0},
};

int main(int argc, char **argv)
{
	static struct facts facts;

	facts.stream = open_memstream(&facts.text, &facts.size);
	must(facts.stream ? 0 : -1, "open_memstream");
	must(pipe(reached), "pipe");
	for (const struct situation *scene = scenes; argc > 1 && scene->name; scene++) {
		if (strcmp(scene->name, argv[1]) == 0)
			scene->run(&facts, argc > 2 ? argv[2] : "normal");
	}
	return EXIT_FAILURE;
}
