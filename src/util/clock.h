// SPDX-License-Identifier: Apache-2.0
/* Clocks: the readings that whystuck needs, as nanoseconds. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND 1000000000LL
#define NS_PER_MS 1000000LL

/* The clock's reading in nanoseconds; for CLOCK_REALTIME since 1970. */
int64_t clock_ns(clockid_t clock);
