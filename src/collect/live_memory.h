// SPDX-License-Identifier: Apache-2.0
/* Live memory: the address space of a running process, as a `struct memory`. */
#pragma once

#include <sys/types.h>

#include "model/memory.h"

struct live_memory {
	struct memory memory;
	pid_t pid;
	int directory; /* /proc/PID, borrowed */
	int file;      /* /proc/PID/mem, opened when it is first needed; -1: not yet */
};

void live_memory_init(struct live_memory *memory, pid_t pid, int directory);
void live_memory_deinit(struct live_memory *memory);
