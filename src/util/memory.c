// SPDX-License-Identifier: Apache-2.0
#include "util/memory.h"

#include <stdlib.h>
#include <unistd.h>

void out_of_memory(void)
{
	static const char message[] = "whystuck: out of memory\n";

	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) {
		/* nobody is left to tell */
	}
	_exit(2);
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
