// SPDX-License-Identifier: Apache-2.0
#include "symbolize/data_symbols.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/demangle.h"
#include "symbolize/symbol_table.h"
#include "util/memory.h"

#define CHUNK 1024               /* symbols that are read together */
#define ITEM_LIMIT (1024 * 1024) /* more variables than any real file has */
#define STEP_LIMIT 64            /* symbols that may lie over each other at one address */
#define NAME_LIMIT 4096
#define FILE_NAME_LIMIT 255

struct item {
	uint64_t start, end;
	uint64_t reach;        /* the highest end of all up to here */
	uint32_t name_offset;  /* in the table's names */
	uint32_t file_offset;  /* 0: none */
	const char *name;      /* once it was asked for */
	const char *file_name; /* likewise */
	bool is_local, has_names;
};

struct data_symbols {
	struct sections sections;
	struct symbol_table table;
	struct item *items; /* by rising start */
	size_t count, capacity;
	struct arena *arena;
};

static bool is_variable(const Elf64_Sym *symbol)
{
	return ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT && symbol->st_shndx != SHN_UNDEF &&
	       symbol->st_shndx != SHN_ABS && symbol->st_size && symbol->st_name;
}

/* Takes the table's variables. A local one is of the file that was named last (gABI, "Symbol
 * Table", STT_FILE). */
static void collect(struct data_symbols *symbols)
{
	Elf64_Sym *chunk cleanup_free = allocate(CHUNK * sizeof(*chunk));
	uint32_t file = 0;
	size_t got;

	for (uint64_t at = 0; (got = symbol_table_read(&symbols->table, at, chunk, CHUNK)) > 0;
		at += got) {
		for (size_t i = 0; i < got && symbols->count < ITEM_LIMIT; i++) {
			const Elf64_Sym *symbol = &chunk[i];
			bool is_local = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL;
			uint64_t end;

			if (ELF64_ST_TYPE(symbol->st_info) == STT_FILE)
				file = symbol->st_name;
			if (!is_variable(symbol) ||
				__builtin_add_overflow(symbol->st_value, symbol->st_size, &end))
				continue;
			array_reserve(symbols->items, symbols->count, symbols->capacity);
			symbols->items[symbols->count++] = (struct item){
				.start = symbol->st_value,
				.end = end,
				.name_offset = symbol->st_name,
				.file_offset = is_local ? file : 0,
				.is_local = is_local,
			};
		}
	}
}

/* Of those that start together the narrowest stands last, and of its aliases a global one. */
static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	if (a->is_local != b->is_local)
		return a->is_local ? -1 : 1;
	return a->name_offset > b->name_offset ? -1 : a->name_offset < b->name_offset;
}

/* Whether the image has variables in its table of this type: they are taken then. */
static bool take(struct data_symbols *symbols, const struct image *image, uint32_t type)
{
	sections_init(&symbols->sections, image);
	if (symbol_table_open(&symbols->table, &symbols->sections, type))
		collect(symbols);
	if (symbols->count)
		return true;
	sections_deinit(&symbols->sections);
	return false;
}

static bool take_debug(struct data_symbols *symbols, struct image *image, struct root *root)
{
	image_find_debug(image, root);
	return image->debug && take(symbols, image->debug, SHT_SYMTAB);
}

struct data_symbols *data_symbols_create(
	struct image *image, struct root *root, struct arena *arena)
{
	struct data_symbols *symbols = allocate_zeroed(1, sizeof(*symbols));
	uint64_t reach = 0;

	symbols->arena = arena;
	if (!take(symbols, image, SHT_SYMTAB) && !take_debug(symbols, image, root) &&
		!take(symbols, image, SHT_DYNSYM)) {
		data_symbols_destroy(symbols);
		return NULL;
	}
	qsort(symbols->items, symbols->count, sizeof(*symbols->items), compare_items);
	for (size_t i = 0; i < symbols->count; i++) {
		if (symbols->items[i].end > reach)
			reach = symbols->items[i].end;
		symbols->items[i].reach = reach;
	}
	return symbols;
}

void data_symbols_destroy(struct data_symbols *symbols)
{
	if (!symbols)
		return;
	sections_deinit(&symbols->sections);
	free(symbols->items);
	free(symbols);
}

/* A name of a source file, and not one that a compiler made for its own parts: "x.7a1b-cgu.0". */
static bool is_source(const struct text *name)
{
	const char *dot = name->length ? strrchr(name->bytes, '.') : NULL;

	return dot && isalpha((unsigned char)dot[1]) && strcmp(dot, ".o") != 0;
}

/* Without what gcc puts behind the name of a variable that is static in a function: "mutex.0". */
static void cut_number(struct text *name)
{
	char *dot = name->length ? strrchr(name->bytes, '.') : NULL;

	if (!dot || dot == name->bytes || !dot[1] || dot[1 + strspn(dot + 1, "0123456789")])
		return;
	*dot = '\0';
	name->length = (size_t)(dot - name->bytes);
}

static void read_names(struct data_symbols *symbols, struct item *item)
{
	struct text name cleanup_text = {0}, file cleanup_text = {0};

	item->has_names = true;
	symbol_table_name(&symbols->table, item->name_offset, NAME_LIMIT, &name);
	if (item->is_local)
		cut_number(&name);
	if (name.length) {
		const char *shown = demangle(name.bytes, symbols->arena);

		item->name = shown == name.bytes ? text_to_arena(&name, symbols->arena) : shown;
	}
	if (item->file_offset)
		symbol_table_name(&symbols->table, item->file_offset, FILE_NAME_LIMIT, &file);
	if (is_source(&file))
		item->file_name = text_to_arena(&file, symbols->arena);
}

/* How many items start at or below the address. */
static size_t count_below(const struct data_symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool data_symbols_find(struct data_symbols *symbols, uint64_t address, struct data_symbol *found)
{
	size_t first = symbols ? count_below(symbols, address) : 0;

	for (size_t i = first; i > 0 && first - i < STEP_LIMIT; i--) {
		struct item *item = &symbols->items[i - 1];

		if (item->reach <= address)
			return false;
		if (item->end <= address)
			continue;
		if (!item->has_names)
			read_names(symbols, item);
		*found = (struct data_symbol){
			.name = item->name, .file = item->file_name, .start = item->start};
		return item->name;
	}
	return false;
}
