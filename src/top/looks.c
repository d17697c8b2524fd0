// SPDX-License-Identifier: Apache-2.0
#include "top/looks.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/repeat.h"
#include "util/clock.h"
#include "util/memory.h"

/* How long the end waits for a look that is under way. */
#define STOP_PATIENCE_NS (300 * NS_PER_MS)

struct looks {
	const struct options *options;
	pthread_t thread;
	int descriptor;        /* eventfd */
	pthread_mutex_t mutex; /* over what follows */
	pthread_cond_t changed;
	const struct look *ready; /* NULL: none, or it was taken */
	int64_t interval_ns;
	bool hurry, stops;
};

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ns / NS_PER_SECOND, ns % NS_PER_SECOND};
}

/* Waits until the next look is due, @begun having been when the last one was. */
static void wait_for_turn(struct looks *looks, int64_t begun)
{
	int64_t took = clock_ns(CLOCK_MONOTONIC) - begun;

	while (looks->ready && !looks->stops)
		pthread_cond_wait(&looks->changed, &looks->mutex);
	while (!looks->stops && !looks->hurry) {
		/* where looks take long, half of the time is left to others */
		int64_t pause = looks->interval_ns < 2 * took ? 2 * took : looks->interval_ns;
		struct timespec due = timespec_of(begun + pause);

		if (clock_ns(CLOCK_MONOTONIC) >= begun + pause)
			break;
		pthread_cond_timedwait(&looks->changed, &looks->mutex, &due);
	}
	looks->hurry = false;
}

static void *look_on(void *argument)
{
	struct looks *looks = argument;
	struct repeat *repeat = repeat_create(looks->options);
	bool stops = false;

	while (!stops) {
		int64_t begun = clock_ns(CLOCK_MONOTONIC);
		const struct look *look = repeat_next(repeat);

		pthread_mutex_lock(&looks->mutex);
		looks->ready = look;
		eventfd_write(looks->descriptor, 1);
		wait_for_turn(looks, begun);
		stops = looks->stops;
		pthread_mutex_unlock(&looks->mutex);
	}
	repeat_destroy(repeat);
	return NULL;
}

static void destroy(struct looks *looks)
{
	if (looks->descriptor >= 0)
		close(looks->descriptor);
	pthread_cond_destroy(&looks->changed);
	pthread_mutex_destroy(&looks->mutex);
	free(looks);
}

struct looks *looks_start(const struct options *options, int64_t interval_ns)
{
	struct looks *looks = allocate_zeroed(1, sizeof(*looks));
	pthread_condattr_t attributes;

	looks->options = options;
	looks->interval_ns = interval_ns;
	looks->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&looks->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&looks->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (looks->descriptor >= 0 && pthread_create(&looks->thread, NULL, look_on, looks) == 0)
		return looks;
	destroy(looks);
	return NULL;
}

int looks_descriptor(const struct looks *looks)
{
	return looks->descriptor;
}

const struct look *looks_take(struct looks *looks)
{
	const struct look *look;
	eventfd_t count;

	eventfd_read(looks->descriptor, &count);
	pthread_mutex_lock(&looks->mutex);
	look = looks->ready;
	looks->ready = NULL;
	pthread_cond_signal(&looks->changed);
	pthread_mutex_unlock(&looks->mutex);
	return look;
}

void looks_set_interval(struct looks *looks, int64_t interval_ns)
{
	pthread_mutex_lock(&looks->mutex);
	looks->interval_ns = interval_ns;
	pthread_cond_signal(&looks->changed);
	pthread_mutex_unlock(&looks->mutex);
}

void looks_hurry(struct looks *looks)
{
	pthread_mutex_lock(&looks->mutex);
	looks->hurry = true;
	pthread_cond_signal(&looks->changed);
	pthread_mutex_unlock(&looks->mutex);
}

bool looks_stop(struct looks *looks)
{
	struct timespec until = timespec_of(clock_ns(CLOCK_REALTIME) + STOP_PATIENCE_NS);

	if (!looks)
		return true;
	pthread_mutex_lock(&looks->mutex);
	looks->stops = true;
	pthread_cond_signal(&looks->changed);
	pthread_mutex_unlock(&looks->mutex);
	if (pthread_timedjoin_np(looks->thread, NULL, &until) != 0)
		return false;
	destroy(looks);
	return true;
}
