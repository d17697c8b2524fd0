// SPDX-License-Identifier: Apache-2.0
/*
 * Heap memory whose exhaustion ends the program with one line and exit status 2.
 *
 * That is safe at any moment: threads that are being traced are released by the
 * kernel when their tracer ends (kernel/ptrace.c, exit_ptrace()), since
 * PTRACE_O_EXITKILL is never set.
 */
#pragma once

#include <stddef.h>

/*
 * Fits malloc() to a program that runs shortly and asks for much at once. Before the first other
 * call of it.
 */
void memory_prepare(void);

/* Says "whystuck: out of memory" on standard error and ends with status 2. */
_Noreturn void out_of_memory(void);

/*
 * Has out_of_memory() call @act first, which may do no more than a signal's handler: for who has
 * changed something that would outlive the program.
 */
void memory_at_exhaustion(void (*act)(void));

/*
 * Where the address space is limited (ulimit -v), makes a crash end in out_of_memory() as well:
 * libdw 0.188 goes on with what malloc() refused it. Without a limit crashes stay what they are.
 */
void memory_expect_exhaustion(void);

/* malloc(), calloc() and realloc() that never give NULL; free() with free(). */
void *allocate(size_t size);
void *allocate_zeroed(size_t count, size_t size);
void *reallocate(void *memory, size_t count, size_t size);

/* For declarations: char *line cleanup_free = NULL; */
void free_at(void *pointer);
#define cleanup_free __attribute__((cleanup(free_at)))

/*
 * Makes room for one more element in a heap array that doubles as it grows:
 *     array_reserve(threads->items, threads->count, threads->capacity);
 *     threads->items[threads->count++] = thread;
 */
#define array_reserve(items, count, capacity)                                                      \
	do {                                                                                       \
		if ((count) == (capacity)) {                                                       \
			(capacity) = (capacity) ? 2 * (capacity) : 8;                              \
			(items) = reallocate((items), (capacity), sizeof(*(items)));               \
		}                                                                                  \
	} while (0)

#define array_length(array) (sizeof(array) / sizeof((array)[0]))
