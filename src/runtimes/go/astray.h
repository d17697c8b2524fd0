// SPDX-License-Identifier: Apache-2.0
/*
 * Astray: goroutines that run, whose threads were elsewhere when they were looked at: between the
 * two looks the scheduler gave them to another thread, or took them off theirs. Their threads
 * are looked at again.
 */
#pragma once

#include "runtimes/go/go.h"

/* The threads that such goroutines are with at this moment, in @threads: their number. */
size_t go_astray_threads(struct go_process *go, struct thread **threads, size_t max);

/* Joins those goroutines with the threads that were on their stacks when they were looked at
 * again. */
void go_astray_join(struct go_process *go);
