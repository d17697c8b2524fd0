// SPDX-License-Identifier: Apache-2.0
/* Goroutines in JSON: the items of a process's member "goroutines". */
#pragma once

#include <stdio.h>

#include "model/process.h"
#include "render/json_stacks.h"
#include "render/render.h"

/*
 * Writes them with commas between. There may be a million, so one is built at a time.
 */
void json_goroutines_write(FILE *out, const struct process *process, struct json_stacks *stacks,
	const struct render_options *options);
