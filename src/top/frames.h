// SPDX-License-Identifier: Apache-2.0
/* Frames: the one function of each half of a thread's stack that tells most of it. */
#pragma once

#include "model/process.h"

/* The kernel's function that it is in, raw; NULL: not known. */
const char *telling_kernel_function(const struct thread *thread);

/*
 * The innermost frame that is not of the C library, which only wraps the system call, nor hidden;
 * the innermost of all where there is no such frame; NULL: none is known.
 */
const struct frame *telling_user_frame(const struct thread *thread);

/* What stands after the last slash. */
const char *base_name(const char *path);
