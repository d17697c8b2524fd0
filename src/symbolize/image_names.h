// SPDX-License-Identifier: Apache-2.0
/*
 * Image names: what addresses of an image are called. Kept with the image, so that an address
 * that many processes or many looks have in common is looked up once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/image.h"
#include "symbolize/data_symbols.h"
#include "symbolize/lines.h"
#include "symbolize/symbols.h"

struct address_names {
	struct symbol symbol;
	struct source_frames source; /* empty unless lines were asked for */
};

/*
 * Names the @count addresses (those of the file, rising, distinct). Strings belong to the image.
 * @root as in image_find_debug(); *budget as in lines_find(). No DWARF is opened for LINES_NONE.
 */
void image_names_find(struct image *image, struct root *root, enum lines_wanted lines,
	const uint64_t *addresses, size_t count, struct address_names *names, size_t *budget);

/* Its variables, owned by the image; @root as in image_find_debug(). NULL: none. */
struct data_symbols *image_data_symbols(struct image *image, struct root *root);
