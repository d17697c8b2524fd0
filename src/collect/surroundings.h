// SPDX-License-Identifier: Apache-2.0
/* Live surroundings: what /proc, sock_diag and the other interfaces of the kernel's tell. */
#pragma once

#include "collect/machine.h"
#include "model/surroundings.h"
#include "util/arena.h"

/* In @arena, which with @machine must outlive them. Nothing is read yet. */
struct surroundings *surroundings_create(struct machine *machine, struct arena *arena);
