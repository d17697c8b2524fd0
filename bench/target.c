// SPDX-License-Identifier: Apache-2.0
/*
 * target THREADS [heartbeat]: what the benchmark looks at. Its threads rest in seven kinds of wait
 * below calls of their own, 22 frames each, the main thread among them. Prints a line when all
 * have come there.
 *
 * With `heartbeat` there are two more threads: one wakes every 200 µs and notes the longest time
 * between two of its beats, and the main one answers each line on standard input with that time and
 * with how many system calls of all threads were interrupted, and starts anew. The first of them
 * is called "heartbeat".
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 16 /* calls between where a thread starts and where it waits */
#define STACK_SIZE (64 << 10)
#define BEAT_NS 200000

static atomic_long interruptions;
static atomic_int ready_count;
static atomic_llong longest_pause_ns;

static void note(long result)
{
	if (result < 0 && errno == EINTR)
		interruptions++;
}

static void wait_by_read(int event)
{
	uint64_t value;
	note(read(event, &value, sizeof value));
}

static void wait_by_poll(int event)
{
	struct pollfd fd = {event, POLLIN, 0};
	note(poll(&fd, 1, -1));
}

static void wait_by_epoll(int event)
{
	static int fd = -1;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&mutex);
	if (fd < 0)
		fd = epoll_create1(0);
	struct epoll_event interest = {.events = EPOLLIN};
	epoll_ctl(fd, EPOLL_CTL_ADD, event, &interest);
	pthread_mutex_unlock(&mutex);
	note(epoll_wait(fd, &interest, 1, -1));
}

static void wait_by_sleep(int event)
{
	(void)event;
	struct timespec hour = {3600, 0};
	note(nanosleep(&hour, NULL));
}

static void wait_by_condition(int event)
{
	(void)event;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&condition, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void wait_by_semaphore(int event)
{
	(void)event;
	static sem_t semaphore;
	note(sem_wait(&semaphore));
}

static void wait_by_mutex(int event)
{
	(void)event;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	/* Nobody gives it back, so that all but the first wait; the first waits for itself. */
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}

static void (*const waits[])(int event) = {
	wait_by_read,
	wait_by_poll,
	wait_by_epoll,
	wait_by_sleep,
	wait_by_condition,
	wait_by_semaphore,
	wait_by_mutex,
};

static int descend(int left, int kind, int event)
{
	volatile int depth = left;
	if (left)
		return descend(left - 1, kind, event) + depth;
	ready_count++;
	waits[kind](event);
	return depth;
}

static int event_create(void)
{
	int event = eventfd(0, EFD_CLOEXEC);
	if (event < 0)
		err(EXIT_FAILURE, "eventfd");
	return event;
}

static int event;

static void *work(void *kind)
{
	for (;;)
		descend(DEPTH, (int)(long)kind, event);
	return NULL;
}

static void start(void *(*body)(void *), void *argument)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	errno = pthread_create(&thread, &attributes, body, argument);
	if (errno)
		err(EXIT_FAILURE, "pthread_create");
}

static long long now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *beat(void *unused)
{
	pthread_setname_np(pthread_self(), "heartbeat");
	long long before = now_ns();
	for (;;) {
		struct timespec pause = {0, BEAT_NS};
		note(nanosleep(&pause, NULL));
		long long now = now_ns();
		if (now - before > longest_pause_ns)
			longest_pause_ns = now - before;
		before = now;
	}
	return unused;
}

static void answer_lines(void)
{
	char line[64];
	while (fgets(line, sizeof line, stdin)) {
		printf("%lld %ld\n", (long long)longest_pause_ns, (long)interruptions);
		fflush(stdout);
		longest_pause_ns = 0;
		interruptions = 0;
	}
}

int main(int argc, char **argv)
{
	bool heartbeat = argc == 3 && !strcmp(argv[2], "heartbeat");
	int count = argc > 1 ? atoi(argv[1]) : 0;
	if (count < 1 || argc > 3 || (argc == 3 && !heartbeat))
		errx(EXIT_FAILURE, "usage: target THREADS [heartbeat]");
	event = event_create();

	int others = heartbeat ? count : count - 1;
	for (int i = 0; i < others; i++)
		start(work, (void *)(i % (long)(sizeof waits / sizeof *waits)));
	while (ready_count < others)
		usleep(1000);
	printf("ready\n");
	fflush(stdout);
	if (heartbeat) {
		start(beat, NULL);
		answer_lines();
		return EXIT_SUCCESS;
	}
	for (;;)
		descend(DEPTH + 1, 0, event);
}
