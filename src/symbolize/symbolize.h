// SPDX-License-Identifier: Apache-2.0
/*
 * Symbolizer: from code addresses to functions, source lines and inlined frames.
 * Never touches the target's threads.
 */
#pragma once

#include "elf/modules.h"
#include "model/process.h"
#include "symbolize/lines.h"

/*
 * Fills frames and frame_count of process->user_stacks. Each distinct address is looked up
 * once, all addresses of a module together. @lines: which debug
 * information to read for source lines and inlined frames.
 */
void symbolize_process(struct process *process, struct modules *modules, enum lines_wanted lines,
	struct arena *arena);
