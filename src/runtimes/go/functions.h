// SPDX-License-Identifier: Apache-2.0
/*
 * Functions: what those of Go's runtime do to a stack, by their names, which stay the same where
 * the numbers that the runtime has for them change from version to version.
 */
#pragma once

#include <stdbool.h>

#include "runtimes/go/pclntab.h"

/* Of the function with that name; an ending ".abi0" of its symbol is no part of it. */
enum go_function_kind go_function_kind(const char *name);

/* Whether a wrapper that calls it is shown (src/runtime/traceback.go, elideWrapperCalling()). */
bool go_is_panic(const char *name);

/*
 * Whether the runtime's own traceback leaves out the frame of @name; @is_first: no frame stands
 * below it. For functions of Go 1.@minor (src/runtime/traceback.go, showfuncinfo()).
 */
bool go_is_hidden(const char *name, bool is_first, unsigned minor);

/* Whether a goroutine that starts with it is the runtime's own (isSystemGoroutine()). */
bool go_starts_system(const char *name);

/* What a thread that runs no goroutine is there for, as its frames tell; NULL: they don't. */
const char *go_thread_role(const char *const *names, size_t count);
