// SPDX-License-Identifier: Apache-2.0
/* Parts of the model as JSON values that threads and goroutines both have. The caller owns them. */
#pragma once

#include "model/process.h"
#include "render/json_value.h"
#include "render/render.h"

struct json_object *json_gaps(const struct gaps *gaps);

/* @hides: frames of the runtime's inside are left out, unless asked for or nothing else is there.
 */
struct json_object *json_user_stack(
	const struct user_stack *stack, bool hides, const struct render_options *options);

struct json_object *json_wait(const struct wait *wait);
