// SPDX-License-Identifier: Apache-2.0
/* Lock holders: which processes have the locks on files for which others wait. */
#pragma once

#include "collect/machine.h"
#include "model/surroundings.h"
#include "util/arena.h"

/* The locks of the whole machine, read when first asked for, in @arena. */
struct lock_holders;
struct lock_holders *lock_holders_create(struct machine *machine, struct arena *arena);

/* As struct surroundings has it. */
struct parties lock_holders_find(
	struct lock_holders *holders, pid_t pid, const struct file_lock *wanted);
