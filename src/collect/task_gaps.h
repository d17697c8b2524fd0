// SPDX-License-Identifier: Apache-2.0
/* Task gaps: what could not be had of a thread, in words. */
#pragma once

#include "collect/task.h"

/* Adds the gaps that follow from how it went with @task, once all is read. */
void task_add_gaps(struct task *task, const struct process *process,
	const struct look_request *request, struct arena *arena);
