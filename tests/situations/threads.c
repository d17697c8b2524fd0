// SPDX-License-Identifier: Apache-2.0
/* Many threads, deep stacks, and stacks that a signal interrupted. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

static int number(const char *argument, int fallback)
{
	return argument ? atoi(argument) : fallback;
}

static pthread_barrier_t started;

static void *rest_thread(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&started);
	rest();
}

/* @argument threads beside the main one, all alike. */
static void run_threads(struct facts *facts, const char *argument)
{
	int count = number(argument, 50);
	pthread_barrier_init(&started, NULL, count + 1);
	for (int i = 0; i < count; i++)
		start_thread(rest_thread, NULL);
	pthread_barrier_wait(&started);
	fact_number(facts, "threads", count + 1);
	ready(facts, PAUSE_CALL);
	pause();
}

static void *end_at_once(void *unused)
{
	return unused;
}

/* Threads come and go all the time, as fast as they can. */
static void run_thread_storm(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, -1);
	for (;;) {
		pthread_t threads[8];
		for (int i = 0; i < 8; i++)
			must(-pthread_create(&threads[i], NULL, end_at_once, NULL),
				"pthread_create");
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
	}
}

static int descend(struct facts *facts, int left)
{
	volatile int depth = left;
	if (left)
		return descend(facts, left - 1) + depth;
	ready(facts, PAUSE_CALL);
	return pause() + depth;
}

static void run_recursion(struct facts *facts, const char *argument)
{
	int depth = number(argument, 1000);
	fact_number(facts, "depth", depth);
	exit(descend(facts, depth));
}

static struct facts *handler_facts;

static void handle(int signal)
{
	(void)signal;
	ready(handler_facts, PAUSE_CALL);
	pause();
}

static void interrupted(void)
{
	raise(SIGUSR1);
}

static void run_signal_handler(struct facts *facts, const char *argument)
{
	(void)argument;
	static char memory[1 << 16];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
	must(sigaltstack(&stack, NULL), "sigaltstack");
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
	must(sigaction(SIGUSR1, &action, NULL), "sigaction");
	handler_facts = facts;
	interrupted();
}

/*
 * Workers that each wait in another way and count how often they were woken. A line on
 * standard input wakes all; one line on standard output tells when every one has counted, how many
 * system calls were interrupted, and how many signals came.
 */
struct worker {
	int event;
	sem_t semaphore;
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	int asked; /* guarded by mutex, or atomic */
	atomic_long count;
};

#define WORKERS_MAX 1000
static struct worker workers[WORKERS_MAX];
static atomic_long interruptions, signals_seen;

static void take_event(struct worker *self)
{
	uint64_t value;
	while (read(self->event, &value, sizeof value) < 0 && errno == EINTR)
		interruptions++;
}

static void wait_by_read(struct worker *self)
{
	take_event(self);
}

static void wait_by_poll(struct worker *self)
{
	struct pollfd fd = {self->event, POLLIN, 0};
	while (poll(&fd, 1, -1) < 0 && errno == EINTR)
		interruptions++;
	take_event(self);
}

static void wait_by_epoll(struct worker *self)
{
	int fd = must(epoll_create1(0), "epoll_create1");
	struct epoll_event event = {.events = EPOLLIN};
	must(epoll_ctl(fd, EPOLL_CTL_ADD, self->event, &event), "epoll_ctl");
	while (epoll_wait(fd, &event, 1, -1) < 0 && errno == EINTR)
		interruptions++;
	close(fd);
	take_event(self);
}

static void wait_by_semaphore(struct worker *self)
{
	while (sem_wait(&self->semaphore) < 0 && errno == EINTR)
		interruptions++;
}

static void wait_by_condition(struct worker *self)
{
	pthread_mutex_lock(&self->mutex);
	while (!self->asked)
		pthread_cond_wait(&self->condition, &self->mutex);
	self->asked--;
	pthread_mutex_unlock(&self->mutex);
}

/* Short sleeps with looks in between. */
static void wait_by_sleep(struct worker *self)
{
	for (;;) {
		struct timespec pause = {0, 2000000};
		if (nanosleep(&pause, NULL) < 0 && errno == EINTR)
			interruptions++;
		if (!sem_trywait(&self->semaphore))
			return;
	}
}

static void (*const waits[])(struct worker *self) = {
	wait_by_read,
	wait_by_poll,
	wait_by_epoll,
	wait_by_semaphore,
	wait_by_condition,
	wait_by_sleep,
};

static void *work(void *data)
{
	struct worker *self = data;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_barrier_wait(&started);
	for (;;) {
		waits[(self - workers) % (sizeof waits / sizeof *waits)](self);
		self->count++;
	}
	return NULL;
}

static void wake(struct worker *worker)
{
	uint64_t one = 1;
	must(write(worker->event, &one, sizeof one), "write");
	sem_post(&worker->semaphore);
	pthread_mutex_lock(&worker->mutex);
	worker->asked++;
	pthread_cond_signal(&worker->condition);
	pthread_mutex_unlock(&worker->mutex);
}

static void count_signal(int signal)
{
	(void)signal;
	signals_seen++;
}

static void run_workers(struct facts *facts, const char *argument)
{
	int count = number(argument, 49);
	if (count > WORKERS_MAX)
		unsupported("as many workers");
	pthread_barrier_init(&started, NULL, count + 1);
	for (int i = 0; i < count; i++) {
		workers[i].event = must(eventfd(0, 0), "eventfd");
		sem_init(&workers[i].semaphore, 0, 0);
		pthread_mutex_init(&workers[i].mutex, NULL);
		pthread_cond_init(&workers[i].condition, NULL);
		start_thread(work, &workers[i]);
	}
	pthread_barrier_wait(&started);
	struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
	must(sigaction(SIGRTMIN, &action, NULL), "sigaction");
	fact_number(facts, "threads", count + 1);
	fact_number(facts, "signal", SIGRTMIN);
	ready(facts, SYS_read);

	char line[64];
	for (long round = 1; fgets(line, sizeof line, stdin); round++) {
		for (int i = 0; i < count; i++)
			wake(&workers[i]);
		for (int i = 0; i < count; i++)
			while (workers[i].count < round)
				usleep(100);
		printf("{\"woken\": %d, \"interruptions\": %ld, \"signals\": %ld}\n", count,
			interruptions, signals_seen);
		fflush(stdout);
	}
	exit(EXIT_SUCCESS);
}

const struct situation thread_situations[] = {
	{"threads", run_threads},
	{"thread-storm", run_thread_storm},
	{"recursion", run_recursion},
	{"signal-handler", run_signal_handler},
	{"workers", run_workers},
	{0},
};
