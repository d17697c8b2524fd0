// SPDX-License-Identifier: Apache-2.0
#include "model/gap.h"

#include <stdarg.h>
#include <string.h>

const char *stage_name(enum stage stage)
{
	static const char *const names[] = {
		[STAGE_PROCESS] = "process",
		[STAGE_THREAD] = "thread",
		[STAGE_KERNEL_STACK] = "kernel_stack",
		[STAGE_SYSCALL] = "syscall",
		[STAGE_USER_STACK] = "user_stack",
		[STAGE_SYMBOLS] = "symbols",
		[STAGE_DESCRIPTORS] = "descriptors",
		[STAGE_WAIT] = "wait",
		[STAGE_GOROUTINE] = "goroutine",
	};

	return names[stage];
}

void gaps_add(struct gaps *gaps, struct arena *arena, enum stage stage, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const char *reason = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	for_each_gap (gap, gaps) {
		if (gap->stage == stage && strcmp(gap->reason, reason) == 0)
			return;
	}
	struct gap *gap = arena_new(arena, struct gap, 1);
	*gap = (struct gap){.stage = stage, .reason = reason};
	if (gaps->last)
		gaps->last->next = gap;
	else
		gaps->first = gap;
	gaps->last = gap;
}

struct gaps gaps_copy(const struct gaps *gaps, struct arena *arena)
{
	struct gaps copy = {0};

	for_each_gap (gap, gaps) {
		struct gap *added = arena_new(arena, struct gap, 1);

		*added = (struct gap){.stage = gap->stage, .reason = gap->reason};
		if (copy.last)
			copy.last->next = added;
		else
			copy.first = added;
		copy.last = added;
	}
	return copy;
}
