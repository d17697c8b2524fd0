// SPDX-License-Identifier: Apache-2.0
#include "symbolize/minidebug.h"

#include <gelf.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* Fedora's largest sections of this kind are some MiB, compressed with a dictionary of 8 MiB. */
#define COMPRESSED_LIMIT (32 * 1024 * 1024)
#define DECOMPRESSED_LIMIT (128 * 1024 * 1024)
#define DECODER_MEMORY_LIMIT (128 * 1024 * 1024)

static Elf_Data *find_section(Elf *elf)
{
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;

		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_PROGBITS ||
			header.sh_size > COMPRESSED_LIMIT)
			continue;
		const char *name = elf_strptr(elf, names, header.sh_name);
		if (name && strcmp(name, ".gnu_debugdata") == 0)
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

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

void minidebug_open(struct minidebug *minidebug, Elf *elf)
{
	const Elf_Data *data = find_section(elf);
	size_t size = 0;

	*minidebug = (struct minidebug){0};
	if (!data || !data->d_buf || !data->d_size)
		return;
	minidebug->bytes = decompress(data, &size);
	if (minidebug->bytes)
		minidebug->elf = elf_memory(minidebug->bytes, size);
}

void minidebug_close(struct minidebug *minidebug)
{
	elf_end(minidebug->elf);
	free(minidebug->bytes);
	*minidebug = (struct minidebug){0};
}
