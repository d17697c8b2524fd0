// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Whether a thread of this process runs, or would if it had a CPU: proc(5), /proc/PID/stat. */
bool thread_can_run(pid_t tid);
