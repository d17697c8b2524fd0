// SPDX-License-Identifier: Apache-2.0
/*
 * Globals: the variables of Go's runtime that lead to everything else, found without symbols by
 * what they must look like: allgs, a slice of pointers to goroutines, and allm, the list of
 * threads (src/runtime/proc.go, src/runtime/runtime2.go).
 */
#pragma once

#include "runtimes/go/go.h"

#define GO_GOROUTINES_MAX 2000000
#define GO_MACHINES_MAX 65536

/* A goroutine's states, src/runtime/runtime2.go. */
enum go_status {
	GO_IDLE = 0,
	GO_RUNNABLE = 1,
	GO_RUNNING = 2,
	GO_SYSCALL = 3,
	GO_WAITING = 4,
	GO_DEAD = 6,
	GO_COPYSTACK = 8,
	GO_PREEMPTED = 9,
	GO_LEAKED = 10,
	GO_DEADEXTRA = 11,
	GO_STATUS_MAX = 11,
	GO_SCAN = 0x1000, /* or-ed to it while the garbage collector looks at its stack */
};

/* Whether the bytes of a g at @address are one: its sched.g points at itself, its stack's bounds
 * and its state make sense. */
bool go_is_goroutine(const struct go_layout *layout, const uint8_t *bytes, uint64_t address);

/* A copy of a module's variables that have pointers, and where they stand. */
struct go_variables {
	uint64_t start;
	uint8_t *bytes; /* heap: the caller frees it */
	size_t length;
};

struct go_variables go_variables_read(const struct go_process *go, const struct go_module *module);

/* Whether @pointer may be one to something on the heap or among the variables. */
bool go_is_pointer(const struct go_process *go, uint64_t pointer);

/* Finds allgs and the threads: go->allgs and go->machines. */
void go_globals_find(struct go_process *go);

/* The thread whose struct m is at @address, without its stacks; false: none is there. */
bool go_machine_read(const struct go_process *go, uint64_t address, struct go_machine *machine);

/* The thread on whose scheduler's stack @sp lies, or NULL. */
const struct go_machine *go_machine_of_stack(const struct go_process *go, uint64_t sp);

/* The thread that runs the goroutine on whose stack @sp lies, or NULL. */
const struct go_machine *go_machine_of_goroutine_stack(const struct go_process *go, uint64_t sp);
