// SPDX-License-Identifier: Apache-2.0
/* Futexes, sleeps and signals. */
#include <linux/futex.h>
#include <signal.h>
#include <time.h>

#include "syscalls/table.h"
#include "util/memory.h"

/* futex(2): what each operation looks at; the kernel ignores the rest. */
static size_t futex_used(const uint64_t *arguments)
{
	switch ((uint32_t)arguments[1] & (uint32_t)FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return 4;
	case FUTEX_WAKE:
		return 3;
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
		return 2;
	case FUTEX_REQUEUE:
	case FUTEX_WAIT_REQUEUE_PI:
		return 5;
	default:
		return 6;
	}
}

static const struct name timer_items[] = {NAME(TIMER_ABSTIME)};
static const struct names timer_flags = NAMES(timer_items);

static const struct name mask_items[] = {NAME(SIG_BLOCK), NAME(SIG_UNBLOCK), NAME(SIG_SETMASK)};
static const struct names mask_ways = NAMES(mask_items);

#define SIZE                                                                                       \
	{                                                                                          \
		"sigsetsize", &argument_size                                                       \
	}
#define FLAGS                                                                                      \
	{                                                                                          \
		"flags", &argument_hexadecimal                                                     \
	}

static const struct syscall_row rows[] = {
	{"futex", CALL_FUTEX,
		{{"uaddr", &argument_pointer}, {"futex_op", &argument_futex_operation},
			{"val", &argument_int}, {"timeout", &argument_futex_timeout},
			{"uaddr2", &argument_pointer}, {"val3", &argument_hexadecimal}},
		futex_used},
	{"futex_waitv", CALL_FUTEX,
		{{"waiters", &argument_futex_waitv}, {"nr_futexes", &argument_int}, FLAGS,
			{"timeout", &argument_moment}, {"clockid", &argument_clock}}},
	{"futex_wait", CALL_FUTEX,
		{{"uaddr", &argument_pointer}, {"val", &argument_long},
			{"mask", &argument_hexadecimal}, FLAGS, {"timeout", &argument_moment},
			{"clockid", &argument_clock}}},
	{"futex_wake", CALL_OTHER,
		{{"uaddr", &argument_pointer}, {"mask", &argument_hexadecimal},
			{"nr", &argument_int}, FLAGS}},
	{"nanosleep", CALL_SLEEP, {{"req", &argument_sleep_request}, {"rem", &argument_pointer}}},
	{"clock_nanosleep", CALL_SLEEP,
		{{"clockid", &argument_clock}, {"flags", &argument_flags, &timer_flags},
			{"request", &argument_sleep_request}, {"remain", &argument_pointer}}},
	{"pause", CALL_SIGNAL, {}},
	{"rt_sigsuspend", CALL_SIGNAL, {{"mask", &argument_sigset}, SIZE}},
	{"rt_sigtimedwait", CALL_SIGNAL,
		{{"set", &argument_sigset}, {"info", &argument_pointer},
			{"timeout", &argument_timespec}, SIZE}},
	{"rt_sigprocmask", CALL_OTHER,
		{{"how", &argument_choice, &mask_ways}, {"set", &argument_pointer},
			{"oldset", &argument_pointer}, SIZE}},
	{"rt_sigaction", CALL_OTHER,
		{{"signum", &argument_signal}, {"act", &argument_pointer},
			{"oldact", &argument_pointer}, SIZE}},
	{"sched_yield", CALL_OTHER, {}},
};

const struct syscall_family syscalls_synchronization = FAMILY(rows);
