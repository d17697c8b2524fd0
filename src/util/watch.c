// SPDX-License-Identifier: Apache-2.0
#include "util/watch.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/memory.h"
#include "util/thread_state.h"

#define TICK_NS (200 * NS_PER_MS)

/* So often the patience is renewed for a call that could run. */
#define RENEWALS 4

/* What the deadline is while there is none. */
enum { AT_REST = 0, GIVEN_UP = -1, ENDED = -2 };

struct watch {
	_Atomic int64_t deadline; /* CLOCK_MONOTONIC, of the call that is under way */
	_Atomic int64_t patience_ns;
	pid_t tid;                /* whose calls */
	void (*replace)(void *argument);
	void *argument;
};

/* Whether the call with this deadline is hopeless: it is late, and not for want of a CPU. */
static bool is_late(const struct watch *watch, int64_t deadline, int *renewals)
{
	int64_t late_ns = clock_ns(CLOCK_MONOTONIC) - deadline;

	if (late_ns < *renewals * atomic_load(&watch->patience_ns))
		return false;
	return (*renewals)++ == RENEWALS || !thread_can_run(watch->tid);
}

static void *look_after(void *argument)
{
	struct watch *watch = argument;
	int64_t deadline = AT_REST;
	int renewals = 0;

	for (;;) {
		nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
		int64_t now = atomic_load(&watch->deadline);

		if (now == ENDED)
			break;
		if (now != deadline)
			renewals = 0;
		deadline = now;
		if (deadline == AT_REST || !is_late(watch, deadline, &renewals))
			continue;
		if (atomic_compare_exchange_strong(&watch->deadline, &deadline, GIVEN_UP)) {
			watch->replace(watch->argument);
			return NULL;
		}
	}
	free(watch);
	return NULL;
}

/*
 * Starts the thread on this very CPU: it has nothing to do until we sleep, and to wake another CPU
 * for it, and again to end it, takes as long as some looks do. 0 or an errno value.
 */
static int start_here(const pthread_attr_t *attributes, struct watch *watch)
{
	cpu_set_t all, here;
	pthread_t thread;
	int cpu = sched_getcpu();
	bool pinned = false;

	if (cpu >= 0 && cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(all), &all) == 0) {
		CPU_ZERO(&here);
		CPU_SET(cpu, &here);
		pinned = sched_setaffinity(0, sizeof(here), &here) == 0;
	}
	int error = pthread_create(&thread, attributes, look_after, watch);
	if (pinned)
		sched_setaffinity(0, sizeof(all), &all);
	return error;
}

struct watch *watch_create(void (*replace)(void *argument), void *argument)
{
	struct watch *watch = allocate_zeroed(1, sizeof(*watch));
	pthread_attr_t attributes;
	sigset_t signals;

	*watch = (struct watch){.tid = gettid(), .replace = replace, .argument = argument};
	sigfillset(&signals);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setsigmask_np(&attributes, &signals);
	int error = start_here(&attributes, watch);
	pthread_attr_destroy(&attributes);
	if (error) {
		free(watch);
		return NULL;
	}
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (watch)
		atomic_store(&watch->deadline, ENDED);
}

void watch_call(
	struct watch *watch, void (*call)(void *argument), void *argument, int64_t patience_ns)
{
	int64_t deadline = clock_ns(CLOCK_MONOTONIC) + patience_ns;

	atomic_store(&watch->patience_ns, patience_ns);
	atomic_store(&watch->deadline, deadline);
	call(argument);
	while (!atomic_compare_exchange_strong(&watch->deadline, &deadline, AT_REST))
		pause();
}
