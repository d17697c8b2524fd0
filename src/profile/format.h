// SPDX-License-Identifier: Apache-2.0
/*
 * Format: how a profile is written.
 *
 * To add one: fill in one struct profile_format in a file of its own and name it in the table of
 * profile/format.c.
 */
#pragma once

#include <stdio.h>

#include "profile/profile.h"

/* Of the recording as a whole. */
struct recording {
	int64_t began_ns;    /* CLOCK_REALTIME */
	int64_t duration_ns; /* how long it took */
	int64_t period_ns;   /* from look to look, as it was asked for */
	uint64_t looks, missed;
	const char *targets; /* what was asked for, in one line, escaped */
};

struct profile_format {
	const char *name;   /* as -f has it */
	const char *ending; /* of the files' names, by which it is chosen too: ".svg" */
	const char *summary;
	bool is_binary; /* nothing for a terminal */
	/* Writes it all; write errors stay in the stream for the caller (ferror()). */
	void (*write)(const struct profile *profile, const struct recording *recording, FILE *out);
};

/* The format of that name, or NULL. */
const struct profile_format *profile_format_find(const char *name);

/* The one that the file's name asks for, or NULL. */
const struct profile_format *profile_format_of_file(const char *path);

/* All of them, the default first; NULL ends the table. */
extern const struct profile_format *const profile_formats[];

extern const struct profile_format profile_folded, profile_pprof, profile_svg;
