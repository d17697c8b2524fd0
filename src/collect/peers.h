// SPDX-License-Identifier: Apache-2.0
/* Peers: the processes at the other end of a descriptor. */
#pragma once

#include "collect/machine.h"
#include "model/descriptor.h"
#include "util/arena.h"

/*
 * Makes of those who have the file (@device, @inode) open the descriptor's peers, each once: by
 * rising pid, but the process @self, whose descriptor it is, last. Says so in the descriptor
 * where nobody was found and some processes could not be looked into.
 */
void descriptor_add_peers(struct descriptor *descriptor, pid_t self, dev_t device, ino_t inode,
	enum peer_access access, struct machine *machine, struct arena *arena);
