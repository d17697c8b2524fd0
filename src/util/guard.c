// SPDX-License-Identifier: Apache-2.0
#include "util/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/memory.h"
#include "util/thread_state.h"
#include "util/watch.h"

#define HELPER_STACK (256 * 1024)

/* Once it has waited so long in vain, a guard is less patient. */
#define GENEROSITY_NS (6 * NS_PER_SECOND)
#define SHORT_PATIENCE_NS (200 * NS_PER_MS)

/* So often the patience is renewed for a call that could run. */
#define RENEWALS 4

struct helper {
	pthread_mutex_t mutex;
	pthread_cond_t asked, answered;
	pid_t tid;            /* 0: not known yet */
	void (*call)(void *); /* NULL: nothing is asked */
	void (*forget)(void *);
	void *argument;
	bool ends;         /* when it has answered */
	bool is_forgotten; /* and nobody waits for the answer */
};

struct guard {
	struct watch *watch;   /* borrowed; NULL: none */
	struct helper *helper; /* NULL: the next call needs a new one */
	int64_t wasted_ns;
};

static void helper_destroy(struct helper *helper)
{
	pthread_cond_destroy(&helper->asked);
	pthread_cond_destroy(&helper->answered);
	pthread_mutex_destroy(&helper->mutex);
	free(helper);
}

static struct helper *helper_create(void)
{
	struct helper *helper = allocate_zeroed(1, sizeof(*helper));
	pthread_condattr_t attributes;

	pthread_mutex_init(&helper->mutex, NULL);
	pthread_cond_init(&helper->asked, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&helper->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	return helper;
}

/* The helper frees itself: the guard may have left it behind. */
static void *help(void *argument)
{
	struct helper *helper = argument;

	pthread_mutex_lock(&helper->mutex);
	helper->tid = gettid();
	for (;;) {
		while (!helper->call && !helper->ends)
			pthread_cond_wait(&helper->asked, &helper->mutex);
		if (helper->ends)
			break;
		pthread_mutex_unlock(&helper->mutex);
		helper->call(helper->argument);
		pthread_mutex_lock(&helper->mutex);
		helper->call = NULL;
		if (helper->is_forgotten)
			helper->forget(helper->argument);
		pthread_cond_signal(&helper->answered);
	}
	pthread_mutex_unlock(&helper->mutex);
	helper_destroy(helper);
	return NULL;
}

static struct error start_helper(struct guard *guard)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t signals;

	if (guard->helper)
		return NO_ERROR;
	struct helper *helper = helper_create();
	sigfillset(&signals);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, HELPER_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setsigmask_np(&attributes, &signals);
	int error = pthread_create(&thread, &attributes, help, helper);
	pthread_attr_destroy(&attributes);
	if (error) {
		helper_destroy(helper);
		return error_errno(error);
	}
	guard->helper = helper;
	return NO_ERROR;
}

struct guard *guard_create(struct watch *watch)
{
	struct guard *guard = allocate_zeroed(1, sizeof(*guard));

	guard->watch = watch;
	return guard;
}

void guard_forgive(struct guard *guard)
{
	guard->wasted_ns = 0;
}

/* Tells the helper, whose mutex is held, to end. */
static void dismiss(struct helper *helper)
{
	helper->ends = true;
	pthread_cond_signal(&helper->asked);
	pthread_mutex_unlock(&helper->mutex);
}

void guard_destroy(struct guard *guard)
{
	if (guard && guard->helper) {
		pthread_mutex_lock(&guard->helper->mutex);
		dismiss(guard->helper);
	}
	free(guard);
}

static struct timespec time_in(int64_t ns)
{
	int64_t time = clock_ns(CLOCK_MONOTONIC) + ns;

	return (struct timespec){time / NS_PER_SECOND, time % NS_PER_SECOND};
}

/* Whether the helper, whose mutex is held, has answered in time. */
static bool await_answer(struct helper *helper, int64_t patience_ns)
{
	struct timespec deadline = time_in(patience_ns);
	int renewals = 0;

	while (helper->call) {
		if (pthread_cond_timedwait(&helper->answered, &helper->mutex, &deadline) !=
				ETIMEDOUT ||
			!helper->call)
			continue;
		if (renewals++ == RENEWALS || (helper->tid && !thread_can_run(helper->tid)))
			return false;
		deadline = time_in(patience_ns);
	}
	return true;
}

struct error guard_call(struct guard *guard, void (*call)(void *argument),
	void (*forget)(void *argument), void *argument, int64_t patience_ns)
{
	if (guard && !guard->watch)
		return guard_call_apart(guard, call, forget, argument, patience_ns);
	if (guard)
		watch_call(guard->watch, call, argument, patience_ns);
	else
		call(argument);
	return NO_ERROR;
}

struct error guard_call_apart(struct guard *guard, void (*call)(void *argument),
	void (*forget)(void *argument), void *argument, int64_t patience_ns)
{
	struct error error = start_helper(guard);
	if (failed(error)) {
		forget(argument);
		return error;
	}
	struct helper *helper = guard->helper;
	if (guard->wasted_ns > GENEROSITY_NS && patience_ns > SHORT_PATIENCE_NS)
		patience_ns = SHORT_PATIENCE_NS;
	pthread_mutex_lock(&helper->mutex);
	helper->call = call;
	helper->forget = forget;
	helper->argument = argument;
	pthread_cond_signal(&helper->asked);
	int64_t begin = clock_ns(CLOCK_MONOTONIC);
	if (await_answer(helper, patience_ns)) {
		pthread_mutex_unlock(&helper->mutex);
		return NO_ERROR;
	}
	guard->wasted_ns += clock_ns(CLOCK_MONOTONIC) - begin;
	guard->helper = NULL;
	helper->is_forgotten = true;
	dismiss(helper);
	return (struct error){"there was no answer in time", ETIMEDOUT};
}
