// SPDX-License-Identifier: Apache-2.0
/*
 * deadlock: a queue and a log, each with a lock, to be looked at. Who puts something into the queue
 * logs it while it has the queue's lock; who ends the log wants to know how long the queue is while
 * it has the log's: each waits for what the other has. Others come and wait behind them. Says on
 * standard output when the first two have met.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CUSTOMERS 3

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;
static unsigned queue_length, log_lines;

static void log_line(void)
{
	pthread_mutex_lock(&log_lock);
	log_lines++;
	pthread_mutex_unlock(&log_lock);
}

static unsigned queue_get_length(void)
{
	pthread_mutex_lock(&queue_lock);
	unsigned length = queue_length;
	pthread_mutex_unlock(&queue_lock);
	return length;
}

static void *submit(void *unused)
{
	pthread_mutex_lock(&queue_lock);
	queue_length++;
	pthread_barrier_wait(&both_have_one);
	log_line();
	pthread_mutex_unlock(&queue_lock);
	return unused;
}

static void *end_log(void *unused)
{
	pthread_mutex_lock(&log_lock);
	pthread_barrier_wait(&both_have_one);
	log_lines += queue_get_length();
	pthread_mutex_unlock(&log_lock);
	return unused;
}

static void *ask_length(void *unused)
{
	queue_get_length();
	return unused;
}

static pthread_t start(const char *name, void *(*body)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, NULL))
		errx(EXIT_FAILURE, "pthread_create");
	pthread_setname_np(thread, name);
	return thread;
}

int main(void)
{
	pthread_barrier_init(&both_have_one, NULL, 3);
	pthread_t submitter = start("submit", submit);
	start("log", end_log);
	pthread_barrier_wait(&both_have_one);
	for (int i = 0; i < CUSTOMERS; i++)
		start("customer", ask_length);
	puts("both have one");
	fflush(stdout);
	pthread_join(submitter, NULL);
	return EXIT_SUCCESS;
}
