// SPDX-License-Identifier: Apache-2.0
/*
 * Memory around the futexes that the threads of a process wait for, read together: there may be
 * thousands, and each read by itself is a system call or two.
 */
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "waits/futex_parts.h"

/* What is known of a lock stands so near to its futex (futex_glibc.c, futex_musl.c). */
#define BEFORE 16
#define BEHIND 48

/* What is read of one page does not fail for lack of another; no architecture has smaller ones. */
#define PAGE 4096

struct window {
	uint64_t start;
	size_t length;
	uint8_t bytes[BEFORE + BEHIND];
};

struct futex_memory {
	struct memory memory;
	const struct memory *target;
	struct window *windows; /* by rising start, each once */
	size_t count;
};

static int compare_windows(const void *left, const void *right)
{
	const struct window *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

/* From the windows, else as it is at this moment. */
static size_t read_near(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct futex_memory *futexes = (const struct futex_memory *)memory;
	size_t low = 0, high = futexes->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (futexes->windows[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Those that start at or below it, the nearest first: others overlap with it at most. */
	for (size_t i = low; i > 0 && low - i < BEFORE; i--) {
		const struct window *window = &futexes->windows[i - 1];
		uint64_t offset = address - window->start;

		if (offset >= sizeof(window->bytes))
			break;
		if (offset < window->length && length <= window->length - offset) {
			memcpy(to, window->bytes + offset, length);
			return length;
		}
	}
	return memory_read_now(futexes->target, address, to, length) ? length : 0;
}

static struct window window_of(uint64_t address)
{
	uint64_t page = address & ~(uint64_t)(PAGE - 1), within = address - page;
	uint64_t before = within < BEFORE ? within : BEFORE;
	uint64_t behind = PAGE - within < BEHIND ? PAGE - within : BEHIND;

	return (struct window){.start = address - before, .length = before + behind};
}

/* Notes a window for each thread that is in this call. */
static void add_windows(
	struct futex_memory *futexes, const struct process *process, const struct thread *own)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct syscall_entry *entry = &process->threads[i].entry;

		if (entry->known && entry->in_syscall && entry->number == own->entry.number)
			futexes->windows[futexes->count++] = window_of(entry->arguments[0]);
	}
	if (!futexes->count)
		return;
	qsort(futexes->windows, futexes->count, sizeof(*futexes->windows), compare_windows);
	size_t kept = 1;
	for (size_t i = 1; i < futexes->count; i++) {
		if (futexes->windows[i].start != futexes->windows[kept - 1].start)
			futexes->windows[kept++] = futexes->windows[i];
	}
	futexes->count = kept;
}

static void read_windows(struct futex_memory *futexes)
{
	struct memory_range *ranges cleanup_free =
		allocate_zeroed(futexes->count + 1, sizeof(*ranges));

	for (size_t i = 0; i < futexes->count; i++)
		ranges[i] = (struct memory_range){.address = futexes->windows[i].start,
			.length = futexes->windows[i].length,
			.to = futexes->windows[i].bytes};
	memory_read_many(futexes->target, ranges, futexes->count);
	for (size_t i = 0; i < futexes->count; i++)
		futexes->windows[i].length = ranges[i].got;
}

const struct memory *futex_memory(struct waiting *waiting)
{
	struct waits *waits = waiting->waits;
	const struct process *process = waiting->process;

	if (!process->memory)
		return NULL;
	if (!waits->futexes) {
		struct futex_memory *futexes = arena_new(waits->arena, struct futex_memory, 1);

		*futexes = (struct futex_memory){.memory = {.read = read_near},
			.target = process->memory,
			.windows = arena_new(waits->arena, struct window, process->thread_count)};
		if (!waiting->call->resumed && call_parameter(waiting->call, "uaddr") == 0)
			add_windows(futexes, process, waiting->thread);
		read_windows(futexes);
		waits->futexes = futexes;
	}
	return &waits->futexes->memory;
}
