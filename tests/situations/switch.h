// SPDX-License-Identifier: Apache-2.0
/* Switch: what tells a server to fall silent once the scene is set. */
#pragma once

#include <stdatomic.h>

/* How much it keeps to itself. */
enum { SILENT_ON_NOTHING, SILENT_ON_READS, SILENT };

/* A file that tells it that, which it and others map, those too that are executed later. */
int make_switch(void);
atomic_int *map_switch(int file);
