// SPDX-License-Identifier: Apache-2.0
/*
 * Alternate: the debug information that dwz moved out of several files into a common one,
 * named by .gnu_debugaltlink.
 *
 * libdw would open it by itself, with a plain open() of a path that is the target's choice: a
 * FIFO there would hold us for ever. So it is opened here, and libdw is not let near a file whose
 * alternate is missing.
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "elf/image.h"

struct alternate {
	Dwarf *dwarf; /* NULL: none is needed, or none was found */
	int fd;
};

/*
 * Finds the alternate file of image->dwarf by build id and name, under the target's root (@root,
 * or -1) and this one's, and hands it to libdw. false: one is needed and was not found, and
 * image->dwarf must not be asked for names. To be given back with alternate_close().
 */
bool alternate_open(struct alternate *alternate, const struct image *image, int root);
void alternate_close(struct alternate *alternate);
