// SPDX-License-Identifier: Apache-2.0
#include "symbolize/symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/demangle.h"
#include "symbolize/minidebug.h"
#include "symbolize/symbol_table.h"
#include "util/memory.h"
#include "util/search.h"

#define CHUNK 512 /* symbols that are read at once: more would not stay in the nearest cache */

/* More aliases than any real function has; the rest stands behind, in the table's order. */
#define ALIAS_LIMIT 64
#define ALIAS_NAME_LIMIT 1024

/* All names of one look-up together; a table of endless overlapping names gets short ones then. */
#define NAMES_LIMIT (64 * 1024 * 1024)
#define SHORT_NAME_LIMIT 256

/* A symbol that covers addresses. */
struct match {
	uint64_t start;
	uint64_t order;     /* in its table */
	size_t first, last; /* the addresses [first, last) of the search */
	uint32_t name_offset;
	uint8_t type, binding;
	const char *name; /* once it is needed */
};

/* A label: the nearest one below an address. */
struct label {
	bool found;
	uint64_t start;
	uint64_t sized_end; /* the highest end of a sized symbol at or below the address */
	const struct symbol_table *table;
	Elf64_Sym symbol;
};

struct search {
	const uint64_t *addresses; /* of all that is asked for */
	struct symbol *symbols;
	size_t *left;     /* indexes of those without a symbol, rising */
	uint64_t *wanted; /* their addresses */
	size_t left_count;
	struct symbol_table tables[4];
	size_t table_count;
	size_t names_size;
	struct arena *arena;
};

/* Functions, and labels of assembly, within executable sections. */
static bool is_candidate(const struct sections *sections, const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	if (!symbol->st_name)
		return false;
	if (symbol->st_shndx == SHN_XINDEX)
		return true;
	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < sections->count &&
	       sections->items[symbol->st_shndx].executable;
}

/* arm64's marks of code and data among the symbols: "$x", "$d.4" (AAELF64, "Mapping symbols"). */
static bool is_mapping_symbol(const struct symbol_table *table, const Elf64_Sym *symbol)
{
	struct text name cleanup_text = {0};

	if (table->sections->image->machine != EM_AARCH64)
		return false;
	symbol_table_name(table, symbol->st_name, 4, &name);
	return name.length >= 2 && name.bytes[0] == '$' &&
	       (name.bytes[1] == 'x' || name.bytes[1] == 'd') &&
	       (!name.bytes[2] || name.bytes[2] == '.');
}

static unsigned binding_rank(unsigned binding)
{
	return binding == STB_LOCAL ? 2 : binding == STB_WEAK ? 1 : 0;
}

struct alias {
	struct match *match;
	struct text name;
	size_t underscores;
};

static int compare_aliases(const void *left, const void *right)
{
	const struct alias *a = left, *b = right;
	bool label_a = a->match->type == STT_NOTYPE, label_b = b->match->type == STT_NOTYPE;
	unsigned rank_a = binding_rank(a->match->binding), rank_b = binding_rank(b->match->binding);

	if (label_a != label_b)
		return label_a ? 1 : -1;
	if (a->underscores != b->underscores)
		return a->underscores < b->underscores ? -1 : 1;
	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	if (a->name.length != b->name.length)
		return a->name.length < b->name.length ? -1 : 1;
	int order = a->name.length ? strcmp(a->name.bytes, b->name.bytes) : 0;
	return order ? order : a->match->order < b->match->order ? -1 : 1;
}

