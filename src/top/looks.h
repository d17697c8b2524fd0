// SPDX-License-Identifier: Apache-2.0
/*
 * Looks: taken one after the other in a thread of their own, so that who shows them never waits
 * for one, however long it takes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "model/process.h"

struct looks;

/* Begins to look, each @interval_ns. NULL: no thread could be started. @options are borrowed. */
struct looks *looks_start(const struct options *options, int64_t interval_ns);

/* Can be read from, as poll(2) says, when a look is there to be taken. */
int looks_descriptor(const struct looks *looks);

/*
 * The look that is ready, NULL: none is. The one that was taken before is gone then. Until it is
 * taken no other is begun.
 */
const struct look *looks_take(struct looks *looks);

void looks_set_interval(struct looks *looks, int64_t interval_ns);

/* Does not wait for the interval to end before the next look. */
void looks_hurry(struct looks *looks);

/*
 * Ends the thread and frees @looks; NULL is allowed. False where a look does not end soon: then the
 * thread goes on, and what was given to looks_start() must stay.
 */
bool looks_stop(struct looks *looks);
