// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/noted.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define PAGE 4096
#define FILES_MAX 256 /* that are read at once */

/* src/cmd/link/internal/ld/elf.go: ELF_NOTE_GO_NAME, ELF_NOTE_GOBUILDID_TAG. */
#define NOTE_NAME "Go\0"
#define NOTE_BUILD_ID 4

static bool has_go_note(const uint8_t *notes, size_t length)
{
	Elf64_Nhdr header;

	for (size_t at = 0; length - at >= sizeof(header) + sizeof(NOTE_NAME);) {
		memcpy(&header, notes + at, sizeof(header));
		at += sizeof(header);
		if (header.n_type == NOTE_BUILD_ID && header.n_namesz == sizeof(NOTE_NAME) &&
			memcmp(notes + at, NOTE_NAME, sizeof(NOTE_NAME)) == 0)
			return true;
		size_t size = (((size_t)header.n_namesz + 3) & ~(size_t)3) +
			      (((size_t)header.n_descsz + 3) & ~(size_t)3);
		if (size > length - at)
			return false;
		at += size;
	}
	return false;
}

/* Whether the first page of a file shows that note. */
static bool is_noted(const uint8_t *page, size_t length)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (length < sizeof(header))
		return false;
	memcpy(&header, page, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phoff > length ||
		header.e_phentsize != sizeof(segment))
		return false;
	for (size_t i = 0, at = header.e_phoff;
		i < header.e_phnum && length - at >= sizeof(segment); i++, at += sizeof(segment)) {
		memcpy(&segment, page + at, sizeof(segment));
		if (segment.p_type == PT_NOTE && segment.p_offset < length &&
			segment.p_filesz <= length - segment.p_offset &&
			has_go_note(page + segment.p_offset, segment.p_filesz))
			return true;
	}
	return false;
}

const struct mapping *go_noted_next(const struct process *process, size_t *index)
{
	const struct mappings *mappings = &process->mappings;
	uint8_t *pages cleanup_free = allocate((size_t)FILES_MAX * PAGE);
	struct memory_range ranges[FILES_MAX];
	size_t numbers[FILES_MAX];

	while (*index < mappings->count) {
		size_t count = 0;

		for (; *index < mappings->count && count < FILES_MAX; ++*index) {
			const struct mapping *mapping = &mappings->items[*index];

			if (!mapping->inode || mapping->offset || !mapping->readable)
				continue;
			ranges[count] = (struct memory_range){.address = mapping->start,
				.length = PAGE,
				.to = pages + count * PAGE};
			numbers[count++] = *index;
		}
		memory_read_many(process->memory, ranges, count);
		for (size_t i = 0; i < count; i++) {
			if (!is_noted(ranges[i].to, ranges[i].got))
				continue;
			*index = numbers[i] + 1;
			return &mappings->items[numbers[i]];
		}
	}
	return NULL;
}
