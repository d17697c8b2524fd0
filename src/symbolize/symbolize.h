// SPDX-License-Identifier: Apache-2.0
/*
 * Symbolizer: from code addresses to functions, source lines and inlined frames.
 * Never touches the target's threads.
 */
#pragma once

#include <stdbool.h>

#include "elf/modules.h"
#include "model/process.h"

/*
 * Fills frames and frame_count of every user stack of @process. Each distinct address is looked up
 * once, all addresses of a module together. @lines: also source lines and inlined frames.
 */
void symbolize_process(struct process *process, struct modules *modules, bool lines,
	struct arena *arena);
