// SPDX-License-Identifier: Apache-2.0
/* Prompts: what the user types into the last line. */
#pragma once

#include "top/state.h"

struct prompt_kind {
	const char *label;
	bool at_once; /* what was typed applies with each key, and not before Enter */
	/* Applies what was typed; false where it makes no sense, which it says. */
	bool (*apply)(struct top *top, const char *typed);
};

extern const struct prompt_kind prompt_filter, prompt_states, prompt_user, prompt_interval;

/* Opens the line, with @typed in it already. */
void prompt_open(struct top *top, const struct prompt_kind *kind, const char *typed);

void prompt_take_key(struct top *top, uint32_t key);
