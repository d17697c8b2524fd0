// SPDX-License-Identifier: Apache-2.0
/*
 * storm threads|forks|execs FILE [RATE]: a process of which nothing stays as it is. Counts in the
 * first eight bytes of FILE what it has done, and goes on until it is killed.
 *
 *	threads   starts threads, RATE in a second, which sleep for a moment and end
 *	forks     starts children, which end, or execute another program that ends
 *	execs     starts threads and executes itself from one of them, again and again
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)
#define STARTERS 2
#define CHILDREN 8
#define NOINLINE __attribute__((noinline, noclone))

static char **arguments;
static _Atomic unsigned long long *done;
static atomic_int alive;

static void sleep_us(long us)
{
	struct timespec rest = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&rest, NULL);
}

static unsigned draw(unsigned limit)
{
	static _Thread_local unsigned seed;

	if (!seed)
		seed = (unsigned)gettid() * 2654435761U | 1;
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % limit;
}

static NOINLINE void live_for_a_moment(unsigned depth)
{
	volatile char frame[64];

	frame[0] = (char)depth;
	if (depth)
		live_for_a_moment(depth - 1);
	else if (draw(4))
		sleep_us(draw(20000));
	frame[1] = frame[0];
}

static void *live(void *unused)
{
	live_for_a_moment(draw(20));
	alive--;
	return unused;
}

static void start_thread(void *(*function)(void *), bool counted)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	alive += counted;
	while (pthread_create(&thread, &attributes, function, NULL))
		nanosleep(&moment, NULL);
	pthread_attr_destroy(&attributes);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void *start_threads(void *unused)
{
	int64_t rate = atoi(arguments[3]) / STARTERS, begin = now_us();

	(void)unused;
	for (int64_t count = 0;; count++) {
		int64_t early = begin + count * 1000000 / rate - now_us();

		if (early > 0)
			sleep_us(early);
		else if (early < -100000)
			begin -= early; /* what could not be done is not made up for */
		while (alive > 200)
			sleep_us(500);
		start_thread(live, true);
		++*done;
	}
	return NULL;
}

static void run_threads(void)
{
	for (int i = 1; i < STARTERS; i++)
		start_thread(start_threads, false);
	start_threads(NULL);
}

static void run_child(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	if (draw(2))
		start_thread(live, true);
	live_for_a_moment(draw(20));
	if (draw(2))
		execl("/proc/self/exe", arguments[0], "leaf", arguments[2], NULL);
	_exit(0);
}

static void run_forks(void)
{
	pid_t self = getpid();

	for (int children = 0;; children++) {
		pid_t child = fork();

		if (child == 0)
			run_child(self);
		if (child < 0)
			sleep_us(1000);
		while (children >= CHILDREN && wait(NULL) > 0)
			children--;
		++*done;
	}
}

static void run_leaf(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	start_thread(live, true);
	live_for_a_moment(draw(20));
}

static void *execute_again(void *unused)
{
	sleep_us(200 + draw(20000));
	++*done;
	execv("/proc/self/exe", arguments);
	err(1, "execv");
	return unused;
}

/* The thread that executes takes over the main thread's id: fs/exec.c, de_thread(). */
static void run_execs(void)
{
	for (int i = 0; i < 10; i++)
		start_thread(live, true);
	start_thread(execute_again, false);
	for (;;) {
		live_for_a_moment(draw(20));
		start_thread(live, true);
	}
}

int main(int argc, char **argv)
{
	arguments = argv;
	if (argc < 3)
		errx(2, "usage: storm threads|forks|execs FILE [RATE]");
	int fd = open(argv[2], O_RDWR | O_CLOEXEC);
	void *shared =
		fd < 0 ? MAP_FAILED
		       : mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		err(1, "%s", argv[2]);
	done = shared;
	if (strcmp(argv[1], "threads") == 0 && argc == 4)
		run_threads();
	else if (strcmp(argv[1], "forks") == 0)
		run_forks();
	else if (strcmp(argv[1], "execs") == 0)
		run_execs();
	else if (strcmp(argv[1], "leaf") == 0)
		run_leaf();
	return 0;
}
