// SPDX-License-Identifier: Apache-2.0
#include "top/frames.h"

#include <string.h>

#include "util/memory.h"

const char *telling_kernel_function(const struct thread *thread)
{
	const struct kernel_stack *stack = thread->kernel_stack;

	if (stack && stack->count && stack->frames[0].symbol)
		return stack->frames[0].symbol;
	return thread->wchan;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* How the files of C libraries are named: glibc's and its former parts', musl's, the vDSO. */
static bool is_c_library(const char *module)
{
	static const char *const names[] = {
		"libc.so", "libc-", "libpthread", "ld-linux", "ld-musl", "libc.musl", "[vdso]"};
	const char *base = module ? base_name(module) : NULL;

	for (size_t i = 0; base && i < array_length(names); i++) {
		if (strncmp(base, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

const struct frame *telling_user_frame(const struct thread *thread)
{
	const struct user_stack *stack = thread->user_stack;
	bool hides = thread->goroutine && stack && stack_hides(stack);

	if (!stack || !stack->frames || !stack->frame_count)
		return NULL;
	for (size_t i = 0; i < stack->frame_count; i++) {
		const struct frame *frame = stack->frames[i];

		if (!is_c_library(frame->module) && !(hides && frame->hidden))
			return frame;
	}
	return stack->frames[0];
}
