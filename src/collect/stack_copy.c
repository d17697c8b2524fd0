// SPDX-License-Identifier: Apache-2.0
#include "collect/stack_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "arch/arch.h"
#include "util/memory.h"

#define PIECES 1024 /* UIO_MAXIOV, linux/uio.h */

/* What is to be copied: from the red zone to the end of the mapping, or as far as the limit. */
static void plan(const struct mappings *mappings, struct stack_copy *copy)
{
	const struct mapping *mapping = mappings_find(mappings, copy->sp);
	size_t red_zone = arch_native->red_zone;

	copy->bytes = NULL;
	copy->error = 0;
	copy->length = copy->limit;
	copy->start = copy->sp;
	if (mapping && copy->sp - mapping->start >= red_zone)
		copy->start -= red_zone;
	if (mapping && mapping->end - copy->start < copy->length)
		copy->length = mapping->end - copy->start;
	if (copy->length > UINT64_MAX - copy->start)
		copy->length = UINT64_MAX - copy->start;
}

/*
 * Reads copies[0 … count), at most PIECES, which stand one after the other at @to. Where one can't
 * be read to its end, the call ends there: that one is cut off, and the next call goes on behind.
 */
static void read_batch(pid_t pid, struct stack_copy *copies, size_t count, uint8_t *to)
{
	struct iovec local[PIECES], remote[PIECES];

	for (size_t i = 0; i < count; i++) {
		local[i] = (struct iovec){to, copies[i].length};
		remote[i] = (struct iovec){(void *)(uintptr_t)copies[i].start, copies[i].length};
		copies[i].bytes = to;
		to += copies[i].length;
	}
	for (size_t i = 0; i < count;) {
		ssize_t got = process_vm_readv(pid, local + i, count - i, remote + i, count - i, 0);
		int error = got < 0 ? errno : EFAULT;
		size_t left = got < 0 ? 0 : (size_t)got;

		for (; i < count && copies[i].length <= left; i++)
			left -= copies[i].length;
		if (i == count)
			break;
		copies[i].length = left;
		if (left == 0) {
			copies[i].bytes = NULL;
			copies[i].error = error;
		}
		i++;
	}
}

void stack_copy_all(pid_t pid, const struct mappings *mappings, struct stack_copy *copies,
	size_t count, size_t *budget, struct arena *arena)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		plan(mappings, &copies[i]);
		if (copies[i].length > *budget) {
			copies[i].length = 0;
			copies[i].error = ENOBUFS;
		}
		*budget -= copies[i].length;
		total += copies[i].length;
	}
	uint8_t *to = arena_alloc(arena, total);
	for (size_t first = 0; first < count;) {
		/* Copies without a byte to read are stepped over: they have their reason. */
		if (copies[first].length == 0) {
			first++;
			continue;
		}
		size_t last = first, bytes = 0;
		while (last < count && last - first < PIECES && copies[last].length)
			bytes += copies[last++].length;
		read_batch(pid, copies + first, last - first, to);
		to += bytes;
		first = last;
	}
}
