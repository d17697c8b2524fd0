// SPDX-License-Identifier: Apache-2.0
/*
 * Stacks in JSON. Many threads and goroutines share few stacks, and a stack takes most of the
 * bytes of whoever has it: each is serialized once, and what was written is kept for the next.
 */
#pragma once

#include <stdio.h>

#include "model/stack.h"
#include "render/render.h"

struct json_stacks;

/* For stacks that live as long as it does, of a look that is written with these options. */
struct json_stacks *json_stacks_create(const struct render_options *options);
void json_stacks_destroy(struct json_stacks *stacks);

/* Writes the frames of the kernel stack; NULL becomes null. */
void json_write_kernel_stack(
	FILE *out, struct json_stacks *stacks, const struct kernel_stack *stack);

/*
 * Writes the frames of the user stack; NULL becomes null. @hides: those of a runtime's inside are
 * left out, unless they were asked for or nothing else is there.
 */
void json_write_user_stack(
	FILE *out, struct json_stacks *stacks, const struct user_stack *stack, bool hides);
