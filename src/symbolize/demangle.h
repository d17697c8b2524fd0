// SPDX-License-Identifier: Apache-2.0
/* Demangler: the names of C++, Rust and D functions as people write them. */
#pragma once

#include <stddef.h>

#include "util/arena.h"

/* Longest name that is looked at, in bytes; what is longer has been cut by whoever read it. */
#define SYMBOL_NAME_LIMIT (64 * 1024)

/*
 * The function's name without its parameters (`ns::Class<int>::method`), Rust's without the
 * hash; what the compiler put behind a dot (".cold", ".constprop.0") stays. @name itself where it
 * is not mangled or can't be demangled within bounds; otherwise a string in @arena.
 */
const char *demangle(const char *name, struct arena *arena);
