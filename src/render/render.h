// SPDX-License-Identifier: Apache-2.0
/*
 * Renderer: one output format. It reads the model and writes bytes, and computes nothing.
 *
 * To add a format: fill in one struct renderer in a file of its own and name it in the table
 * of render/render.c.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "model/process.h"

enum grouping { GROUP_DEFAULT, GROUP_ALWAYS, GROUP_NEVER };

struct render_options {
	bool color;
	bool kernel, user, lines; /* false: left out */
	bool addresses;           /* of kernel frames too: they tell where the kernel lies */
	enum grouping grouping;
	bool process_info;
	bool partial;        /* only some threads or goroutines of each process were asked for */
	bool runtime_frames; /* those frames too that are hidden otherwise */
	unsigned width;      /* columns of text output */
};

struct renderer {
	const char *name; /* as -f has it */
	const char *summary;
	bool shows_places; /* each process's working directory and container, whatever is asked */
	/* Writes the whole look to @out; write errors stay in the stream for the caller (ferror()).
	 */
	void (*render)(const struct look *look, const struct render_options *options, FILE *out);
};

/* The renderer of that name, or NULL. */
const struct renderer *renderer_find(const char *name);

/* All of them, the default first; NULL ends the table. */
extern const struct renderer *const renderers[];

extern const struct renderer renderer_text, renderer_json, renderer_folded;
