// SPDX-License-Identifier: Apache-2.0
#include "model/process.h"

const struct goroutine *goroutine_of(const struct process *process, const struct thread *thread)
{
	size_t begin = 0, end = thread->goroutine ? process->goroutine_count : 0;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (process->goroutines[middle].id == thread->goroutine)
			return &process->goroutines[middle];
		if (process->goroutines[middle].id < thread->goroutine)
			begin = middle + 1;
		else
			end = middle;
	}
	return NULL;
}
