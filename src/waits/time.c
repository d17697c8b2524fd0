// SPDX-License-Identifier: Apache-2.0
/* Time: sleeps, and what is left of a call's timeout. */
#include <linux/futex.h>

#include "waits/kinds.h"

#define YEARS_100 (100 * 365 * 86400LL * NS_PER_SECOND)

/* Whether our own reading of the clock is the target's: not of clocks of CPU time. */
static bool is_shared_clock(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
	case CLOCK_TAI:
		return true;
	default:
		return false;
	}
}

bool time_left_until(struct waiting *waiting, uint64_t address, clockid_t clock, int64_t *left)
{
	int64_t end;

	if (!is_shared_clock(clock) || !read_timespec(waiting->process->memory, address, &end))
		return false;
	*left = end - waiting->waits->clock(clock);
	return true;
}

/* A futex's timeout is a moment, except for plain FUTEX_WAIT's (futex(2)). */
static bool futex_time_left(struct waiting *waiting, uint64_t address, int64_t *left, bool *moment)
{
	uint32_t operation = (uint32_t)call_value(waiting, "futex_op");
	clockid_t clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;

	*moment = true;
	switch (operation & (uint32_t)FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
		return time_left_until(waiting, address, CLOCK_REALTIME, left);
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI2:
		return time_left_until(waiting, address, clock, left);
	case FUTEX_WAIT:
		*moment = false;
		return read_timespec(waiting->process->memory, address, left);
	default:
		return false;
	}
}

/* What the parameter allows in all, or, where it is a moment, what is left until then. */
static bool parameter_time(struct waiting *waiting, const struct parameter *parameter,
	uint64_t value, int64_t *time, bool *moment)
{
	const struct memory *memory = waiting->process->memory;

	*moment = false;
	if (parameter->type == &argument_milliseconds) {
		*time = (int)value * NS_PER_MS;
		return (int)value >= 0;
	}
	if (parameter->type == &argument_timespec)
		return value && read_timespec(memory, value, time);
	if (parameter->type == &argument_timeval)
		return value && read_timeval(memory, value, time);
	if (parameter->type == &argument_futex_timeout)
		return value && futex_time_left(waiting, value, time, moment);
	if (parameter->type == &argument_moment) {
		*moment = true;
		return value && time_left_until(waiting, value,
					(clockid_t)call_value(waiting, "clockid"), time);
	}
	return false;
}

bool time_left(struct waiting *waiting, int64_t *left)
{
	const struct call *call = waiting->call;
	bool moment;

	for (size_t i = 0; call->row && i < SYSCALL_ARGUMENTS; i++) {
		const struct parameter *parameter = &call->row->parameters[i];

		if (!parameter->name)
			break;
		if (!parameter_time(waiting, parameter, call->arguments[i], left, &moment))
			continue;
		if (!moment && waiting->thread->blocked_ns > 0)
			*left -= waiting->thread->blocked_ns;
		return true;
	}
	return false;
}

/*
 * At most: a call that was woken for nothing and went on waiting has waited for longer
 * than since its thread last ran.
 */
void say_timeout(struct waiting *waiting)
{
	int64_t left;

	if (!time_left(waiting, &left) || left >= YEARS_100)
		return;
	say(waiting, ", at most ");
	text_append_duration(&waiting->sentence, left);
	say(waiting, " more");
}

/* The local time @left from now, with the date when that is not today. */
static void append_moment(struct text *text, int64_t now, int64_t left)
{
	char buffer[sizeof("2026-11-24 14:03:22") + 32] = "";
	time_t now_seconds = now / NS_PER_SECOND;
	time_t end_seconds = (now + left) / NS_PER_SECOND;
	struct tm today, end;

	if (!localtime_r(&now_seconds, &today) || !localtime_r(&end_seconds, &end))
		return;
	bool same_day = today.tm_year == end.tm_year && today.tm_yday == end.tm_yday;
	strftime(buffer, sizeof(buffer), same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &end);
	text_append(text, " until ");
	text_append(text, buffer);
}

void wait_append_sleep(struct text *sentence, int64_t now_ns, int64_t left_ns, bool at_most)
{
	if (left_ns >= YEARS_100) {
		text_append(sentence, "sleeps without end");
		return;
	}
	text_append(sentence, "sleeps");
	append_moment(sentence, now_ns, left_ns);
	text_append(sentence, at_most ? " at the latest, at most " : ", ");
	text_append_duration(sentence, left_ns);
	text_append(sentence, " left");
}

static void say_sleep(struct waiting *waiting, int64_t left, bool at_most)
{
	wait_append_sleep(&waiting->sentence, waiting->waits->clock(CLOCK_REALTIME), left, at_most);
}

/*
 * What remains of a relative sleep. When it is interrupted (a stop by ptrace does that too) the
 * kernel writes what remains to the second address, if there is one, and the sleep goes on
 * from there as restart_syscall (kernel/time/hrtimer.c, nanosleep_copyout()). So what stands
 * there is of the moment when the thread was last interrupted: by us, if we stopped it, else
 * when it fell asleep again.
 */
static bool sleep_left(
	struct waiting *waiting, uint64_t request, uint64_t remaining, int64_t *left, bool *at_most)
{
	const struct thread *thread = waiting->thread;
	bool stopped = thread->stopped_ns > 0;
	bool written = remaining && (stopped || waiting->call->resumed);

	*at_most = !written && waiting->call->resumed;
	if (!read_timespec(waiting->process->memory, written ? remaining : request, left))
		return false;
	if (written && stopped)
		return true;
	if (thread->blocked_ns < 0)
		*at_most = true;
	else
		*left -= thread->blocked_ns;
	return true;
}

static bool explain_sleep(struct waiting *waiting)
{
	const uint64_t *arguments = waiting->call->arguments;
	bool has_clock = call_parameter(waiting->call, "clockid") >= 0;
	clockid_t clock = has_clock ? (clockid_t)arguments[0] : CLOCK_REALTIME;
	uint64_t request = arguments[has_clock ? 2 : 0];
	uint64_t remaining = arguments[has_clock ? 3 : 1];
	bool at_most = false, known;
	int64_t left;

	if (!is_shared_clock(clock)) {
		say(waiting, "sleeps until a clock of CPU time has advanced");
		return true;
	}
	if (has_clock && (arguments[1] & TIMER_ABSTIME))
		known = time_left_until(waiting, request, clock, &left);
	else
		known = sleep_left(waiting, request, remaining, &left, &at_most);
	if (known)
		say_sleep(waiting, left, at_most);
	else
		say(waiting, "sleeps");
	return true;
}

/* poll() and select() of nothing. */
static bool explain_empty(struct waiting *waiting)
{
	int64_t left;

	if (time_left(waiting, &left))
		say_sleep(waiting, left, true);
	else
		say(waiting, "waits for a signal");
	return true;
}

static bool explain_empty_poll(struct waiting *waiting)
{
	return (uint32_t)call_value(waiting, "nfds") == 0 && explain_empty(waiting);
}

static bool explain_empty_select(struct waiting *waiting)
{
	bool sets = call_value(waiting, "readfds") || call_value(waiting, "writefds") ||
		    call_value(waiting, "exceptfds");

	if (sets && (int)call_value(waiting, "nfds") > 0)
		return false;
	return explain_empty(waiting);
}

static const struct wait_kind rows[] = {
	{"sleep", true, CALL_SLEEP, explain_sleep},
	{"sleep", true, CALL_POLL, explain_empty_poll},
	{"sleep", true, CALL_SELECT, explain_empty_select},
};

const struct wait_kinds waits_for_time = KINDS(rows);
