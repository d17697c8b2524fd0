// SPDX-License-Identifier: Apache-2.0
#include "profile/format.h"

#include <string.h>

const struct profile_format *const profile_formats[] = {
	&profile_folded,
	&profile_pprof,
	&profile_svg,
	NULL,
};

const struct profile_format *profile_format_find(const char *name)
{
	for (size_t i = 0; profile_formats[i]; i++) {
		if (strcmp(profile_formats[i]->name, name) == 0)
			return profile_formats[i];
	}
	return NULL;
}

static bool ends_in(const char *path, const char *ending)
{
	size_t length = strlen(path), tail = strlen(ending);

	return length > tail && strcmp(path + length - tail, ending) == 0;
}

const struct profile_format *profile_format_of_file(const char *path)
{
	for (size_t i = 0; profile_formats[i]; i++) {
		if (ends_in(path, profile_formats[i]->ending))
			return profile_formats[i];
	}
	return ends_in(path, ".pb.gz") ? &profile_pprof : NULL;
}
