// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as Go's table of functions. The first tells the version, the next six where its slices
 * begin; all of them end with the bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtimes/go/pclntab.h"

#define BASE UINT64_C(0x10000)
#define TEXT UINT64_C(0x400000)
#define PARAMETERS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	struct memory memory;
	const uint8_t *data;
	size_t size;
};

static size_t read_bytes(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct bytes *bytes = (const struct bytes *)memory;
	uint64_t offset = address - BASE;

	if (offset >= bytes->size)
		return 0;
	if (length > bytes->size - offset)
		length = bytes->size - offset;
	memcpy(to, bytes->data + offset, length);
	return length;
}

static struct go_table slice(uint8_t start, size_t size)
{
	uint64_t offset = (uint64_t)start * 16 < size ? (uint64_t)start * 16 : size;

	return (struct go_table){BASE + offset, size - offset};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct go_call calls[GO_INLINE_MAX];
	struct go_function function;
	bool uncertain;
	int32_t frame_size;

	if (size < PARAMETERS)
		return 0;
	struct bytes bytes = {{.read = read_bytes}, data + PARAMETERS, size - PARAMETERS};
	struct go_pclntab table = {
		.layout = go_layout_find(GO_FIRST_MINOR + data[0] % 12, &uncertain),
		.memory = &bytes.memory,
		.text = TEXT,
		.etext = TEXT + 0x10000,
		.gofunc = BASE,
		.quantum = data[0] & 0x80 ? 4 : 1,
		.names = slice(data[1], bytes.size),
		.units = slice(data[2], bytes.size),
		.files = slice(data[3], bytes.size),
		.values = slice(data[4], bytes.size),
		.functions = slice(data[5], bytes.size),
		.index = slice(data[6], bytes.size),
		.function_count = data[7],
	};
	struct arena *arena cleanup_arena = arena_create();
	for (uint64_t pc = TEXT; pc < TEXT + 0x2000; pc += 0x1f) {
		if (!go_function_find(&table, pc, &function, arena))
			continue;
		go_frame_size(&table, &function, pc, &frame_size);
		go_calls_find(&table, &function, pc, calls, arena);
	}
	return 0;
}
