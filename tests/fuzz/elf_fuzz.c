// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as an ELF file: opened from a descriptor and from memory, its notes, its call
 * frame information at several addresses, and its debug sections.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/arch.h"
#include "elf/image.h"
#include "unwind/cfi.h"
#include "util/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_into(struct image *image)
{
	if (image->problem)
		return;
	const struct arch *arch =
		image->machine == arch_x86_64.elf_machine ? &arch_x86_64 : &arch_aarch64;
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		for (uint64_t step = 0; step < 64; step++)
			cfi_find(image, arch, NULL,
				segment->address + step * (segment->file_size / 64 + 1));
	}
	image_dwarf(image, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = memcpy(allocate(size), data, size);
	struct image *image = image_create_from_bytes(bytes, size, "");

	look_into(image);
	image_destroy(image);
	int fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		__builtin_trap();
	image = image_create(fd, "");
	look_into(image);
	image_destroy(image);
	return 0;
}
