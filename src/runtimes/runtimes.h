// SPDX-License-Identifier: Apache-2.0
/*
 * Runtimes: what language runtimes do to native stacks that no unwind information tells. Nothing
 * outside of this folder knows a runtime by name.
 *
 * To add one: fill in a struct runtime in a file of its own and name it in the table of
 * runtimes.c.
 */
#pragma once

#include "model/process.h"

enum runtime_verdict {
	RUNTIME_GO_ON,         /* an ordinary function */
	RUNTIME_OUTERMOST,     /* what lies beyond its frame is no caller: the stack is complete */
	RUNTIME_SWITCHES_STACK /* its caller is on another stack, which can't be followed */
};

struct runtime {
	const char *name;
	/* What the frame of the function with this symbol means. */
	enum runtime_verdict (*judge)(const char *symbol);
	const char *elsewhere; /* where a stack goes on after RUNTIME_SWITCHES_STACK */
};

extern const struct runtime runtime_go;

/*
 * Cuts off what the unwinder took for frames beyond a function that ends or leaves its stack:
 * what it finds there is left over from other calls. Of process->user_stacks, each once.
 */
void runtimes_end_stacks(struct process *process);
