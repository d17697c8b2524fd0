// SPDX-License-Identifier: Apache-2.0
/* Refusals: why the kernel said no, and what would make it say yes. */
#pragma once

#include <sys/types.h>

/* For /proc/PID/stack that could not be read with @error. A static string. */
const char *refusal_of_kernel_stack(int error);

/* For ptrace(), process_vm_readv() and the files of /proc/PID that ask for the same right, refused
 * with @error by a process of user @uid. A static string. */
const char *refusal_of_access(int error, uid_t uid);
