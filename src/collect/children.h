// SPDX-License-Identifier: Apache-2.0
/* Children: who a process may wait for with wait(2). */
#pragma once

#include "model/surroundings.h"
#include "util/arena.h"

/* As struct surroundings has it, in @arena. */
struct parties children_find(pid_t pid, pid_t tid, pid_t group, struct arena *arena);
struct parties children_find_vfork(pid_t pid, pid_t tid, struct arena *arena);
