// SPDX-License-Identifier: Apache-2.0
/*
 * target threads [COUNT] | handler | vdso | recursion: stacks of every shape that C has, to be
 * compared with what other tools say of them. Says "ready" when all stand where they stay.
 */
#include <alloca.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (128 << 10)

static atomic_int arrived;
static volatile int sink;

/* Where each way of getting somewhere ends: in a call that waits. */
static void rest_in_pause(void)
{
	arrived++;
	for (;;)
		pause();
}

static void rest_in_poll(void)
{
	arrived++;
	for (;;)
		poll(NULL, 0, 1000000);
}

static void rest_in_sleep(void)
{
	struct timespec day = {86400, 0};
	arrived++;
	for (;;)
		nanosleep(&day, NULL);
}

static void rest_in_lock(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	arrived++;
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
	sink++;
}

static void rest_in_condition(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	pthread_mutex_lock(&mutex);
	arrived++;
	for (;;)
		pthread_cond_wait(&condition, &mutex);
}

static void (*const rests[])(void) = {
	rest_in_pause,
	rest_in_poll,
	rest_in_sleep,
	rest_in_lock,
	rest_in_condition,
};

static _Thread_local void (*rest)(void);

/* A callee that never comes back, called last: its return address lies behind its caller's end. */
static __attribute__((noreturn, noinline)) void go_for_ever(void)
{
	rest();
	abort();
}

static __attribute__((noinline)) void by_noreturn(void)
{
	sink++;
	go_for_ever();
}

static int compare(const void *one, const void *other)
{
	sink += *(const int *)one - *(const int *)other;
	rest();
	return 0;
}

/* Through frames of the C library. */
static __attribute__((noinline)) void by_qsort(void)
{
	int numbers[] = {3, 1, 2};
	qsort(numbers, 3, sizeof *numbers, compare);
}

/* A frame whose size no instruction knows. */
static __attribute__((noinline)) void by_alloca(void)
{
	char *memory = alloca(100 + (sink & 15));
	memset(memory, 1, 100);
	rest();
	sink += memory[5];
}

/* A frame that is realigned: its CFA is an expression or another register's. */
static __attribute__((noinline)) void by_alignment(void)
{
	_Alignas(64) volatile char memory[256];
	memory[sink & 7] = 1;
	rest();
	sink += memory[3];
}

static __attribute__((noinline)) void by_large_frame(void)
{
	volatile char memory[20000];
	memory[sink & 7] = 1;
	rest();
	sink += memory[3];
}

static inline __attribute__((always_inline)) void innermost(void)
{
	sink++;
	rest();
	sink++;
}

static inline __attribute__((always_inline)) void middle(void)
{
	sink++;
	innermost();
	sink++;
}

static __attribute__((noinline)) void by_inlines(void)
{
	middle();
}

static __attribute__((noinline)) int by_recursion(int left)
{
	int below = left ? by_recursion(left - 1) : (rest(), 0);
	return below + sink;
}

static void recur(void)
{
	by_recursion(40);
}

static void in_once(void)
{
	rest();
}

static __attribute__((noinline)) void by_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, in_once);
}

/* Many arguments: some are pushed on the stack. */
static __attribute__((noinline)) int take_many(
	int a, int b, int c, int d, int e, int f, int g, int h, int i)
{
	rest();
	return a + b + c + d + e + f + g + h + i;
}

static __attribute__((noinline)) void by_arguments(void)
{
	sink += take_many(sink, 2, 3, 4, 5, 6, 7, 8, sink);
}

static __attribute__((noinline)) void by_jump_buffer(void)
{
	jmp_buf buffer;
	if (!setjmp(buffer))
		rest();
}

static void (*const ways[])(void) = {
	by_noreturn,
	by_qsort,
	by_alloca,
	by_alignment,
	by_large_frame,
	by_inlines,
	recur,
	by_arguments,
	by_jump_buffer,
	by_once,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void *go(void *number)
{
	long index = (long)number;
	/* The last way, pthread_once(), is gone once: by one thread. */
	size_t way = index == (long)COUNT(ways) - 1 ? (size_t)index : index % (COUNT(ways) - 1);
	rest = rests[index / COUNT(ways) % COUNT(rests)];
	ways[way]();
	sink++;
	return NULL;
}

static void start(long index)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	errno = pthread_create(&thread, &attributes, go, (void *)index);
	if (errno)
		err(EXIT_FAILURE, "pthread_create");
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

static __attribute__((noinline)) void threads(int count)
{
	for (int i = 0; i < count; i++)
		start(i);
	while (arrived < count)
		usleep(1000);
	say_ready();
	rest_in_pause();
}

static void handle(int signal)
{
	sink += signal;
	say_ready();
	rest_in_poll();
}

/* In a signal's handler, on a stack of its own, below a function that was interrupted anywhere. */
static __attribute__((noinline)) void handler(void)
{
	static char memory[1 << 16];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
	sigaltstack(&stack, NULL);
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	for (;;)
		sink++;
}

static __attribute__((noinline)) void vdso(void)
{
	say_ready();
	for (;;) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		sink += now.tv_nsec;
	}
}

static __attribute__((noinline)) int descend(int left)
{
	if (left)
		return descend(left - 1) + sink;
	say_ready();
	return pause();
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	if (!strcmp(kind, "threads"))
		threads(argc > 2 ? atoi(argv[2]) : 50);
	else if (!strcmp(kind, "handler"))
		handler();
	else if (!strcmp(kind, "vdso"))
		vdso();
	else if (!strcmp(kind, "recursion"))
		sink = descend(10000);
	else
		errx(EXIT_FAILURE, "usage: target threads [COUNT] | handler | vdso | recursion");
	return EXIT_SUCCESS;
}
