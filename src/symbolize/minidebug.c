// SPDX-License-Identifier: Apache-2.0
#include "symbolize/minidebug.h"

#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>

#include "util/memory.h"

/* Fedora's largest sections of this kind are some MiB, compressed with a dictionary of 8 MiB. */
#define COMPRESSED_LIMIT (32 * 1024 * 1024)
#define DECOMPRESSED_LIMIT (64 * 1024 * 1024)
#define DECODER_MEMORY_LIMIT (128 * 1024 * 1024)

/* Decompresses to a heap array of *size bytes; NULL where the data is broken or too large. */
static uint8_t *decompress(const Elf_Data *data, size_t *size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t capacity = 4 * data->d_size + 4096;
	uint8_t *bytes = NULL;
	lzma_ret status;

	if (lzma_stream_decoder(&stream, DECODER_MEMORY_LIMIT, 0) != LZMA_OK)
		return NULL;
	stream.next_in = data->d_buf;
	stream.avail_in = data->d_size;
	do {
		if (stream.total_out == capacity)
			capacity *= 2;
		if (capacity > DECOMPRESSED_LIMIT)
			capacity = DECOMPRESSED_LIMIT;
		bytes = reallocate(bytes, capacity, 1);
		stream.next_out = bytes + stream.total_out;
		stream.avail_out = capacity - stream.total_out;
		status = lzma_code(&stream, LZMA_FINISH);
	} while (status == LZMA_OK && !stream.avail_out && stream.total_out < DECOMPRESSED_LIMIT);
	*size = stream.total_out;
	lzma_end(&stream);
	if (status == LZMA_STREAM_END)
		return bytes;
	free(bytes);
	return NULL;
}

struct image *minidebug_open(const struct image *image)
{
	Elf64_Shdr header;
	Elf_Scn *section = elf_section(image->elf, ".gnu_debugdata", &header);
	size_t size = 0;

	if (!section || header.sh_type != SHT_PROGBITS || header.sh_size > COMPRESSED_LIMIT)
		return NULL;
	const Elf_Data *data = elf_rawdata(section, NULL);
	uint8_t *bytes = data && data->d_buf ? decompress(data, &size) : NULL;
	return bytes ? image_create_from_bytes(bytes, size, image->path) : NULL;
}
