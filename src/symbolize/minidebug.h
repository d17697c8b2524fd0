// SPDX-License-Identifier: Apache-2.0
/*
 * Minidebug: the .gnu_debugdata section, an xz-compressed ELF file whose .symtab names the local
 * functions of a stripped file (GDB manual, "Debugging information in a special section").
 */
#pragma once

#include "elf/image.h"

/*
 * The ELF file within @image, decompressed; NULL where there is none or it is broken or larger
 * than what real ones are. The caller gives it back with image_destroy().
 */
struct image *minidebug_open(const struct image *image);
