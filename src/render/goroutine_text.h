// SPDX-License-Identifier: Apache-2.0
/* Goroutines in text output, in the words of Go's own traceback: "goroutine 7 [IO wait, 3
 * minutes]:". */
#pragma once

#include "explain/group.h"
#include "model/process.h"
#include "render/page.h"
#include "render/render.h"

/* Appends "1,024 goroutines". */
void goroutine_count_append(struct text *text, size_t count);

/* Which goroutines the threads of a group run and in what state, for their header's line. */
void goroutines_of_threads_put(
	struct page *page, const struct process *process, const struct thread_group *group);

/* The section of all goroutines of @process, whose stacks stand there unless its threads show
 * them. */
void goroutines_put(
	struct page *page, const struct process *process, const struct render_options *options);
