// SPDX-License-Identifier: Apache-2.0
/*
 * Mapped file: what a process has mapped of a file that can't be opened any more, as one that was
 * deleted and may only be reached with more rights. It has the code and its unwind information,
 * but not the section headers.
 */
#pragma once

#include "elf/modules.h"
#include "model/mapping.h"
#include "model/memory.h"

/*
 * The image in memory of the file that @mappings [@first, @last] show, owned by @images; what is
 * writable there is left out. NULL: it can't be read, or is too large for that.
 */
struct image *mapped_file_image(struct images *images, const struct memory *memory,
	const struct mappings *mappings, size_t first, size_t last);
