// SPDX-License-Identifier: Apache-2.0
/* Selection: which of the goroutines that were found were asked for. */
#pragma once

#include "cli/options.h"
#include "model/process.h"

/*
 * Leaves in the look the goroutines that @options ask for, and, where they are asked for by id, the
 * threads that run them. An id that no process has is a gap of the look.
 */
void goroutines_select(const struct options *options, struct look *look);
