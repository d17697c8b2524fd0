// SPDX-License-Identifier: Apache-2.0
/* Text: the parts of text output that others than the renderer show. */
#pragma once

#include "explain/group.h"
#include "render/page.h"
#include "render/render.h"

/* Threads of @process with the same stack: who they are, what they wait for, the joined stack. */
void thread_group_put(struct page *page, const struct process *process,
	const struct thread_group *group, const struct render_options *options);
