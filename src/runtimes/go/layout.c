// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static const struct go_layout layouts[] = {
#include "runtimes/go/layout_table.inc"
};

const struct go_layout *go_layout_find(unsigned minor, bool *uncertain)
{
	const struct go_layout *newest = &layouts[array_length(layouts) - 1];

	*uncertain = minor > newest->minor;
	if (*uncertain)
		return newest;
	for (size_t i = 0; i < array_length(layouts); i++) {
		if (layouts[i].minor == minor)
			return &layouts[i];
	}
	return NULL;
}

bool go_version_minor(const char *version, unsigned *minor)
{
	const char *at = strstr(version, "go1.");

	if (!at || !isdigit((unsigned char)at[4]))
		return false;
	unsigned long value = strtoul(at + 4, NULL, 10);
	*minor = value < 1000 ? (unsigned)value : 1000;
	return true;
}
