// SPDX-License-Identifier: Apache-2.0
/* Places: what the tables say of the code addresses of a process, each looked up once. */
#pragma once

#include "model/stack.h"
#include "runtimes/go/go.h"
#include "runtimes/go/pclntab.h"

struct go_place {
	struct code_address address;
	const struct go_module *module; /* NULL: it is no Go code */
	struct go_function function;
	bool has_frame_size;
	int32_t frame_size;
	struct go_place *next; /* the place that came last after this one; NULL: none yet */

	/* By go_place_frames(). */
	struct frame *frames, *hidden_frames; /* alike but for their mark */
	struct go_call *calls;
	size_t frame_count;

	const struct frame *creator; /* by go_place_creator() */
};

/*
 * The place of @address; never NULL, and lives as long as @go. @before is the place of the frame
 * that was called from there, or NULL: what called it the last time is tried first.
 */
struct go_place *go_place_find(
	struct go_process *go, struct go_place *before, struct code_address address);

/*
 * The frames of the place, the innermost first, and with the same numbers its calls. How many is
 * place->frame_count; 0 where it is no Go code. They live as long as the look.
 */
const struct frame *go_place_frames(struct go_process *go, struct go_place *place);

/* The go statement at the place, as "created by" tells it; NULL: it is no Go code. */
const struct frame *go_place_creator(struct go_process *go, struct go_place *place);

/* The function that begins there; NULL: it is no Go code. */
const struct frame *go_place_function(struct go_process *go, struct go_place *place);

/*
 * Marks the frames of a stack that the runtime's own traceback leaves out, and all of Go's before
 * address number @first.
 */
void go_hide_frames(struct go_process *go, struct user_stack *stack, size_t first);

/* code->name() of model/code.h. */
size_t go_code_name(
	const struct code *code, struct code_address address, const struct frame **frames);

void go_places_deinit(struct go_process *go);
