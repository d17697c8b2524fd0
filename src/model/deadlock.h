// SPDX-License-Identifier: Apache-2.0
/* Deadlock: tasks that wait for each other, so that none of them ever goes on. By explain/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct goroutine;
struct process;
struct thread;

struct deadlock_member {
	const struct process *process;
	const struct thread *thread; /* NULL: it is a goroutine */
	const struct goroutine *goroutine;
	const char *text; /* "waits for mutex 0x…, held by thread 44"; escaped */
};

struct deadlock {
	struct deadlock_member *members; /* each waits for the one after it, the last for the first,
					    where is_ring; else by rising id */
	size_t count;
	bool is_ring;
	bool certain;  /* each owns what another waits for; false: only a signal, or somebody who
			  could not be known of, can help */
	bool guessed;  /* who holds what is recorded nowhere, and most likely so */
	size_t behind; /* how many more wait for them */
};
