// SPDX-License-Identifier: Apache-2.0
#include "collect/scheduler_clock.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/proc.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define MAX_CPUS 8192 /* the most that NR_CPUS can be: arch/x86/Kconfig */
#define ATTEMPTS 3
#define QUICK_NS NS_PER_MS

/* A CPU that is busy lets us wait; all of them together no longer than this. */
#define PATIENCE_NS (20 * NS_PER_MS)
#define PATIENCE_IN_ALL_NS (50 * NS_PER_MS)

struct cpu_mask {
	_Alignas(cpu_set_t) unsigned char bits[MAX_CPUS / 8];
};

/* The clock less CLOCK_MONOTONIC. */
struct offset {
	bool sought, known;
	int64_t ns;
};

struct scheduler_clock {
	struct guard *guard;
	struct offset anywhere;
	struct offset *offsets; /* heap, by CPU */
	size_t count;
	struct cpu_mask
		mask; /* where we may go: isolated CPUs, which are left in peace, are not in it */
	int64_t spent_ns;
};

/* One reading under guard. */
struct calibration {
	atomic_int owners; /* the guard, and who asked */
	int cpu;           /* -1: any */
	struct cpu_mask mask;
	atomic_int tid;
	struct offset offset;
};

struct scheduler_clock *scheduler_clock_create(struct guard *guard)
{
	struct scheduler_clock *clock = allocate_zeroed(1, sizeof(*clock));

	clock->guard = guard;
	if (sched_getaffinity(0, sizeof(clock->mask), (cpu_set_t *)&clock->mask) < 0)
		clock->mask = (struct cpu_mask){0};
	return clock;
}

void scheduler_clock_destroy(struct scheduler_clock *clock)
{
	free(clock->offsets);
	free(clock);
}

static bool in_mask(const struct cpu_mask *mask, int cpu)
{
	return CPU_ISSET_S((size_t)cpu, sizeof(*mask), (const cpu_set_t *)mask);
}

/* false: the reading was disturbed. */
static bool read_clock(struct offset *offset)
{
	/* The way through thread-self is twice as long. */
	const char *path = gettid() == getpid() ? "/proc/self/sched" : "/proc/thread-self/sched";
	struct text text cleanup_text = {0};
	int64_t exec_start_ns, begin = clock_ns(CLOCK_MONOTONIC);

	/* Asking for one's own CPU time charges one for it until now: kernel/sched/core.c,
	 * task_sched_runtime(). Yielding would too, but a busy CPU takes a slice of time for it. */
	clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	*offset = (struct offset){.sought = true};
	if (failed(file_read_record(AT_FDCWD, path, 16384, &text)) || !text.length ||
		!proc_parse_exec_start(text.bytes, text.length, &exec_start_ns))
		return true;
	offset->known = true;
	offset->ns = exec_start_ns - now;
	return clock_ns(CLOCK_MONOTONIC) - begin < QUICK_NS;
}

static void calibrate_there(struct calibration *calibration)
{
	struct cpu_mask one = {0};

	if (calibration->cpu >= 0) {
		CPU_SET_S((size_t)calibration->cpu, sizeof(one), (cpu_set_t *)&one);
		if (sched_setaffinity(0, sizeof(one), (cpu_set_t *)&one) < 0)
			return;
	}
	for (int attempt = 0; attempt < ATTEMPTS && !read_clock(&calibration->offset); attempt++)
		;
	if (calibration->cpu >= 0)
		sched_setaffinity(0, sizeof(calibration->mask), (cpu_set_t *)&calibration->mask);
}

static void calibrate(void *argument)
{
	static const struct sched_param ahead = {.sched_priority = 1};
	struct calibration *calibration = argument;
	struct sched_param usual = {0};

	atomic_store(&calibration->tid, gettid());
	calibration->offset.sought = true;
	if (calibration->cpu >= 0 && sched_getcpu() == calibration->cpu &&
		read_clock(&calibration->offset) && sched_getcpu() == calibration->cpu)
		return; /* without having gone anywhere */
	int policy = sched_getscheduler(0);
	/* It takes a tenth of a millisecond there, and a busy CPU's line takes tens of them: ahead
	 * of it, where that is allowed (CAP_SYS_NICE). */
	bool is_ahead = policy >= 0 && sched_getparam(0, &usual) == 0 &&
			sched_setscheduler(0, SCHED_FIFO, &ahead) == 0;
	calibrate_there(calibration);
	if (is_ahead)
		sched_setscheduler(0, policy, &usual);
}

static void drop(void *argument)
{
	struct calibration *calibration = argument;

	if (atomic_fetch_sub(&calibration->owners, 1) == 1)
		free(calibration);
}

static struct offset measure(struct scheduler_clock *clock, int cpu)
{
	struct calibration *calibration = allocate_zeroed(1, sizeof(*calibration));
	int64_t begin = clock_ns(CLOCK_MONOTONIC);

	atomic_init(&calibration->owners, 2);
	calibration->cpu = cpu;
	calibration->mask = clock->mask;
	struct error error = guard_call(clock->guard, calibrate, drop, calibration, PATIENCE_NS);
	clock->spent_ns += clock_ns(CLOCK_MONOTONIC) - begin;
	if (failed(error)) {
		/* It stands in line there, perhaps for ever: away with it, that it can end. */
		pid_t tid = atomic_load(&calibration->tid);
		if (tid && tgkill(getpid(), tid, 0) == 0)
			sched_setaffinity(tid, sizeof(clock->mask), (cpu_set_t *)&clock->mask);
		drop(calibration);
		return (struct offset){.sought = true};
	}
	struct offset offset = calibration->offset;
	free(calibration);
	return offset;
}

static const struct offset *offset_of(struct scheduler_clock *clock, int cpu)
{
	if (cpu >= 0 && cpu < MAX_CPUS && in_mask(&clock->mask, cpu)) {
		if ((size_t)cpu >= clock->count) {
			size_t count = (size_t)cpu + 1;

			clock->offsets = reallocate(clock->offsets, count, sizeof(struct offset));
			memset(clock->offsets + clock->count, 0,
				(count - clock->count) * sizeof(struct offset));
			clock->count = count;
		}
		struct offset *offset = &clock->offsets[cpu];
		if (!offset->sought && clock->spent_ns < PATIENCE_IN_ALL_NS)
			*offset = measure(clock, cpu);
		return offset;
	}
	if (!clock->anywhere.sought)
		clock->anywhere = measure(clock, -1);
	return &clock->anywhere;
}

int64_t scheduler_clock_since(struct scheduler_clock *clock, int cpu, int64_t time_ns)
{
	const struct offset *offset = offset_of(clock, cpu);

	if (!offset->known)
		return -1;
	int64_t since = clock_ns(CLOCK_MONOTONIC) + offset->ns - time_ns;
	return since > 0 ? since : 0;
}
