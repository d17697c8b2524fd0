// SPDX-License-Identifier: Apache-2.0
#include "elf/mapped_file.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "elf/images.h"
#include "util/memory.h"

#define SIZE_LIMIT (64u << 20)

static bool is_wanted(const struct mapping *mapping, const struct mapping *first)
{
	return mapping->inode == first->inode && mapping->device == first->device &&
	       mapping->readable && !mapping->writable;
}

struct image *mapped_file_image(struct images *images, const struct memory *memory,
	const struct mappings *mappings, size_t first, size_t last)
{
	const struct mapping *begin = &mappings->items[first];
	uint64_t size = 0;
	Elf64_Ehdr header;

	if (!memory || begin->offset != 0 || !is_wanted(begin, begin) ||
		begin->end - begin->start < sizeof(header))
		return NULL;
	for (size_t i = first; i <= last; i++) {
		const struct mapping *mapping = &mappings->items[i];
		uint64_t length = mapping->end - mapping->start;

		if (!is_wanted(mapping, begin))
			continue;
		if (length > SIZE_LIMIT || mapping->offset > SIZE_LIMIT - length)
			return NULL;
		if (mapping->offset + length > size)
			size = mapping->offset + length;
	}
	if (!memory_read(memory, begin->start, &header, sizeof(header)))
		return NULL; /* nor can the rest be had */
	uint8_t *bytes = allocate_zeroed(size, 1);
	for (size_t i = first; i <= last; i++) {
		const struct mapping *mapping = &mappings->items[i];

		/* A short read is a file that ends within the mapping. */
		if (is_wanted(mapping, begin))
			memory->read(memory, mapping->start, bytes + mapping->offset,
				mapping->end - mapping->start);
	}
	memcpy(&header, bytes, sizeof(header));
	header.e_shoff = 0;
	header.e_shnum = 0;
	header.e_shstrndx = 0;
	memcpy(bytes, &header, sizeof(header));
	return images_bytes(images, bytes, size, begin->path);
}
