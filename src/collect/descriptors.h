// SPDX-License-Identifier: Apache-2.0
/*
 * Live descriptors: what /proc/PID/fd, /proc/PID/fdinfo and sock_diag tell, read
 * when asked for and then remembered.
 */
#pragma once

#include "model/descriptor.h"
#include "util/arena.h"

/*
 * What is found about the whole machine while descriptors are named: which processes have
 * which pipe or socket open, and the sockets of each network namespace. Each is read at most
 * once, and only when a descriptor needs it.
 */
struct machine;
struct machine *machine_create(struct arena *arena);
void machine_destroy(struct machine *machine); /* NULL is allowed */

/* Has it not look into all processes, which takes long: nobody is found to have anything open. */
void machine_leave_out_peers(struct machine *machine);

/*
 * The descriptors of @pid, whose directory of /proc is @process (-1: it is gone), in @arena; a
 * descriptor that may not be looked at is of kind DESCRIPTOR_UNKNOWN, and its problem says what is
 * needed. @process, @arena and @machine must outlive them. descriptors_close() lets go of what is
 * held open meanwhile, one descriptor of ours at most; NULL is allowed.
 */
struct descriptors *descriptors_open(
	pid_t pid, int process, struct machine *machine, struct arena *arena);
void descriptors_close(struct descriptors *descriptors);
