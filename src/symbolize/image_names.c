// SPDX-License-Identifier: Apache-2.0
#include "symbolize/image_names.h"

#include <stdlib.h>

#include "util/address_table.h"
#include "util/memory.h"

struct known_address {
	struct address_names names;
	bool has_symbol, has_source; /* looked up; it may still be that there is none */
};

/* What image->symbols points to. */
struct image_names {
	struct arena *arena;
	struct address_table table;
	struct known_address *known; /* by their number in the table */
	size_t capacity;
	struct lines *lines;       /* NULL: not asked for yet */
	bool measured, is_quick;   /* whether its lines are found soon enough for LINES_QUICK */
	struct data_symbols *data; /* NULL: not asked for yet, or none */
	bool data_sought;
};

static void destroy(void *pointer)
{
	struct image_names *names = pointer;

	lines_destroy(names->lines);
	data_symbols_destroy(names->data);
	address_table_deinit(&names->table);
	free(names->known);
	arena_destroy(names->arena);
	free(names);
}

static struct image_names *names_of(struct image *image)
{
	if (!image->symbols) {
		struct image_names *names = allocate_zeroed(1, sizeof(*names));

		names->arena = arena_create();
		image->symbols = names;
		image->free_symbols = destroy;
	}
	return image->symbols;
}

static struct known_address *know(struct image_names *names, uint64_t address)
{
	size_t number;

	if (address_table_add(&names->table, address, 0, &number)) {
		while (number >= names->capacity) {
			names->capacity = names->capacity ? 2 * names->capacity : 64;
			names->known =
				reallocate(names->known, names->capacity, sizeof(*names->known));
		}
		names->known[number] = (struct known_address){0};
	}
	return &names->known[number];
}

static void add_symbols(struct image_names *names, struct image *image, struct root *root,
	const uint64_t *addresses, size_t count)
{
	uint64_t *missing cleanup_free = allocate(count * sizeof(*missing));
	struct symbol *symbols cleanup_free = allocate(count * sizeof(*symbols));
	size_t missing_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (!know(names, addresses[i])->has_symbol)
			missing[missing_count++] = addresses[i];
	}
	symbols_find(image, root, missing, missing_count, symbols, names->arena);
	for (size_t i = 0; i < missing_count; i++) {
		struct known_address *known = know(names, missing[i]);

		known->names.symbol = symbols[i];
		known->has_symbol = true;
	}
}

static void add_sources(struct image_names *names, struct image *image, struct root *root,
	const uint64_t *addresses, size_t count, size_t *budget)
{
	uint64_t *missing cleanup_free = allocate(count * sizeof(*missing));
	struct source_frames *sources cleanup_free = allocate(count * sizeof(*sources));
	size_t missing_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (!know(names, addresses[i])->has_source)
			missing[missing_count++] = addresses[i];
	}
	if (!missing_count)
		return;
	if (!names->lines)
		names->lines = lines_create(image, root);
	lines_find(names->lines, missing, missing_count, sources, budget, names->arena);
	for (size_t i = 0; i < missing_count; i++) {
		struct known_address *known = know(names, missing[i]);

		known->names.source = sources[i];
		known->has_source = true;
	}
}

#define QUICK_LIMIT (1024 * 1024) /* bytes before unpacking: about 10 ms */

static bool is_worth_it(
	struct image_names *names, struct image *image, struct root *root, enum lines_wanted lines)
{
	if (lines == LINES_QUICK && !names->measured) {
		names->measured = true;
		names->is_quick = image_compressed_debug_size(image, root) <= QUICK_LIMIT;
	}
	return lines == LINES_ALL || (lines == LINES_QUICK && names->is_quick);
}

void image_names_find(struct image *image, struct root *root, enum lines_wanted lines,
	const uint64_t *addresses, size_t count, struct address_names *found, size_t *budget)
{
	struct image_names *names = names_of(image);
	bool sources = is_worth_it(names, image, root, lines);

	add_symbols(names, image, root, addresses, count);
	if (sources)
		add_sources(names, image, root, addresses, count, budget);
	for (size_t i = 0; i < count; i++) {
		found[i] = know(names, addresses[i])->names;
		if (!sources)
			found[i].source = (struct source_frames){0};
	}
}

struct data_symbols *image_data_symbols(struct image *image, struct root *root)
{
	struct image_names *names = names_of(image);

	if (!names->data_sought) {
		names->data_sought = true;
		names->data = data_symbols_create(image, root, names->arena);
	}
	return names->data;
}