static int compare_matches(const void *left, const void *right)
{
	const struct match *a = left, *b = right;

	if (a->start != b->start)
		return a->start > b->start ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* Puts the best known of the aliases first. */
static void order_aliases(const struct symbol_table *table, struct match *matches, size_t count)
{
	struct alias aliases[ALIAS_LIMIT];
	struct match sorted[ALIAS_LIMIT];

	if (count > ALIAS_LIMIT)
		count = ALIAS_LIMIT;
	for (size_t i = 0; i < count; i++) {
		struct alias *alias = &aliases[i];

		*alias = (struct alias){.match = &matches[i]};
		symbol_table_name(table, matches[i].name_offset, ALIAS_NAME_LIMIT, &alias->name);
		if (alias->name.length)
			alias->underscores = strspn(alias->name.bytes, "_");
	}
	qsort(aliases, count, sizeof(*aliases), compare_aliases);
	for (size_t i = 0; i < count; i++) {
		sorted[i] = *aliases[i].match;
		text_deinit(&aliases[i].name);
	}
	memcpy(matches, sorted, count * sizeof(*matches));
}

/* The symbol's name as it is shown, or NULL. */
static const char *read_name(
	struct search *search, const struct symbol_table *table, uint32_t offset)
{
	struct text name cleanup_text = {0};
	bool spent = search->names_size >= NAMES_LIMIT;

	symbol_table_name(table, offset, spent ? SHORT_NAME_LIMIT : SYMBOL_NAME_LIMIT, &name);
	if (!name.length)
		return NULL;
	search->names_size += name.length;
	const char *shown = demangle(name.bytes, search->arena);
	return shown == name.bytes ? text_to_arena(&name, search->arena) : shown;
}

/* Collects the symbols of the table that cover an address that is left. */
static struct match *collect_matches(
	const struct search *search, const struct symbol_table *table, size_t *count)
{
	struct match *matches = NULL;
	size_t capacity = 0;
	Elf64_Sym chunk[CHUNK];
	uint64_t lowest = search->wanted[0], highest = search->wanted[search->left_count - 1];

	*count = 0;
	for (uint64_t first = 0; first < table->count;) {
		size_t got = symbol_table_read(table, first, chunk, CHUNK);

		for (size_t i = 0; i < got; i++) {
			const Elf64_Sym *symbol = &chunk[i];
			uint64_t start = symbol->st_value, end = start + symbol->st_size;

			/* One jump for nearly all of a table, and the same way each time. */
			if ((start > highest) | (end <= lowest) | (end <= start))
				continue;
			size_t at = lower_bound(search->wanted, search->left_count, start);
			if (search->wanted[at] >= end || !is_candidate(table->sections, symbol))
				continue;
			array_reserve(matches, *count, capacity);
			matches[(*count)++] = (struct match){
				.start = start,
				.order = first + i,
				.first = at,
				.last = lower_bound(search->wanted, search->left_count, end),
				.name_offset = symbol->st_name,
				.type = ELF64_ST_TYPE(symbol->st_info),
				.binding = ELF64_ST_BIND(symbol->st_info),
			};
		}
		if (!got)
			break;
		first += got;
	}
	return matches;
}

/* The first index from @at on that has not been given away; @next[i] > i where i has been. */
static size_t find_free(size_t *next, size_t at)
{
	while (next[at] != at) {
		next[at] = next[next[at]];
		at = next[at];
	}
	return at;
}

/* Keeps the addresses that still have no symbol. */
static void drop_found(struct search *search)
{
	size_t kept = 0;

	for (size_t i = 0; i < search->left_count; i++) {
		size_t index = search->left[i];

		if (search->symbols[index].name)
			continue;
		search->left[kept] = index;
		search->wanted[kept++] = search->addresses[index];
	}
	search->left_count = kept;
}

/*
 * Gives each address the symbol that covers it and starts last: from the highest start down, each
 * symbol takes what is free within its range, so that no nesting costs more than once.
 */
static void find_sized(struct search *search, const struct symbol_table *table)
{
	size_t count;
	struct match *matches cleanup_free = collect_matches(search, table, &count);
	size_t *next cleanup_free = allocate((search->left_count + 1) * sizeof(*next));

	if (!count)
		return;
	for (size_t i = 0; i <= search->left_count; i++)
		next[i] = i;
	qsort(matches, count, sizeof(*matches), compare_matches);
	for (size_t i = 0, end; i < count; i = end) {
		size_t last = matches[i].last;

		for (end = i + 1; end < count && matches[end].start == matches[i].start; end++)
			last = matches[end].last > last ? matches[end].last : last;
		if (find_free(next, matches[i].first) >= last)
			continue;
		if (end - i > 1)
			order_aliases(table, matches + i, end - i);
		for (size_t j = i; j < end; j++) {
			struct match *match = &matches[j];
			size_t at = find_free(next, match->first);

			if (at < match->last)
				match->name = read_name(search, table, match->name_offset);
			for (; match->name && at < match->last; at = find_free(next, at)) {
				search->symbols[search->left[at]] =
					(struct symbol){.name = match->name, .start = match->start};
				next[at] = at + 1;
			}
		}
	}
	drop_found(search);
}

/* Notes the table's labels, each at the first address that is not below it, and sized ends. */
static void collect_labels(
	const struct search *search, const struct symbol_table *table, struct label *labels)
{
	Elf64_Sym chunk[CHUNK];
	size_t count = search->left_count;

	for (uint64_t first = 0; first < table->count;) {
		size_t got = symbol_table_read(table, first, chunk, CHUNK);

		for (size_t i = 0; i < got; i++) {
			const Elf64_Sym *symbol = &chunk[i];
			uint64_t end;

			if (!is_candidate(table->sections, symbol) ||
				__builtin_add_overflow(symbol->st_value, symbol->st_size, &end))
				continue;
			size_t at = lower_bound(search->wanted, count, end);
			if (at == count)
				continue;
			struct label *label = &labels[at];
			if (symbol->st_size) {
				if (end > label->sized_end)
					label->sized_end = end;
			} else if ((!label->found || end > label->start) &&
				   !is_mapping_symbol(table, symbol)) {
				label->found = true;
				label->start = end;
				label->table = table;
				label->symbol = *symbol;
			}
		}
		if (!got)
			break;
		first += got;
	}
}

/*
 * Labels without a size, for what no sized symbol covers: the nearest below, in the same section,
 * unless a sized symbol stands between: its code has ended and says nothing of what follows.
 */
static void find_labels(struct search *search)
{
	struct label *labels cleanup_free = allocate_zeroed(search->left_count, sizeof(*labels));
	const char *name = NULL;

	for (size_t i = 0; i < search->table_count; i++)
		collect_labels(search, &search->tables[i], labels);
	for (size_t i = 0; i < search->left_count; i++) {
		struct label *label = &labels[i];
		bool same = false;

		if (i) {
			const struct label *below = label - 1;

			if (below->sized_end > label->sized_end)
				label->sized_end = below->sized_end;
			same = !label->found && below->found;
			if (same) {
				label->found = true;
				label->start = below->start;
				label->table = below->table;
				label->symbol = below->symbol;
			}
		}
		if (!same)
			name = NULL;
		if (!label->found || label->start < label->sized_end ||
			!section_holds(
				label->table->sections, label->symbol.st_shndx, search->wanted[i]))
			continue;
		if (!name)
			name = read_name(search, label->table, label->symbol.st_name);
		search->symbols[search->left[i]] = (struct symbol){
			.name = name, .start = label->start, .is_guess = label->table->is_partial};
	}
}

/* Looks into the table of this type, unless all is found already. */
static void search_table(struct search *search, const struct sections *sections, uint32_t type)
{
	struct symbol_table *table = &search->tables[search->table_count];

	if (search->left_count && symbol_table_open(table, sections, type)) {
		search->table_count++;
		find_sized(search, table);
	}
}

void symbols_find(struct image *image, struct root *root, const uint64_t *addresses, size_t count,
	struct symbol *symbols, struct arena *arena)
{
	struct search search = {
		.addresses = addresses, .symbols = symbols, .left_count = count, .arena = arena};
	struct sections own, mini = {0}, debug = {0};
	struct image *minidebug = NULL;

	memset(symbols, 0, count * sizeof(*symbols));
	if (!count || !image->elf)
		return;
	search.left = allocate(count * sizeof(*search.left));
	search.wanted = allocate(count * sizeof(*search.wanted));
	for (size_t i = 0; i < count; i++) {
		search.left[i] = i;
		search.wanted[i] = addresses[i];
	}
	sections_init(&own, image);
	search_table(&search, &own, SHT_SYMTAB);
	search_table(&search, &own, SHT_DYNSYM);
	if (search.left_count) {
		minidebug = minidebug_open(image);
		sections_init(&mini, minidebug);
		search_table(&search, &mini, SHT_SYMTAB);
	}
	if (search.left_count) {
		image_find_debug(image, root);
		sections_init(&debug, image->debug);
		search_table(&search, &debug, SHT_SYMTAB);
	}
	if (search.left_count)
		find_labels(&search);
	sections_deinit(&own);
	sections_deinit(&mini);
	sections_deinit(&debug);
	image_destroy(minidebug);
	free(search.left);
	free(search.wanted);
}
