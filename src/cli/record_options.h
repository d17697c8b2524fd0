// SPDX-License-Identifier: Apache-2.0
/* Record options: the command line of `whystuck record`. */
#pragma once

#include "cli/options.h"
#include "profile/format.h"

struct record_options {
	struct options options; /* stands first: of what is looked at, and how */
	int64_t duration_ns;    /* 0: until it is ended */
	int64_t period_ns;      /* from look to look */
	const char *output;     /* of argv; NULL: standard output */
	const struct profile_format *format;
};

/* As options_parse() has it; record_options_deinit() must be called whatever the outcome is. */
enum options_outcome record_options_parse(struct record_options *options, int argc, char **argv);
void record_options_deinit(struct record_options *options);
