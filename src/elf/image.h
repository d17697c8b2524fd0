// SPDX-License-Identifier: Apache-2.0
/*
 * Image: an ELF file that processes have mapped, opened once for all of them.
 *
 * An image is hostile: it may be cut off, changed while it is read, or built to
 * mislead. It is read with pread (ELF_C_READ), never mapped, so that a file that
 * shrinks gives a short read and not SIGBUS.
 */
#pragma once

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct image {
	const char *path;     /* as mapped, raw */
	const char *build_id; /* hexadecimal; NULL: none */
	int fd;               /* -1: read from the target's memory (the vDSO) */
	Elf *elf;             /* NULL: not a usable ELF file; `problem` tells why */
	const char *problem;
	uint16_t machine;     /* e_machine */

	/* Executable and other PT_LOAD segments, by rising address. */
	struct segment {
		uint64_t address, offset, file_size, memory_size;
		bool executable;
	} *segments;
	size_t segment_count;

	/*
	 * The separate debug file, found once when image_debug() is first asked; NULL: none.
	 * `dwarf` is that of the debug file, or of the image itself; NULL: no DWARF.
	 */
	bool debug_sought;
	int debug_fd;
	Elf *debug_elf;
	Dwarf *dwarf;

	void *symbols; /* symbolize/'s own; freed with free_symbols */
	void (*free_symbols)(void *symbols);
	void *rows; /* unwind/'s own; freed with free_rows */
	void (*free_rows)(void *rows);
};

/*
 * Finds the image's separate debug file, by build id, then by .gnu_debuglink with its
 * CRC, under the target's root and this one's, and its DWARF. Idempotent; @root is a
 * directory descriptor of the target's root, or -1.
 */
void image_find_debug(struct image *image, int root);
