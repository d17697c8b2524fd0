// SPDX-License-Identifier: Apache-2.0
/* What --process-info adds to a process in JSON: its member "info". */
#pragma once

#include "model/process.h"
#include "render/json_value.h"

/* @process must have info; the caller owns the value. */
struct json_object *json_info(const struct process *process);
