// SPDX-License-Identifier: Apache-2.0
/* Threads that share out their time among places as they are told to, for what adds up looks. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

#define WORKERS 2

/* A worker's round: so long in a read, computing, and behind a mutex. */
#define READ_NS 60000000LL
#define COMPUTE_NS 40000000LL
#define LOCK_NS 100000000LL
#define ROUND_NS (READ_NS + COMPUTE_NS + LOCK_NS)

struct worker {
	int pipe[2];
	pthread_mutex_t mutex;
	long long begin_ns; /* of the first round */
};

static struct worker workers[WORKERS];
static volatile unsigned long sink;

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void sleep_until(long long ns)
{
	const struct timespec time = {ns / 1000000000, ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL))
		;
}

__attribute__((noinline)) static void share_in_read(struct worker *worker)
{
	char byte;

	while (read(worker->pipe[0], &byte, 1) != 1)
		;
}

__attribute__((noinline)) static void share_in_f(long long end_ns)
{
	while (now() < end_ns) {
		for (unsigned long i = 0; i < 20000; i++)
			sink += i * i;
	}
}

__attribute__((noinline)) static void share_in_lock(struct worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	pthread_mutex_unlock(&worker->mutex);
}

static void *share_work(void *argument)
{
	struct worker *worker = argument;

	for (long long begin = worker->begin_ns;; begin += ROUND_NS) {
		share_in_read(worker);
		share_in_f(begin + READ_NS + COMPUTE_NS);
		share_in_lock(worker);
	}
	return NULL;
}

/* Has a worker wait, and lets it go on in time. */
static void *conduct(void *argument)
{
	struct worker *worker = argument;

	for (long long begin = worker->begin_ns;; begin += ROUND_NS) {
		sleep_until(begin + READ_NS / 2);
		pthread_mutex_lock(&worker->mutex);
		sleep_until(begin + READ_NS);
		must((int)write(worker->pipe[1], "", 1), "write");
		sleep_until(begin + ROUND_NS);
		pthread_mutex_unlock(&worker->mutex);
	}
	return NULL;
}

/* Three tenths of their time workers are in a read, two they compute in share_in_f(), and five they
 * are behind a mutex. */
static void run_shares(struct facts *facts, const char *argument)
{
	long long begin_ns = now() + 50000000;

	(void)argument;
	for (int i = 0; i < WORKERS; i++) {
		workers[i].begin_ns = begin_ns + i * ROUND_NS / WORKERS;
		must(pipe(workers[i].pipe), "pipe");
		pthread_mutex_init(&workers[i].mutex, NULL);
		start_thread(conduct, &workers[i]);
		start_thread(share_work, &workers[i]);
	}
	ready(facts, PAUSE_CALL);
	pause();
}

const struct situation share_situations[] = {
	{"shares", run_shares},
	{0},
};
