// SPDX-License-Identifier: Apache-2.0
/*
 * Minidebug: the .gnu_debugdata section, an xz-compressed ELF file whose .symtab names the local
 * functions of a stripped file (GDB manual, "Debugging information in a special section").
 */
#pragma once

#include <libelf.h>

/*
 * The ELF file within @elf, decompressed; NULL where there is none or it is broken or larger than
 * what real ones are. To be given back with minidebug_close().
 */
struct minidebug {
	Elf *elf; /* in memory */
	void *bytes;
};

void minidebug_open(struct minidebug *minidebug, Elf *elf);
void minidebug_close(struct minidebug *minidebug);
#define cleanup_minidebug __attribute__((cleanup(minidebug_close)))
