// SPDX-License-Identifier: Apache-2.0
/*
 * Processors: the runtime's struct p, of which a thread must have one to run goroutines or timers,
 * and which have the timers (src/runtime/runtime2.go, allp).
 */
#pragma once

#include "runtimes/go/go.h"

/*
 * Why the processors are not known to be at rest, all without a thread and without a timer to fire,
 * in words, static; NULL: they are.
 */
const char *go_processors_busy(const struct go_process *go);
