// SPDX-License-Identifier: Apache-2.0
/* show: one look at the targets, rendered on standard output. */
#pragma once

#include "cli/options.h"

/* Exit status as the contract has it: 0 all was shown, 1 something was not, 2 nothing was. */
int show(const struct options *options);
