// SPDX-License-Identifier: Apache-2.0
/* Messages: one line each on standard error. */
#pragma once

#include <stdbool.h>

/* Writes "whystuck: ", the message and a newline at once. What is not ours must be escaped. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes standard output. Returns whether all that went there was written, and says so if not. */
bool output_finish(void);
