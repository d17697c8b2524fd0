// SPDX-License-Identifier: Apache-2.0
/* The ways to look that collect/collect.c chooses from. */
#pragma once

#include "collect/collector.h"

extern const struct collector collector_bpf;     /* stops what runs, if that */
extern const struct collector collector_ptrace;  /* stops threads for the copy */
extern const struct collector collector_passive; /* stops nothing */
