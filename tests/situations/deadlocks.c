// SPDX-License-Identifier: Apache-2.0
/* Tasks that wait for each other, and those that wait behind them. */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "situations.h"

/* A thread that takes one mutex, meets the others, and then wants another. */
struct grabber {
	pthread_mutex_t *first, *second;
	pthread_barrier_t *all_have_one;
	pid_t tid;
};

static void *grab(void *argument)
{
	struct grabber *grabber = argument;

	grabber->tid = gettid();
	pthread_mutex_lock(grabber->first);
	pthread_barrier_wait(grabber->all_have_one);
	pthread_mutex_lock(grabber->second);
	rest();
}

#define RING_MAX 16

static pthread_mutex_t forks[RING_MAX];

/* @count threads, each of which has what the one before it wants; their ids become facts. */
static void start_ring(struct facts *facts, size_t count)
{
	static struct grabber grabbers[RING_MAX];
	static pthread_barrier_t all_have_one;
	char name[16];

	pthread_barrier_init(&all_have_one, NULL, count + 1);
	for (size_t i = 0; i < count; i++)
		pthread_mutex_init(&forks[i], NULL);
	for (size_t i = 0; i < count; i++) {
		grabbers[i] =
			(struct grabber){&forks[i], &forks[(i + 1) % count], &all_have_one, 0};
		start_thread(grab, &grabbers[i]);
	}
	pthread_barrier_wait(&all_have_one);
	for (size_t i = 0; i < count; i++) {
		await_syscall(grabbers[i].tid, SYS_futex);
		snprintf(name, sizeof name, "thread%zu", i);
		fact_number(facts, name, grabbers[i].tid);
	}
}

static void run_pair(struct facts *facts, const char *argument)
{
	(void)argument;
	start_ring(facts, 2);
	ready(facts, PAUSE_CALL);
	rest();
}

static void run_philosophers(struct facts *facts, const char *argument)
{
	(void)argument;
	start_ring(facts, 5);
	ready(facts, PAUSE_CALL);
	rest();
}

static pthread_barrier_t all_begun;

static void *queue_up(void *mutex)
{
	pthread_barrier_wait(&all_begun);
	pthread_mutex_lock(mutex);
	rest();
}

/* Many threads want what one of the pair has. */
static void run_behind(struct facts *facts, const char *argument)
{
	unsigned count = argument ? (unsigned)atoi(argument) : 998;
	pthread_attr_t attributes;

	pthread_barrier_init(&all_begun, NULL, count + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	start_ring(facts, 2);
	for (unsigned i = 0; i < count; i++) {
		pthread_t thread;

		errno = pthread_create(&thread, &attributes, queue_up, &forks[0]);
		if (errno)
			err(EXIT_FAILURE, "pthread_create");
	}
	pthread_barrier_wait(&all_begun);
	ready(facts, PAUSE_CALL);
	rest();
}

static void run_self(struct facts *facts, const char *argument)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	(void)argument;
	pthread_mutex_lock(&mutex);
	ready(facts, SYS_futex);
	pthread_mutex_lock(&mutex);
	rest();
}

/* What two processes have in common. */
struct common {
	pthread_mutex_t mutexes[2];
	pthread_barrier_t both_have_one;
};

