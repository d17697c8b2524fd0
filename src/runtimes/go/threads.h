// SPDX-License-Identifier: Apache-2.0
/* Threads: which thread runs which goroutine, and what the others are there for. */
#pragma once

#include "runtimes/go/go.h"
#include "runtimes/go/goroutines.h"

struct go_threads {
	struct go_process *go;
	struct address_table machines; /* addresses of go->machines, by their number */
	struct address_table tids;     /* of the process's threads, by their number, as it
					  knows them itself */
	struct thread **sorted;        /* heap: those with a stack, by rising stack pointer */
	size_t sorted_count;
};

void go_threads_init(struct go_threads *threads, struct go_process *go);
void go_threads_deinit(struct go_threads *threads);

/*
 * Joins a goroutine that is with a thread: its tid, thread->goroutine, and where it runs the
 * thread's stack as its own.
 */
void go_join(struct go_threads *threads, const struct go_raw *raw, struct goroutine *goroutine);

/* The thread that a goroutine is with now, and that none was joined with; NULL: it is not to be
 * had. */
struct thread *go_free_thread(const struct go_threads *threads, uint64_t machine);

/*
 * Joins a running goroutine with the thread that was on its stack when it was looked at again;
 * false: none was.
 */
bool go_join_again(
	struct go_threads *threads, const struct go_raw *raw, struct goroutine *goroutine);

/* The roles of the threads that run no goroutine; once all goroutines have been joined. */
void go_thread_roles(struct go_threads *threads);
