// SPDX-License-Identifier: Apache-2.0
/* Arguments that are times. */
#include <poll.h>
#include <sys/time.h>

#include "syscalls/argument.h"
#include "util/clock.h"
#include "util/memory.h"

/*
 * As the kernel takes a time (include/linux/time64.h, timespec64_valid() and
 * timespec64_to_ktime()): what is past the range is the end of it.
 */
static bool to_nanoseconds(int64_t seconds, int64_t part, int64_t unit, int64_t *ns)
{
	if (seconds < 0 || part < 0 || part >= NS_PER_SECOND / unit)
		return false;
	if (__builtin_mul_overflow(seconds, NS_PER_SECOND, ns) ||
		__builtin_add_overflow(*ns, part * unit, ns))
		*ns = INT64_MAX;
	return true;
}

bool read_timespec(const struct memory *memory, uint64_t address, int64_t *ns)
{
	struct timespec time;

	return memory_read(memory, address, &time, sizeof(time)) &&
	       to_nanoseconds(time.tv_sec, time.tv_nsec, 1, ns);
}

bool read_timeval(const struct memory *memory, uint64_t address, int64_t *ns)
{
	struct timeval time;

	return memory_read(memory, address, &time, sizeof(time)) &&
	       to_nanoseconds(time.tv_sec, time.tv_usec, 1000, ns);
}

/* A time of a pair of numbers, as a duration; what is none as its numbers. */
static bool append_time(const struct argument *argument, struct text *text, const char *part,
	int64_t unit, const char *after)
{
	int64_t pair[2], ns;

	if (!argument->value) {
		text_append(text, "NULL");
		return true;
	}
	if (!memory_read(argument->process->memory, argument->value, pair, sizeof(pair)))
		return false;
	if (to_nanoseconds(pair[0], pair[1], unit, &ns)) {
		text_append(text, "{");
		text_append_duration(text, ns);
		text_append_format(text, "%s}", after);
	} else {
		text_append_format(text, "{tv_sec=%lld, %s=%lld}", (long long)pair[0], part,
			(long long)pair[1]);
	}
	return true;
}

/* A moment of a clock, as its seconds. */
static bool append_moment(const struct argument *argument, struct text *text)
{
	struct timespec time;

	if (!argument->value ||
		!memory_read(argument->process->memory, argument->value, &time, sizeof(time)))
		return append_time(argument, text, "tv_nsec", 1, "");
	text_append_format(
		text, "{at %lld.%09lld}", (long long)time.tv_sec, (long long)time.tv_nsec);
	return true;
}

static bool append_timespec(const struct argument *argument, struct text *text)
{
	return append_time(argument, text, "tv_nsec", 1, "");
}

static bool append_timeval(const struct argument *argument, struct text *text)
{
	return append_time(argument, text, "tv_usec", 1000, "");
}

/*
 * What a sleep asked for. It is followed by where the kernel writes what remains when the sleep
 * is interrupted, and glibc's sleep() passes one place for both: what stands there then is
 * no longer what was asked for (kernel/time/hrtimer.c, nanosleep_copyout()).
 */
static bool append_sleep_request(const struct argument *argument, struct text *text)
{
	bool interrupted = argument->resumed || argument->thread->stopped_ns;
	bool overwritten = interrupted && argument->value == argument->all[argument->index + 1];

	if (argument->index == 2 && (argument->all[1] & TIMER_ABSTIME))
		return append_moment(argument, text);
	return append_time(argument, text, "tv_nsec", 1, overwritten ? " left" : "");
}

static bool append_milliseconds(const struct argument *argument, struct text *text)
{
	if ((int)argument->value <= 0)
		return false;
	text_append_format(text, "%d ms", (int)argument->value);
	return true;
}

static bool append_clock(const struct argument *argument, struct text *text)
{
	static const struct name items[] = {
		NAME(CLOCK_REALTIME),
		NAME(CLOCK_MONOTONIC),
		NAME(CLOCK_PROCESS_CPUTIME_ID),
		NAME(CLOCK_THREAD_CPUTIME_ID),
		NAME(CLOCK_MONOTONIC_RAW),
		NAME(CLOCK_REALTIME_COARSE),
		NAME(CLOCK_MONOTONIC_COARSE),
		NAME(CLOCK_BOOTTIME),
		NAME(CLOCK_REALTIME_ALARM),
		NAME(CLOCK_BOOTTIME_ALARM),
		NAME(CLOCK_TAI),
	};
	static const struct names clocks = NAMES(items);
	const char *name = name_of((uint64_t)(int)argument->value, &clocks);

	if (name)
		text_append(text, name);
	return name;
}

const struct argument_type argument_timespec = {BARE_HEXADECIMAL, append_timespec};
const struct argument_type argument_moment = {BARE_HEXADECIMAL, append_moment};
const struct argument_type argument_timeval = {BARE_HEXADECIMAL, append_timeval};
const struct argument_type argument_milliseconds = {BARE_SIGNED, append_milliseconds};
const struct argument_type argument_clock = {BARE_SIGNED, append_clock};
const struct argument_type argument_sleep_request = {BARE_HEXADECIMAL, append_sleep_request};
