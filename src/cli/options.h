// SPDX-License-Identifier: Apache-2.0
/* Options: the command line of `whystuck show`, parsed and checked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/collector.h"
#include "render/render.h"

enum options_outcome {
	OPTIONS_LOOK,  /* go on */
	OPTIONS_DONE,  /* --help or --version was printed: exit status 0 */
	OPTIONS_WRONG, /* one line was printed on standard error: exit status 2 */
};

enum goroutines_wanted {
	GOROUTINES_DEFAULT,    /* while the options are read only */
	GOROUTINES_ALL,        /* of each process that has some */
	GOROUTINES_OF_THREADS, /* those that the threads run which are shown */
	GOROUTINES_NONE,       /* they are not looked for */
};

struct options {
	const char **targets; /* heap; the strings are of argv */
	size_t target_count, target_capacity;
	bool all, kernel_threads;
	pid_t *tids; /* heap, each once */
	size_t tid_count, tid_capacity;
	const char *states; /* of argv; NULL: all */
	enum goroutines_wanted goroutines;
	uint64_t *goroutine_ids; /* heap, each once: only these */
	size_t goroutine_count, goroutine_capacity;
	const struct renderer *renderer;
	struct render_options
		render; /* .color and .width are settled: a terminal, NO_COLOR, --color */
	enum stop_policy stop;
	size_t max_frames;
	bool all_lines;  /* whatever it costs to read them */
	bool kinds_only; /* of waits no more than their kinds is told: looks cost less */
	bool verbose;
};

/* Fills @options, which options_deinit() must be called for whatever the outcome is. */
enum options_outcome options_parse(struct options *options, int argc, char **argv);
void options_deinit(struct options *options);
