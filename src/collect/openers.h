// SPDX-License-Identifier: Apache-2.0
/*
 * Openers: which processes have something open, told by the files that they have and by what
 * fdinfo says of these. Read once, when first asked for.
 */
#pragma once

#include "collect/machine.h"
#include "model/surroundings.h"
#include "util/arena.h"

struct openers;
struct openers *openers_create(struct machine *machine, struct arena *arena);

/* Those that have the file open. */
struct parties openers_of_file(struct openers *openers, dev_t device, ino_t inode);

/* Of the process @pid, its @parent and its children those that have the eventfd open that fdinfo
 * calls @id; never said to be all. */
struct parties openers_of_eventfd(struct openers *openers, pid_t pid, pid_t parent, int64_t id);

/* Those that have the master of the pseudo terminal @index of the file system @device open. */
struct parties openers_of_master(struct openers *openers, dev_t device, unsigned index);

/*
 * Those that serve the FUSE file system @device. Where the kernel does not tell whose a /dev/fuse
 * is, all that have one, each a guess.
 */
struct parties openers_of_fuse(struct openers *openers, dev_t device);
