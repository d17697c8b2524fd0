// SPDX-License-Identifier: Apache-2.0
/* Progress: one line on a terminal that says how far a recording is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* All zero is a line that was not shown yet. */
struct progress {
	int64_t shown_ns; /* when it was shown last, from the beginning on */
};

/* Shows it, a few times a second, where standard error is a terminal. @all_ns: 0 for no end. */
void progress_show(struct progress *progress, int64_t passed_ns, int64_t all_ns, uint64_t looks,
	size_t threads);

/* Takes the line away. */
void progress_end(struct progress *progress);
