// SPDX-License-Identifier: Apache-2.0
/*
 * Symbol tables, .gnu_debugdata included, and the demangler: the input is an ELF file, of which
 * all segments are asked for names.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "symbolize/data_symbols.h"
#include "symbolize/demangle.h"
#include "symbolize/symbols.h"
#include "util/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(struct image *image, struct arena *arena)
{
	uint64_t addresses[256];
	struct symbol symbols[256];
	size_t count = 0;

	for (size_t i = 0; i < image->segment_count && count < 256; i++) {
		uint64_t at = image->segments[i].address, last = count ? addresses[count - 1] : 0;

		for (uint64_t step = 1; step && count < 256; step *= 2) {
			uint64_t address = at + step - 1;

			if (address < at || (count && address <= last))
				continue;
			addresses[count++] = last = address;
		}
	}
	struct data_symbols *variables = data_symbols_create(image, NULL, arena);
	for (size_t i = 0; i < count; i++) {
		struct data_symbol found;

		if (data_symbols_find(variables, addresses[i], &found) &&
			(!found.name || found.start > addresses[i]))
			__builtin_trap();
	}
	data_symbols_destroy(variables);
	symbols_find(image, NULL, addresses, count, symbols, arena);
	for (size_t i = 0; i < count; i++) {
		if (symbols[i].name && (symbols[i].start > addresses[i] ||
					       strlen(symbols[i].name) > 2 * SYMBOL_NAME_LIMIT))
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena cleanup_arena = arena_create();
	char *name cleanup_free = allocate(size + 1);
	uint8_t *bytes = allocate(size);

	memcpy(name, data, size);
	name[size] = '\0';
	demangle(name, arena);

	memcpy(bytes, data, size);
	struct image *image = image_create_from_bytes(bytes, size, "/fuzz");
	look_up(image, arena);
	image_destroy(image);
	return 0;
}
