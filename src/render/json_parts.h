// SPDX-License-Identifier: Apache-2.0
/* Parts of the model as JSON values that threads and goroutines both have. The caller owns them. */
#pragma once

#include "model/process.h"
#include "render/json_value.h"

struct json_object *json_gaps(const struct gaps *gaps);

struct json_object *json_wait(const struct wait *wait);

struct json_object *json_deadlock(const struct deadlock *deadlock);
