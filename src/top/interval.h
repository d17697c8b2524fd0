// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads the seconds between two looks, "0.5", from 0.1 to 3600. False where they are not that. */
bool interval_parse(const char *string, int64_t *ns);

/* Room for interval_format()'s text. */
#define INTERVAL_SIZE 16

/* The same the other way round: "0.5", "2". */
void interval_format(int64_t ns, char text[INTERVAL_SIZE]);
