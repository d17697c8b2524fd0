// SPDX-License-Identifier: Apache-2.0
/* Report: what a look could not show, on standard error. */
#pragma once

#include <stdbool.h>

#include "model/process.h"

/*
 * One line for each gap of the look, and for each distinct stage and reason of a process with
 * how many of its threads it concerns; @all: however many these are. Returns whether there was any.
 */
bool report_gaps(const struct look *look, bool all);
