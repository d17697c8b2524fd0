// SPDX-License-Identifier: Apache-2.0
/* hidepid: whether /proc is mounted so that it hides other users' processes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether a /proc mounted as /proc/self/mountinfo has it hides processes: its option hidepid
 * is there and is not 0 or "off" (Documentation/filesystems/proc.rst, 4.1). */
bool hidepid_parse(const char *mountinfo, size_t length);

/* The same for this process's own /proc. It hides nothing from who has CAP_SYS_PTRACE. */
bool hidepid_hides(void);
