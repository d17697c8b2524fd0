// SPDX-License-Identifier: Apache-2.0
/* Goroutine: a task that a language's runtime schedules by itself on the process's threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/gap.h"
#include "model/stack.h"
#include "model/wait.h"

/*
 * There may be a million of them: what several have alike (stacks, frames, waits, words) they
 * share.
 */
struct goroutine {
	uint64_t id;
	const char *status;      /* the runtime's word: "waiting", "runnable", "syscall". Static */
	const char *wait_reason; /* the runtime's word: "IO wait"; NULL: none */
	int64_t wait_ns;         /* it has waited at least so long; -1: not known */
	pid_t tid;      /* the thread that runs it, or that it is in a call with; 0: none */
	bool locked;    /* to its thread, whether that runs it now or not */
	bool is_system; /* the runtime's own */
	bool uncertain; /* read with the layout of another version of the runtime */
	struct user_stack *stack;    /* its thread's where it runs; in a call out of Go from there
					on, as the runtime has it; NULL: not had, see gaps */
	const struct frame *start;   /* the function it began with; NULL: not known */
	const struct frame *creator; /* the statement that started it; NULL: not known, or none */
	uint64_t creator_id;         /* the goroutine that did; 0: not known */
	struct wait *wait;           /* NULL: not known */
	struct gaps gaps;
};
