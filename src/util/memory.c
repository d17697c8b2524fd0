// SPDX-License-Identifier: Apache-2.0
#include "util/memory.h"

#include <assert.h>
#include <malloc.h>
#include <stdint.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void (*_Atomic last_act)(void); /* NULL: nothing */
static bool exhaustion_expected;

/*
 * Has the kernel give the first pages of the heap at once (since 5.14): a fault for each takes
 * longer, and the least look uses as many.
 */
static void populate_heap(void)
{
	enum { SIZE = 128 * 1024 };
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	char *piece = malloc(SIZE);
	uintptr_t begin = ((uintptr_t)piece + page - 1) & ~(page - 1);

	if (piece)
		madvise((void *)begin, ((uintptr_t)piece + SIZE - begin) & ~(page - 1),
			MADV_POPULATE_WRITE);
	free(piece);
}

void memory_prepare(void)
{
	/* Threads take turns here: more heaps would only take time and room. */
	mallopt(M_ARENA_MAX, 1);
	/* Nor is it worth a system call to give a little back, or a mapping for what is used
	 * shortly.
	 */
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	mallopt(M_TOP_PAD, 512 * 1024);
	populate_heap();
}

void memory_at_exhaustion(void (*act)(void))
{
	last_act = act;
}

void out_of_memory(void)
{
	static const char message[] = "whystuck: out of memory\n";
	void (*act)(void) = last_act;

	if (act)
		act();
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) {
		/* nobody is left to tell */
	}
	_exit(2);
}

static void on_crash(int signal)
{
	(void)signal;
	out_of_memory();
}

void memory_expect_exhaustion(void)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT};
	static char stack[16 * 1024]; /* the usual one may be what could not grow */
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	exhaustion_expected = true;
	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < array_length(crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

/*
 * The C library's, which would print a line of its own: libdw (lib/dynamicsizehash_concurrent.c)
 * asserts that it got memory.
 */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
	if (exhaustion_expected)
		out_of_memory();
	fprintf(stderr, "whystuck: %s:%u: %s: assertion '%s' failed\n", file, line, function,
		assertion);
	abort();
}

void *allocate(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

void *allocate_zeroed(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

void *reallocate(void *memory, size_t count, size_t size)
{
	memory = reallocarray(memory, count ? count : 1, size ? size : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

void free_at(void *pointer)
{
	free(*(void **)pointer);
}
