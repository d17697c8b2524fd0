// SPDX-License-Identifier: Apache-2.0
/*
 * Whole file: a file that is there as it was, or whole, at any instant. It is written under another
 * name beside its place and takes that when all is written.
 */
#pragma once

#include <stdio.h>

#include "util/error.h"

struct whole_file {
	FILE *stream; /* to write to */
	char *path;   /* heap; where it belongs, its symbolic links followed */
	char *beside; /* heap; where it is meanwhile; NULL: what stands there is no regular file,
			 and is written to directly */
};

/* Whether a file could be begun there, by what can be told without doing it. */
struct error whole_file_check(const char *path);

/* Begins the file; ended by whole_file_finish() or whole_file_drop(). */
struct error whole_file_begin(struct whole_file *file, const char *path);

/* Puts it in its place, unless something could not be written. */
struct error whole_file_finish(struct whole_file *file);

/* Leaves what was there before. */
void whole_file_drop(struct whole_file *file);
