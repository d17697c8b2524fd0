// SPDX-License-Identifier: Apache-2.0
/* Sleeping, and not sleeping at all. */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

static const struct timespec hour = {3599, 250000000};

static void run_nanosleep(struct facts *facts, const char *argument)
{
	(void)argument;
	struct timespec left;
	ready(facts, SYS_nanosleep);
	must(syscall(SYS_nanosleep, &hour, &left), "nanosleep");
}

/* Where it does not matter which clock: glibc's nanosleep() is this call. */
static void run_clock_nanosleep(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, SYS_clock_nanosleep);
	must(-clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL), "clock_nanosleep");
}

static void run_clock_nanosleep_absolute(struct facts *facts, const char *argument)
{
	(void)argument;
	struct timespec until;
	must(clock_gettime(CLOCK_REALTIME, &until), "clock_gettime");
	until.tv_sec += 3599;
	fact_number(facts, "until", until.tv_sec);
	ready(facts, SYS_clock_nanosleep);
	must(-clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), "clock_nanosleep");
}

/* A stop and its end interrupt a relative sleep; the kernel goes on with it by this call. */
static void run_restart_syscall(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t sleeper = getpid();
	if (!fork_companion()) {
		await_syscall(sleeper, SYS_clock_nanosleep);
		must(kill(sleeper, SIGSTOP), "kill");
		await_state(sleeper, 'T');
		must(kill(sleeper, SIGCONT), "kill");
		_exit(EXIT_SUCCESS);
	}
	ready(facts, SYS_restart_syscall);
	must(-clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL), "clock_nanosleep");
}

static volatile unsigned long turns;

static void run_running(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, -1);
	for (;;)
		turns++;
}

/* Nearly always in the vDSO, whose code is in no file. */
static void run_running_vdso(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, -1);
	for (;;) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		turns += now.tv_nsec;
	}
}

const struct situation sleep_situations[] = {
	{"nanosleep", run_nanosleep},
	{"clock_nanosleep", run_clock_nanosleep},
	{"clock_nanosleep-absolute", run_clock_nanosleep_absolute},
	{"restart_syscall", run_restart_syscall},
	{"running", run_running},
	{"running-vdso", run_running_vdso},
	{0},
};
