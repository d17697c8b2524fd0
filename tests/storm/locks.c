// SPDX-License-Identifier: Apache-2.0
/*
 * locks: 64 threads that take and let go of mutexes, read-write locks and semaphores without end,
 * always in one order, so that no deadlock can ever be. They also hand work to each other by
 * condition variables, a barrier and a pipe. Prints a line when all run, then runs until its
 * standard input ends.
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 64, MUTEXES = 16, TOKENS = 8, MEETING = 4 };

static pthread_mutex_t mutexes[MUTEXES];
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t turn_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t meetings[WORKERS / MEETING], all_run;
static sem_t tokens;
static int pipe_ends[2];
static unsigned turn;
static atomic_ulong rounds;
static atomic_bool ended;

/* Some work, more or less of it, or a short rest: then others queue up behind it. */
static void work_a_little(uint32_t random)
{
	const struct timespec rest = {.tv_nsec = random % 200000};

	if (random % 3 == 0) {
		nanosleep(&rest, NULL);
		return;
	}
	for (volatile uint32_t i = 0; i < random % 500; i++)
		;
}

/* Takes up to four mutexes in rising order, and lets go of them in falling order. */
static void lock_several(uint32_t random)
{
	unsigned first = random % MUTEXES, last = first + random / MUTEXES % 4;

	if (last >= MUTEXES)
		last = MUTEXES - 1;
	for (unsigned i = first; i <= last; i++)
		pthread_mutex_lock(&mutexes[i]);
	work_a_little(random >> 8);
	for (unsigned i = last + 1; i-- > first;)
		pthread_mutex_unlock(&mutexes[i]);
}

static void use_table(uint32_t random)
{
	if (random % 8)
		pthread_rwlock_rdlock(&table);
	else
		pthread_rwlock_wrlock(&table);
	work_a_little(random >> 8);
	pthread_rwlock_unlock(&table);
}

static void use_token(uint32_t random)
{
	sem_wait(&tokens);
	work_a_little(random >> 8);
	sem_post(&tokens);
}

/* Even and odd threads take turns. */
static void take_turn(unsigned worker)
{
	pthread_mutex_lock(&turn_mutex);
	if (turn % 2 == worker % 2)
		turn++;
	pthread_cond_broadcast(&turn_changed);
	pthread_mutex_unlock(&turn_mutex);
}

/* A byte from the pipe, which always goes back. */
static void pass_byte(void)
{
	char byte;

	if (read(pipe_ends[0], &byte, 1) != 1 || write(pipe_ends[1], &byte, 1) != 1)
		err(EXIT_FAILURE, "pipe");
}

static void *work(void *number)
{
	unsigned worker = (unsigned)(uintptr_t)number;
	uint32_t random = worker * 2654435761u + 1;

	pthread_barrier_wait(&all_run);
	while (!ended) {
		random = random * 1664525 + 1013904223;
		uint32_t choice = random >> 24;

		lock_several(random >> 4);
		if (choice % 4 == 0)
			use_table(random >> 4);
		else if (choice % 4 == 1)
			use_token(random >> 4);
		else if (choice % 4 == 2)
			take_turn(worker);
		else
			pass_byte();
		if (atomic_fetch_add(&rounds, 1) % 64 == 0)
			sched_yield();
	}
	return NULL;
}

/* Threads that meet again and again, each time all of a few. */
static void *meet(void *barrier)
{
	for (uint32_t random = 1; !ended; random = random * 1664525 + 1013904223) {
		pthread_barrier_wait(barrier);
		lock_several(random >> 8);
	}
	return NULL;
}

/* Threads that wait for a turn which others give them. */
static void *wait_for_turn(void *unused)
{
	(void)unused;
	for (unsigned seen = 0; !ended;) {
		pthread_mutex_lock(&turn_mutex);
		while (turn == seen)
			pthread_cond_wait(&turn_changed, &turn_mutex);
		seen = turn;
		pthread_mutex_unlock(&turn_mutex);
	}
	return NULL;
}

static void start(void *(*body)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, argument))
		errx(EXIT_FAILURE, "pthread_create");
}

int main(void)
{
	char byte;

	for (int i = 0; i < MUTEXES; i++)
		pthread_mutex_init(&mutexes[i], NULL);
	sem_init(&tokens, 0, TOKENS);
	pthread_barrier_init(&all_run, NULL, WORKERS / 2 + 1);
	if (pipe(pipe_ends) || write(pipe_ends[1], "12", 2) != 2)
		err(EXIT_FAILURE, "pipe");
	for (uintptr_t i = 0; i < WORKERS / 2; i++)
		start(work, (void *)i);
	for (unsigned i = 0; i < WORKERS / 4; i++) {
		unsigned meeting = i / MEETING;

		if (i % MEETING == 0)
			pthread_barrier_init(&meetings[meeting], NULL, MEETING);
		start(meet, &meetings[meeting]);
		start(wait_for_turn, NULL);
	}
	pthread_barrier_wait(&all_run);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	ended = true;
	printf("%lu rounds\n", atomic_load(&rounds));
	return 0;
}
