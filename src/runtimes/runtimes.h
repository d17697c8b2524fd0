// SPDX-License-Identifier: Apache-2.0
/*
 * Runtimes: what language runtimes do to native stacks that no unwind information tells. Nothing
 * outside of this folder knows a runtime by name.
 *
 * To add one: fill in a struct runtime in a file of its own and name it in the table of
 * runtimes.c.
 */
#pragma once

#include "elf/modules.h"
#include "model/process.h"

enum runtime_verdict {
	RUNTIME_GO_ON,         /* an ordinary function */
	RUNTIME_OUTERMOST,     /* what lies beyond its frame is no caller: the stack is complete */
	RUNTIME_SWITCHES_STACK /* its caller is on another stack, which can't be followed */
};

struct runtime {
	const char *name;

	/*
	 * What it knows of the process's code: heap memory that end() gives back. NULL: the process
	 * is not written in it. Sets process->runtime to its version. Of a process that is not as
	 * little as can be is read: most are not.
	 */
	struct code *(*begin)(
		struct process *process, struct modules *modules, struct arena *arena);

	/*
	 * The same of the libraries that its threads' stacks have led to, which are opened by then.
	 */
	struct code *(*begin_in_library)(
		struct process *process, struct modules *modules, struct arena *arena);

	/*
	 * Fills in the process's goroutines, with stacks of at most @max_frames addresses, once its
	 * threads' stacks have their names.
	 */
	void (*list_tasks)(struct code *code, size_t max_frames);

	/*
	 * The threads that, by now, run tasks whose stacks were on no thread when the threads were
	 * looked at, at most @max; false: there are no such tasks. And what is done once they were
	 * looked at again.
	 */
	bool (*astray)(struct code *code, struct thread **threads, size_t max, size_t *count);
	void (*join_again)(struct code *code);
	void (*end)(struct code *code);

	/* What the frame of the function with this symbol means, where there is no such code. */
	enum runtime_verdict (*judge)(const char *symbol);
	const char *elsewhere; /* where a stack goes on after RUNTIME_SWITCHES_STACK */
};

extern const struct runtime runtime_go;

/*
 * Finds the process's runtime, if it has one: process->runtime, and process->code, by which its
 * stacks are unwound and named. The caller ends it with runtimes_end().
 */
void runtimes_begin(struct process *process, struct modules *modules, struct arena *arena);

/*
 * The same of what is in the libraries that its stacks have led to. true: there is a runtime now,
 * so that the stacks have to be unwound again.
 */
bool runtimes_begin_in_library(
	struct process *process, struct modules *modules, struct arena *arena);

/* The tasks that the runtime schedules by itself: process->goroutines. */
void runtimes_list_tasks(struct process *process, size_t max_frames);

/*
 * The threads, in @threads, to look at again since they run tasks now whose stacks were not found,
 * and their number; false: no such tasks are left. Once that is done, and their stacks have their
 * names, runtimes_join_again() gives the tasks their stacks.
 */
bool runtimes_astray(struct process *process, struct thread **threads, size_t max, size_t *count);
void runtimes_join_again(struct process *process);

/* Frees what runtimes_begin() made, but for what is in the arena; process->code is NULL then. */
void runtimes_end(struct process *process);

/*
 * Cuts off what the unwinder took for frames beyond a function that ends or leaves its stack:
 * what it finds there is left over from other calls. Of process->user_stacks, each once.
 */
void runtimes_end_stacks(struct process *process);
