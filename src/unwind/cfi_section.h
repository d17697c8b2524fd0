// SPDX-License-Identifier: Apache-2.0
/*
 * CFI section: where call frame information lies in a file, .eh_frame (LSB 5.0, section 10.6)
 * or .debug_frame (DWARF 5, section 6.4.1), and the entry that covers an address.
 */
#pragma once

#include "elf/image.h"
#include "unwind/cfi_program.h"

/* Bytes of an image that are read piece by piece as they are needed. */
struct lazy_bytes {
	const struct image *image;
	uint64_t offset; /* in the file */
	size_t length;
	uint8_t *bytes;  /* those of `loaded` pieces; the image's own where it is in memory */
	uint8_t *loaded; /* one for each piece; NULL: all are there */
};

struct cfi_section {
	bool is_debug_frame;
	uint64_t address; /* of its first byte in the file's address space; 0: .debug_frame */
	struct lazy_bytes bytes;

	/* .eh_frame_hdr's table of 32-bit pairs (function, entry), relative to the header. */
	struct lazy_bytes header;
	uint64_t header_address;
	uint64_t table_offset;
	size_t table_count; /* 0: none */

	/* Without one: all entries by address. */
	bool indexed;
	struct cfi_index_item {
		uint64_t start, end, offset;
	} * index;
	size_t index_count;
};

/* The image's .eh_frame; false: it has none. The caller gives it back with cfi_section_deinit(). */
bool cfi_section_init_eh_frame(struct cfi_section *section, const struct image *image);

/* The same for the .debug_frame of @elf. */
bool cfi_section_init_debug_frame(struct cfi_section *section, Elf *elf);

void cfi_section_deinit(struct cfi_section *section);

/* Whether an entry covers @address; then *entry, which borrows the section's bytes. */
bool cfi_section_find(struct cfi_section *section, uint64_t address, struct cfi_entry *entry);

/*
 * Parses the entry at *offset of the section, and moves *offset to the next. CFI_ENTRY_OTHER: it is
 * a common information entry, or can't be used; CFI_ENTRY_END: there is none.
 */
enum cfi_entry_kind { CFI_ENTRY_FUNCTION, CFI_ENTRY_OTHER, CFI_ENTRY_END };
enum cfi_entry_kind cfi_section_next(
	struct cfi_section *section, uint64_t *offset, struct cfi_entry *entry);