static struct common *share(void)
{
	struct common *common = mmap(
		NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t shared;
	pthread_barrierattr_t shared_barrier;

	if (common == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 2; i++)
		pthread_mutex_init(&common->mutexes[i], &shared);
	pthread_barrierattr_init(&shared_barrier);
	pthread_barrierattr_setpshared(&shared_barrier, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&common->both_have_one, &shared_barrier, 2);
	return common;
}

static void run_shared(struct facts *facts, const char *argument)
{
	struct common *common = share();
	pid_t child = fork_companion();
	int mine = child ? 0 : 1;

	(void)argument;
	pthread_mutex_lock(&common->mutexes[mine]);
	pthread_barrier_wait(&common->both_have_one);
	if (child) {
		await_syscall(child, SYS_futex);
		fact_number(facts, "child", child);
		ready(facts, SYS_futex);
	}
	pthread_mutex_lock(&common->mutexes[!mine]);
	rest();
}

/* The owner of a process-shared mutex ends without giving it back. */
static void run_shared_owner_ended(struct facts *facts, const char *argument)
{
	struct common *common = share();
	pid_t child = fork_companion();
	int status;

	(void)argument;
	if (!child) {
		pthread_mutex_lock(&common->mutexes[0]);
		_exit(EXIT_SUCCESS);
	}
	must(waitpid(child, &status, 0), "waitpid");
	ready(facts, SYS_futex);
	pthread_mutex_lock(&common->mutexes[0]);
	rest();
}

static int open_lock_file(void)
{
	char path[] = "/tmp/whystuck-lock-XXXXXX";
	int fd = must(mkstemp(path), "mkstemp");

	must(unlink(path), "unlink");
	return fd;
}

/* Two open file descriptions of one file: flock() is of the description. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return must(open(path, O_RDWR | O_CLOEXEC), "open");
}

static void run_flocks(struct facts *facts, const char *argument)
{
	int files[2] = {open_lock_file(), open_lock_file()};
	struct common *common = share();
	pid_t child = fork_companion();
	int mine = child ? 0 : 1;
	int own = open_again(files[mine]), other = open_again(files[!mine]);

	(void)argument;
	must(flock(own, LOCK_EX), "flock");
	pthread_barrier_wait(&common->both_have_one);
	if (child) {
		await_syscall(child, SYS_flock);
		fact_number(facts, "child", child);
		ready(facts, SYS_flock);
	}
	while (flock(other, LOCK_EX) && errno == EINTR)
		;
	rest();
}

/* One process has the mutex and reads what the other would write, had it the mutex. */
static void run_mutex_and_pipe(struct facts *facts, const char *argument)
{
	struct common *common = share();
	int ends[2];
	char byte;

	(void)argument;
	must(pipe(ends), "pipe");
	pid_t child = fork_companion();
	if (child) {
		close(ends[1]);
		pthread_mutex_lock(&common->mutexes[0]);
		pthread_barrier_wait(&common->both_have_one);
		await_syscall(child, SYS_futex);
		fact_number(facts, "child", child);
		ready(facts, SYS_read);
		while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
			;
	} else {
		close(ends[0]);
		pthread_barrier_wait(&common->both_have_one);
		pthread_mutex_lock(&common->mutexes[0]);
		must((int)write(ends[1], "", 1), "write");
	}
	rest();
}

static sem_t *never_posted;
static pid_t sleeper_tid;

static void *wait_for_semaphore(void *told)
{
	sleeper_tid = gettid();
	sem_post(told);
	while (sem_wait(never_posted) && errno == EINTR)
		;
	return NULL;
}

/* All threads of a process wait for what none but they could do. */
static void run_all_asleep(struct facts *facts, const char *argument)
{
	static sem_t semaphore, told;
	pthread_t thread;

	(void)argument;
	sem_init(&semaphore, 0, 0);
	sem_init(&told, 0, 0);
	never_posted = &semaphore;
	errno = pthread_create(&thread, NULL, wait_for_semaphore, &told);
	if (errno)
		err(EXIT_FAILURE, "pthread_create");
	sem_wait(&told);
	await_syscall(sleeper_tid, SYS_futex);
	fact_number(facts, "sleeper", sleeper_tid);
	ready(facts, SYS_futex);
	pthread_join(thread, NULL);
}

/* A chain: two threads wait for a mutex whose owner waits for a connection of this machine. */
static pthread_mutex_t root_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t root_has_it;
static int root_fd;
static pid_t root_tid;

static void *hold_and_read(void *unused)
{
	char byte;

	(void)unused;
	root_tid = gettid();
	pthread_mutex_lock(&root_mutex);
	pthread_barrier_wait(&root_has_it);
	while (read(root_fd, &byte, 1) < 0 && errno == EINTR)
		;
	rest();
}

static void *want_mutex(void *tid)
{
	*(pid_t *)tid = gettid();
	pthread_barrier_wait(&root_has_it);
	pthread_mutex_lock(&root_mutex);
	rest();
}

static void run_chain(struct facts *facts, const char *argument)
{
	static pid_t waiters[2];
	int ends[2];

	(void)argument;
	must(pipe(ends), "pipe");
	pid_t writer = fork_companion();
	if (!writer) {
		close(ends[0]);
		rest();
	}
	close(ends[1]);
	root_fd = ends[0];
	pthread_barrier_init(&root_has_it, NULL, 4);
	start_thread(hold_and_read, NULL);
	start_thread(want_mutex, &waiters[0]);
	start_thread(want_mutex, &waiters[1]);
	pthread_barrier_wait(&root_has_it);
	await_syscall(root_tid, SYS_read);
	await_syscall(waiters[0], SYS_futex);
	await_syscall(waiters[1], SYS_futex);
	fact_number(facts, "root", root_tid);
	fact_number(facts, "writer", writer);
	fact_number(facts, "waiter", waiters[0]);
	ready(facts, PAUSE_CALL);
	rest();
}

const struct situation deadlock_situations[] = {
	{"deadlock-pair", run_pair},
	{"deadlock-philosophers", run_philosophers},
	{"deadlock-behind", run_behind},
	{"deadlock-self", run_self},
	{"deadlock-shared", run_shared},
	{"shared-owner-ended", run_shared_owner_ended},
	{"deadlock-flocks", run_flocks},
	{"deadlock-mutex-and-pipe", run_mutex_and_pipe},
	{"deadlock-all-asleep", run_all_asleep},
	{"chain", run_chain},
	{0},
};
