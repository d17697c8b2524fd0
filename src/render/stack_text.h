// SPDX-License-Identifier: Apache-2.0
/* The labelled blocks of one thread in text output: kernel stack, syscall, user stack, what is
 * missing. */
#pragma once

#include "model/process.h"
#include "render/page.h"
#include "render/render.h"

#define LABEL_COLUMN 2
#define CONTENT_COLUMN 11

/* Begins a line with its label; an empty label continues the block above. */
void label_put(struct page *page, const char *label);

/*
 * @example: the thread stands for others whose arguments differ, which is said beside the
 * syscall. What could not be had is said in the place where it would stand.
 */
void stack_text_put(struct page *page, const struct process *process, const struct thread *thread,
	bool example, const struct render_options *options);

/* The last part of a path; the path itself where it has none. */
const char *path_base(const char *path);
