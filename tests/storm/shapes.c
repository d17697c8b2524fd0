// SPDX-License-Identifier: Apache-2.0
/*
 * shapes COUNT: a process of COUNT threads whose stacks change for ever, and each of whose stacks
 * tells whether it is of one moment.
 *
 * A thread goes down one of four chains of functions, a1 to aN, b1 to bN and so on, N at random,
 * and rests at its end in a call that is of that chain alone and one of whose arguments is of that
 * thread and tells N:
 *
 *	a   read(timer of the thread, …, SIZE + N)
 *	b   futex(words of the thread + N, …)
 *	c   epoll_pwait2(epoll of the thread, …, SIZE + N, …)
 *	d   none: it runs
 *
 * The chains' frames have the same sizes, so that what is left of one lies where the other's are.
 * First it prints a line of JSON: for each thread its id and these three.
 */
#include <err.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SIZE 1000
#define DEPTH_MAX 20
#ifndef FRAME
#define FRAME 192 /* bytes: all of a chain are more than a page; 8192: more than one copy */
#endif
#define STACK_SIZE (64 * 1024 + DEPTH_MAX * FRAME)

struct shaper {
	pthread_t thread;
	bool runs; /* its chain d takes as long as the others' rests */
	int tid, timer, epoll;
	unsigned seed;
	int words[DEPTH_MAX + 1];
	char buffer[SIZE + DEPTH_MAX];
	struct epoll_event events[SIZE + DEPTH_MAX];
};

static pthread_barrier_t ready;
static atomic_int begun;

static unsigned draw(struct shaper *shaper, unsigned limit)
{
	/* xorshift: rand_r()'s low bits go round in circles */
	shaper->seed ^= shaper->seed << 13;
	shaper->seed ^= shaper->seed >> 17;
	shaper->seed ^= shaper->seed << 5;
	return shaper->seed % limit;
}

/* From 10 us to 80 ms, each octave as often: some longer than a look, most shorter. */
static struct timespec draw_rest(struct shaper *shaper)
{
	unsigned octave = draw(shaper, 13);

	return (struct timespec){.tv_nsec = (long)((10000 + draw(shaper, 10000)) << octave)};
}

#define NOINLINE __attribute__((noinline, noclone))

static NOINLINE void rest_a(struct shaper *shaper, int depth)
{
	struct itimerspec timer = {.it_value = draw_rest(shaper)};

	timerfd_settime(shaper->timer, 0, &timer, NULL);
	if (read(shaper->timer, shaper->buffer, SIZE + (size_t)depth) < 0 && errno != EINTR)
		err(1, "read");
}

static NOINLINE void rest_b(struct shaper *shaper, int depth)
{
	struct timespec rest = draw_rest(shaper);

	syscall(SYS_futex, &shaper->words[depth], FUTEX_WAIT_PRIVATE, 0, &rest, NULL, 0);
}

static NOINLINE void rest_c(struct shaper *shaper, int depth)
{
	struct timespec rest = draw_rest(shaper);

	if (epoll_pwait2(shaper->epoll, shaper->events, SIZE + depth, &rest, NULL) < 0 &&
		errno != EINTR)
		err(1, "epoll_pwait2");
}

static NOINLINE void rest_d(struct shaper *shaper, int depth)
{
	/* a tenth of a millisecond at most, or tens of them */
	for (unsigned rounds = 100U << draw(shaper, shaper->runs ? 22 : 10); rounds; rounds--)
		__asm__ volatile("" : : "r"(depth) : "memory");
}

/* A function of a chain, which calls the next but for the last, and then its end. */
#define LINK(chain, number, next)                                                                  \
	static NOINLINE void chain##number(struct shaper *shaper, int depth)                       \
	{                                                                                          \
		volatile char frame[FRAME];                                                        \
                                                                                                   \
		frame[0] = frame[FRAME - 1] = number;                                              \
		if (depth == (number))                                                             \
			rest_##chain(shaper, depth);                                               \
		else                                                                               \
			next(shaper, depth);                                                       \
		frame[1] = frame[0];                                                               \
	}

#define CHAIN(chain)                                                                               \
	LINK(chain, 20, rest_##chain)                                                              \
	LINK(chain, 19, chain##20)                                                                 \
	LINK(chain, 18, chain##19)                                                                 \
	LINK(chain, 17, chain##18)                                                                 \
	LINK(chain, 16, chain##17)                                                                 \
	LINK(chain, 15, chain##16)                                                                 \
	LINK(chain, 14, chain##15)                                                                 \
	LINK(chain, 13, chain##14)                                                                 \
	LINK(chain, 12, chain##13)                                                                 \
	LINK(chain, 11, chain##12)                                                                 \
	LINK(chain, 10, chain##11)                                                                 \
	LINK(chain, 9, chain##10)                                                                  \
	LINK(chain, 8, chain##9)                                                                   \
	LINK(chain, 7, chain##8)                                                                   \
	LINK(chain, 6, chain##7)                                                                   \
	LINK(chain, 5, chain##6)                                                                   \
	LINK(chain, 4, chain##5)                                                                   \
	LINK(chain, 3, chain##4)                                                                   \
	LINK(chain, 2, chain##3)                                                                   \
	LINK(chain, 1, chain##2)

CHAIN(a)
CHAIN(b)
CHAIN(c)
CHAIN(d)

static NOINLINE void change_shapes(struct shaper *shaper)
{
	static void (*const chains[])(struct shaper * shaper, int depth) = {a1, b1, c1, d1};

	chains[0](shaper, 1);
	begun++;
	for (;;)
		chains[draw(shaper, 4)](shaper, 1 + (int)draw(shaper, DEPTH_MAX));
}

/* Those of even and odd number begin differently: one's stack is not another's. */
static NOINLINE void *begin_even(void *argument)
{
	struct shaper *shaper = argument;

	shaper->tid = gettid();
	pthread_barrier_wait(&ready);
	change_shapes(shaper);
	return NULL;
}

static NOINLINE void *begin_odd(void *argument)
{
	struct shaper *shaper = argument;

	shaper->tid = gettid();
	pthread_barrier_wait(&ready);
	change_shapes(shaper);
	return argument;
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;
	struct shaper *shapers = count > 0 ? calloc((size_t)count, sizeof(*shapers)) : NULL;
	pthread_attr_t attributes;

	if (!shapers)
		errx(2, "usage: shapes COUNT");
	prctl(PR_SET_TIMERSLACK, 1UL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++) {
		struct shaper *shaper = &shapers[i];

		shaper->runs = i == 0;
		shaper->seed = 2463534242U + (unsigned)i * 7919;
		shaper->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
		shaper->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (shaper->timer < 0 || shaper->epoll < 0)
			err(1, "descriptors");
		if (pthread_create(
			    &shaper->thread, &attributes, i % 2 ? begin_odd : begin_even, shaper))
			errx(1, "pthread_create");
	}
	pthread_barrier_wait(&ready);
	while (begun < count)
		usleep(1000);
	printf("{\"threads\": [");
	for (int i = 0; i < count; i++)
		printf("%s{\"tid\": %d, \"timer\": %d, \"epoll\": %d, \"words\": %llu}",
			i ? ", " : "", shapers[i].tid, shapers[i].timer, shapers[i].epoll,
			(unsigned long long)(uintptr_t)shapers[i].words);
	printf("]}\n");
	fflush(stdout);
	for (;;)
		pause();
}
