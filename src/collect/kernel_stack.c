// SPDX-License-Identifier: Apache-2.0
#include "collect/kernel_stack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "collect/scan.h"
#include "util/file.h"
#include "util/memory.h"
#include "util/hash.h"

struct known_stack {
	const char *text;
	struct kernel_stack *stack;
	UT_hash_handle hh;
};

struct kernel_stacks {
	struct arena *arena;
	struct known_stack *known;
};

/* "name+0x1f/0x80": %pB of lib/vsprintf.c. A name may hold what it likes but blanks. */
static void parse_symbol(struct scan *line, struct kernel_frame *frame, struct arena *arena)
{
	const char *start = line->at, *plus = NULL;
	uint64_t offset, size;

	while (line->at < line->end && *line->at != ' ') {
		if (*line->at == '+')
			plus = line->at;
		line->at++;
	}
	struct scan rest = {plus ? plus : line->at, line->at};
	if (plus && scan_literal(&rest, "+0x") && scan_unsigned(&rest, 16, &offset) &&
		scan_literal(&rest, "/0x") && scan_unsigned(&rest, 16, &size) &&
		rest.at == rest.end && offset <= UINT32_MAX && size <= UINT32_MAX && plus > start) {
		frame->symbol = arena_strndup(arena, start, (size_t)(plus - start));
		frame->offset = (uint32_t)offset;
		frame->size = (uint32_t)size;
		return;
	}
	/* A kernel without the symbol prints the bare address. */
	rest = (struct scan){start, line->at};
	if (scan_literal(&rest, "0x"))
		scan_unsigned(&rest, 16, &frame->address);
	else if (rest.at < rest.end)
		frame->symbol = arena_strndup(arena, start, scan_left(&rest));
}

/* "[<0>] name+0x1f/0x80 [module]": fs/proc/base.c, proc_pid_stack(). */
static bool parse_frame(struct scan line, struct kernel_frame *frame, struct arena *arena)
{
	*frame = (struct kernel_frame){0};
	if (!scan_literal(&line, "[<"))
		return false;
	scan_literal(&line, "0x");
	if (!scan_unsigned(&line, 16, &frame->address) || !scan_literal(&line, ">] "))
		return false;
	parse_symbol(&line, frame, arena);
	if (scan_literal(&line, " [")) {
		const char *close =
			scan_left(&line) ? memchr(line.at, ']', scan_left(&line)) : NULL;

		if (close)
			frame->module = arena_strndup(arena, line.at, (size_t)(close - line.at));
	}
	return frame->symbol || frame->address;
}

/*
 * The last step of giving up the CPU is left out, as the kernel leaves out the others: arm64's of
 * 5.10 prints it, since it is not in the scheduler's section.
 */
static bool is_switch(const struct kernel_frame *frame)
{
	return frame->symbol && strcmp(frame->symbol, "__switch_to") == 0;
}

struct kernel_stack *kernel_stack_parse(const char *bytes, size_t length, struct arena *arena)
{
	struct kernel_stack *stack = arena_new(arena, struct kernel_stack, 1);
	struct kernel_frame *frames cleanup_free = NULL;
	struct scan scan = scan_bytes(bytes, length), line;
	size_t capacity = 0;

	while (scan_line(&scan, &line)) {
		array_reserve(frames, stack->count, capacity);
		if (parse_frame(line, &frames[stack->count], arena) &&
			(stack->count || !is_switch(&frames[0])))
			stack->count++;
	}
	stack->frames = arena_copy(arena, frames, stack->count * sizeof(*frames));
	return stack;
}

struct kernel_stack *kernel_stack_with_addresses(
	const struct kernel_stack *stack, const __u64 *addresses, size_t count, struct arena *arena)
{
	struct kernel_stack *paired = arena_new(arena, struct kernel_stack, 1);

	paired->count = stack->count;
	paired->frames = arena_copy(arena, stack->frames, stack->count * sizeof(*stack->frames));
	for (size_t i = 0; i < paired->count; i++)
		paired->frames[i].address = count == stack->count ? addresses[i] : 0;
	return paired;
}

bool kernel_addresses_allowed(void)
{
	struct text symbols cleanup_text = {0};

	/* The first symbols may have an address of 0 indeed: those for each CPU, x86-64 before
	 * 6.15. Some of the first hundred have another. */
	if (failed(file_read(AT_FDCWD, "/proc/kallsyms", 4000, &symbols)) || !symbols.length)
		return true; /* a kernel without them forbids nothing */

	struct scan scan = scan_bytes(symbols.bytes, symbols.length), line;
	uint64_t address;
	while (scan_line(&scan, &line)) {
		if (scan_unsigned(&line, 16, &address) && address)
			return true;
	}
	return false;
}

struct kernel_stacks *kernel_stacks_create(struct arena *arena)
{
	struct kernel_stacks *stacks = allocate_zeroed(1, sizeof(*stacks));

	stacks->arena = arena;
	return stacks;
}

void kernel_stacks_destroy(struct kernel_stacks *stacks)
{
	HASH_CLEAR(hh, stacks->known);
	free(stacks);
}

struct kernel_stack *kernel_stacks_find(
	struct kernel_stacks *stacks, const char *bytes, size_t length)
{
	struct known_stack *known;

	HASH_FIND(hh, stacks->known, bytes, length, known);
	if (!known) {
		known = arena_new(stacks->arena, struct known_stack, 1);
		known->text = arena_copy(stacks->arena, bytes, length);
		known->stack = kernel_stack_parse(bytes, length, stacks->arena);
		HASH_ADD_KEYPTR(hh, stacks->known, known->text, length, known);
	}
	return known->stack;
}
