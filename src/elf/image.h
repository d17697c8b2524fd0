// SPDX-License-Identifier: Apache-2.0
/*
 * Image: an ELF file that processes have mapped, opened once for all of them.
 *
 * An image is hostile: it may be cut off, changed while it is read, or built to
 * mislead. It is read with pread (ELF_C_READ), never mapped, so that a file that
 * shrinks gives a short read and not SIGBUS. Its header, program headers and notes
 * are read here, with every bound checked; libelf sees only files that passed.
 */
#pragma once

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/memory.h"
#include "util/error.h"

struct root;

/* A PT_LOAD program header. */
struct segment {
	uint64_t address, offset, file_size, memory_size;
	bool executable;
};

/* A PT_NOTE program header. */
struct notes {
	uint64_t offset, size, alignment;
};

struct image {
	const char *path;     /* as mapped, raw */
	const char *build_id; /* hexadecimal; NULL: none */
	int fd;               /* -1: its bytes were read from the target's memory (the vDSO) */
	uint8_t *bytes;       /* all of them; NULL: they are read from the file when needed */
	uint64_t size;        /* of the file, or of `bytes` */
	Elf *elf;             /* NULL: not a usable ELF file; `problem` tells why */
	Elf *mapped;          /* the same, for libdw; NULL: not asked for, or not trusted */
	const char *problem;
	bool for_debug;   /* it only describes another file: image_create_for_debug() */
	bool trusted;     /* no target can have made it, nor cut it off while it is read */
	uint16_t machine; /* e_machine */
	uint64_t entry;   /* e_entry; 0: none */

	/* PT_LOAD segments, as the file has them; their sizes do not pass the end of the address
	 * space. */
	struct segment *segments;
	size_t segment_count;
	struct notes notes[8]; /* linkers make up to four */
	size_t notes_count;
	struct {
		const char *name; /* NULL: nothing yet */
		uint32_t type;
		bool found;
	} last_note;                   /* what image_has_note() was asked last */
	uint64_t eh_frame_header;      /* PT_GNU_EH_FRAME: address in the file; 0: none */
	uint64_t eh_frame_header_size; /* in bytes */

	/*
	 * By image_find_debug(): the separate debug file, NULL: none. By image_dwarf(): the DWARF
	 * of that file or of the image itself, NULL: none, and what its .gnu_debugaltlink names
	 * (dwz).
	 */
	bool debug_sought, dwarf_sought;
	struct image *debug;
	Elf *debug_elf; /* of `debug` */
	Dwarf *dwarf;
	struct image *alternate;
	Dwarf *alternate_dwarf;

	void *symbols; /* symbolize/'s own; freed with free_symbols */
	void (*free_symbols)(void *symbols);
	void *rows; /* unwind/'s own; freed with free_rows */
	void (*free_rows)(void *rows);
};

/*
 * The image in the file @fd, which it takes over. Never NULL: an unusable file is an
 * image with a problem. The caller gives it back with image_destroy().
 */
struct image *image_create(int fd, const char *path);

/* The same for @size bytes of heap memory, which it takes over. */
struct image *image_create_from_bytes(uint8_t *bytes, size_t size, const char *path);

/*
 * The same for a file that is not mapped but describes one that is: its segments are not
 * looked at, and its build id is that of its section. A trusted
 * one is mapped, not read, once its DWARF is asked for.
 */
struct image *image_create_for_debug(int fd, const char *path, bool trusted);

void image_destroy(struct image *image);

/* Whether @length bytes at @offset of the file could be copied to @to. */
bool image_read(const struct image *image, uint64_t offset, void *to, size_t length);

/*
 * Whether its notes have one of that name, a string literal whose size is with its NUL and padding,
 * and type.
 */
bool image_has_note(struct image *image, const char *name, size_t name_size, uint32_t type);

/* The segment that holds @address of the file in its bytes from the file, or NULL. */
const struct segment *image_segment(const struct image *image, uint64_t address);

/*
 * Finds the image's separate debug file, by build id, then by .gnu_debuglink with its
 * CRC, under this root and the target's, unless it has DWARF of its own. Idempotent; @root is the
 * target's, by whose guard files are opened under either; NULL: there is none.
 */
void image_find_debug(struct image *image, struct root *root);

/*
 * The DWARF of the image or of its separate debug file, owned by the image; NULL: none.
 * The first call takes long where it is compressed: libdw unpacks all of its sections.
 *
 * libdw would by itself open the file that .gnu_debugaltlink names, be it a FIFO: that
 * file is opened here, checked, or replaced by an empty one. It would also open the
 * .dwo file of a skeleton unit, which who walks the DWARF has to keep away from.
 */
Dwarf *image_dwarf(struct image *image, struct root *root);

/* How many bytes of compressed debug sections the separate debug file has; 0 for none. */
uint64_t image_compressed_debug_size(struct image *image, struct root *root);

/*
 * The section of that name, its header in *header; NULL: none. The header is as the file
 * has it; libelf gives no data for a section that lies beyond the file's end.
 */
Elf_Scn *elf_section(Elf *elf, const char *name, Elf64_Shdr *header);

/*
 * The build id in the notes of @length bytes (gABI, "Note Section"), in hexadecimal and
 * heap memory; NULL: none. @alignment is the program header's.
 */
char *build_id_in_notes(const uint8_t *notes, size_t length, uint64_t alignment);

/*
 * The build id of the ELF file whose first page stands at @address of @memory, from the
 * notes that were mapped with it; heap memory, NULL: none or unreadable.
 */
char *build_id_in_memory(const struct memory *memory, uint64_t address);
