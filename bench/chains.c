// SPDX-License-Identifier: Apache-2.0
/*
 * chains PROCESSES THREADS CHAINS: fills a machine with processes of that many threads each. In the
 * first CHAINS of them each thread has a mutex that the next one wants, and the first reads from a
 * pipe, so that all wait behind it; in the others the first reads and the rest are its pool. Prints
 * a line when all have been started; ends them all when its standard input ends. They end with it,
 * whatever ends it.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t *mutexes, pool = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_came = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t all_have_one;
static int gate;

static void read_gate(void)
{
	char byte;

	if (read(gate, &byte, 1) < 0)
		err(EXIT_FAILURE, "read");
}

static void *wait_in_line(void *number)
{
	uintptr_t place = (uintptr_t)number;

	pthread_mutex_lock(&mutexes[place]);
	pthread_barrier_wait(&all_have_one);
	if (place)
		pthread_mutex_lock(&mutexes[place - 1]);
	else
		read_gate();
	return NULL;
}

static void *wait_for_work(void *number)
{
	pthread_barrier_wait(&all_have_one);
	if (!number)
		read_gate();
	pthread_mutex_lock(&pool);
	for (;;)
		pthread_cond_wait(&work_came, &pool);
	return NULL;
}

/* The process's life, of its first thread and the others. */
static void live(pid_t parent, unsigned threads, void *(*body)(void *), int ready)
{
	pthread_attr_t attributes;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mutexes = calloc(threads, sizeof(*mutexes));
	if (getppid() != parent || !mutexes)
		_exit(EXIT_FAILURE);
	pthread_barrier_init(&all_have_one, NULL, threads);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (uintptr_t i = 0; i < threads; i++)
		pthread_mutex_init(&mutexes[i], NULL);
	for (uintptr_t i = 1; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &attributes, body, (void *)i))
			_exit(EXIT_FAILURE);
	}
	if (write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	close(ready);
	body(NULL);
	_exit(EXIT_SUCCESS);
}

static void end(const pid_t *children, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kill(children[i], SIGKILL);
	for (size_t i = 0; i < count; i++)
		waitpid(children[i], NULL, 0);
}

int main(int argc, char **argv)
{
	size_t count = argc == 4 ? (size_t)atol(argv[1]) : 0;
	unsigned threads = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	size_t chains = argc == 4 ? (size_t)atol(argv[3]) : 0;
	pid_t parent = getpid();
	int ends[2], ready[2];
	char byte;

	if (!count || !threads)
		errx(EXIT_FAILURE, "usage: chains PROCESSES THREADS CHAINS");
	pid_t *children = calloc(count, sizeof(*children));
	if (!children || pipe(ends) || pipe(ready))
		err(EXIT_FAILURE, "setting up");
	gate = ends[0];
	for (size_t i = 0; i < count; i++) {
		children[i] = fork();
		if (children[i] < 0) {
			warn("fork");
			end(children, i);
			return EXIT_FAILURE;
		}
		if (!children[i]) {
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
			close(ends[1]);
			close(ready[0]);
			live(parent, threads, i < chains ? wait_in_line : wait_for_work, ready[1]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (read(ready[0], &byte, 1) != 1)
			err(EXIT_FAILURE, "a process did not start");
	}
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	end(children, count);
	return EXIT_SUCCESS;
}
