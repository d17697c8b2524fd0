// SPDX-License-Identifier: Apache-2.0
/* Frame names: how a frame is called where it is a word among others, as in folded stacks. */
#pragma once

#include "model/stack.h"
#include "util/text.h"

/* Appends a raw name: escaped, and with a colon for the semicolon, which separates frames. */
void frame_name_append(struct text *text, const char *name);

/* The same of a user frame: its function, or what is known in place of that. */
void frame_name_append_user(struct text *text, const struct frame *frame);
