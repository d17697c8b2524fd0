// SPDX-License-Identifier: Apache-2.0
/*
 * Lines: source file and line of an address, and the functions that the compiler inlined there,
 * from an image's DWARF. Only the compile units that hold an asked-for address are parsed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/image.h"
#include "util/arena.h"

struct source_frame {
	const char *function; /* demangled; NULL: not known */
	const char *file;     /* as the compiler recorded it; NULL: not known */
	unsigned line;        /* 0: not known */
};

/* The innermost first; all but the last are inlined, the last has the code. */
struct source_frames {
	struct source_frame *frames;
	size_t count; /* 0: no debug information there */
};

/* The debug information of one image: which unit holds what is found out once. */
struct lines;
struct lines *lines_create(struct image *image, struct root *root);
void lines_destroy(struct lines *lines);

/* Which debug information is worth its time. */
enum lines_wanted {
	LINES_NONE,
	/*
	 * All but separate debug files of libraries that are compressed and large, as Debian's
	 * libc6-dbg: to unpack that one takes ten times as long as the rest of a look at one
	 * thread.
	 */
	LINES_QUICK,
	LINES_ALL,
};

/* How many DIEs may be looked at for one process: seconds of work, far more than is ever needed. */
#define LINES_BUDGET ((size_t)20 * 1000 * 1000)

/*
 * The frames at each of the @count addresses (those of the file, rising, distinct), in @arena.
 * *budget is used up; when it is spent, inlined functions are not told any more.
 */
void lines_find(struct lines *lines, const uint64_t *addresses, size_t count,
	struct source_frames *found, size_t *budget, struct arena *arena);
