// SPDX-License-Identifier: Apache-2.0
/* View: the descriptors of a process as one look sees them. Included after cmocka.h. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "collect/descriptors.h"

struct view {
	struct arena *arena;
	int process;
	struct machine *machine;
	struct descriptors *descriptors;
};

static inline struct view view_open(pid_t pid)
{
	struct view view = {.arena = arena_create()};
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	view.process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	view.machine = machine_create(view.arena);
	view.descriptors = descriptors_open(pid, view.process, view.machine, view.arena);
	return view;
}

static inline void view_close(struct view *view)
{
	descriptors_close(view->descriptors);
	machine_destroy(view->machine);
	if (view->process >= 0)
		close(view->process);
	arena_destroy(view->arena);
}
#define cleanup_view __attribute__((cleanup(view_close)))

static inline const struct descriptor *find(struct view *view, int fd)
{
	const struct descriptor *descriptor = view->descriptors->find(view->descriptors, fd);

	assert_non_null(descriptor);
	assert_int_equal(descriptor->fd, fd);
	return descriptor;
}
