// SPDX-License-Identifier: Apache-2.0
/* The parser of /proc/PID/maps: from bytes to mappings, no more. */
#pragma once

#include "model/mapping.h"
#include "util/arena.h"

/* The mappings that the file's text tells of, in @arena. A line that does not parse, or that
 * does not stand above the one before it, is left out: the result is always in order. */
struct mappings maps_parse(const char *bytes, size_t length, struct arena *arena);
