// SPDX-License-Identifier: Apache-2.0
#include "model/stack.h"

const char *stack_end_name(enum stack_end end)
{
	static const char *const names[] = {
		[STACK_COMPLETE] = "complete",
		[STACK_NO_UNWIND_INFO] = "no-unwind-info",
		[STACK_UNREADABLE] = "unreadable",
		[STACK_LIMIT] = "limit",
	};

	return names[end];
}

bool stack_hides(const struct user_stack *stack)
{
	for (size_t i = 0; i < stack->frame_count; i++) {
		if (!stack->frames[i]->hidden)
			return true;
	}
	return false;
}
