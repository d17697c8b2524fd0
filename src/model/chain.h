// SPDX-License-Identifier: Apache-2.0
/*
 * Chain: from a wait to who it is on, to what that one waits for, and so on to the root. The links
 * (`followed`) are made by explain/graph.h; a chain that leads back into itself ends there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/wait.h"

#define CHAIN_MAX 64

/* Zeroed but for `wait`, where it begins. */
struct chain {
	const struct wait *wait; /* the link's that comes next; NULL: there is none */
	const struct wait *seen[CHAIN_MAX];
	size_t count;
	bool returns; /* it leads back to a wait that was seen */
};

/* The next one in the chain; NULL at its end. */
const struct holder *chain_next(struct chain *chain);

/* Whether the one that chain_next() gave stands in the chain already. */
bool chain_closes(const struct chain *chain);

/* What the holder waits for or does: that of its thread or goroutine; NULL: not known. */
const struct wait *holder_wait(const struct holder *holder);
