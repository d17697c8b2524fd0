// SPDX-License-Identifier: Apache-2.0
#include "model/process.h"

struct thread *thread_find(const struct process *process, pid_t tid)
{
	size_t begin = 1, end = process->thread_count;

	if (end && process->threads[0].tid == tid)
		return &process->threads[0];
	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (process->threads[middle].tid == tid)
			return &process->threads[middle];
		if (process->threads[middle].tid < tid)
			begin = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

struct goroutine *goroutine_find(const struct process *process, uint64_t id)
{
	size_t begin = 0, end = process->goroutine_count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (process->goroutines[middle].id == id)
			return &process->goroutines[middle];
		if (process->goroutines[middle].id < id)
			begin = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

const struct goroutine *goroutine_of(const struct process *process, const struct thread *thread)
{
	return thread->goroutine ? goroutine_find(process, thread->goroutine) : NULL;
}
