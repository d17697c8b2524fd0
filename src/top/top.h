// SPDX-License-Identifier: Apache-2.0
/* Top: `whystuck top`, the live view. */
#pragma once

#include "cli/options.h"
#include "top/columns.h"

struct top_options {
	struct options options;
	int64_t interval_ns;
	struct column_list columns;
};

/* Shows the targets until the user ends it; the exit status. */
int top_run(const struct top_options *top_options);

/* Runs the command with the words behind argv[0]; the exit status. */
int top_command(int argc, char **argv);
