// SPDX-License-Identifier: Apache-2.0
/*
 * Scheduler clock: how long ago something was by the clock that /proc/PID/sched is in.
 *
 * se.exec_start is of the clock of the CPU that the thread ran on (kernel/sched/core.c,
 * update_rq_clock_task()), which leaves out the time that interrupts and the hypervisor took. So
 * each CPU's differs from the others by tens of milliseconds and more, and nothing shows it but a
 * thread that runs there: one of ours goes there for a moment, once for each CPU that is asked
 * for. What those took while a thread was blocked is missing from what is told of it.
 */
#pragma once

#include <stdint.h>

#include "util/guard.h"

struct scheduler_clock;

/* A clock that knows nothing yet; @guard is borrowed. Ended with scheduler_clock_destroy(). */
struct scheduler_clock *scheduler_clock_create(struct guard *guard);
void scheduler_clock_destroy(struct scheduler_clock *clock);

/*
 * How many ns ago the scheduler's clock of @cpu showed @time_ns; -1: this kernel does not tell,
 * or that CPU had no time for us; another's clock can be off by seconds. It is taken all the same
 * for a CPU that one may not go to.
 */
int64_t scheduler_clock_since(struct scheduler_clock *clock, int cpu, int64_t time_ns);
