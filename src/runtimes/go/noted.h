// SPDX-License-Identifier: Apache-2.0
/*
 * Noted: which of a process's files Go's linker has marked with its note (src/cmd/link, "Go build
 * id"). It takes one read of the files' first pages, and none is opened.
 */
#pragma once

#include "model/process.h"

/* The first mapping of such a file from number *@index on, or NULL; *index becomes the one after
 * it. */
const struct mapping *go_noted_next(const struct process *process, size_t *index);
