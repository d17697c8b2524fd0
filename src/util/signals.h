// SPDX-License-Identifier: Apache-2.0
/* Signals: their names as people write them. */
#pragma once

#include <stdint.h>

#include "util/text.h"

/*
 * Appends the signal's name without SIG: "INT", "RTMIN+3", and the number where it has no name,
 * as 32 and 33, which glibc keeps for itself (nptl(7)).
 */
void text_append_signal(struct text *text, int number);

/*
 * Appends the names of a signal set, bit n - 1 for signal n: "INT TERM", "none", "all", and
 * "all but KILL STOP" where more are in it than not.
 */
void text_append_signals(struct text *text, uint64_t mask);
