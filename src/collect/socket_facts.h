// SPDX-License-Identifier: Apache-2.0
/* Socket facts: from a descriptor that is a socket to what the model holds of it. */
#pragma once

#include "collect/machine.h"
#include "model/descriptor.h"
#include "util/arena.h"

/*
 * Fills descriptor->socket, and its peers, for the socket that `device` and `inode` of @descriptor
 * tell. @self has it open and @process is its directory of /proc; @kernel_name is the protocol as
 * system.sockprotoname has it, "" where that can't be read.
 */
void descriptor_add_socket(struct descriptor *descriptor, pid_t self, int process,
	const char *kernel_name, struct machine *machine, struct arena *arena);
