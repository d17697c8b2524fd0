// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/pclntab.h"

#include <string.h>

#include "runtimes/go/functions.h"
#include "util/memory.h"

/* src/internal/abi/symtab.go: of 1.16, of 1.18, of 1.20 and later. */
static const uint32_t magics[] = {0xfffffffa, 0xfffffff0, 0xfffffff1};

#define OFFSETS_MINOR 18 /* since Go 1.18 functions are found by offsets from the text's start */

#define FUNCTIONS_MAX (8u << 20) /* the largest programs have some hundred thousand */
#define STRING_MAX 4096          /* bytes of a name; longer ones are taken for none */
#define PIECE 128                /* bytes of one that are read at once */
#define VALUES_MAX (1u << 20)    /* bytes of one function's table of values */
#define DATA_MAX 64              /* kinds of pcdata and funcdata; Go 1.27 has fewer than 10 */

/* src/internal/abi/symtab.go */
#define PCDATA_INLINE_INDEX 2
#define FUNCDATA_INLINE_TREE 3
#define FLAG_TOP_FRAME 1u
#define FLAG_SP_WRITE 2u

#define NO_OFFSET UINT32_MAX

bool go_pclntab_header_valid(const struct go_pclntab_header *header)
{
	for (size_t i = 0; i < array_length(magics); i++) {
		if (header->magic == magics[i])
			return !header->zero[0] && !header->zero[1] &&
			       (header->quantum == 1 || header->quantum == 4) &&
			       header->pointer_size == 8 && header->function_count &&
			       header->function_count <= FUNCTIONS_MAX;
	}
	return false;
}

static bool has_offsets(const struct go_pclntab *table)
{
	return table->layout->minor >= OFFSETS_MINOR;
}

/* Whether the bytes [offset, offset + length) of a slice could be copied. */
static bool read_slice(const struct go_pclntab *table, const struct go_table *slice,
	uint64_t offset, void *to, size_t length)
{
	if (offset > slice->length || length > slice->length - offset)
		return false;
	return memory_read(table->memory, slice->start + offset, to, length);
}

/* Keeps a string of the table's, as far as the budget goes. */
static const char *keep(
	const struct go_pclntab *table, const char *string, size_t length, struct arena *arena)
{
	size_t size = length + 1;

	if (!length || (table->budget && *table->budget < size))
		return NULL;
	if (table->budget)
		*table->budget -= size;
	return arena_strndup(arena, string, length);
}

/* The string at @offset of the slice, with whatever bytes it has; NULL: none, or too long. */
static const char *read_string(const struct go_pclntab *table, const struct go_table *slice,
	uint64_t offset, struct arena *arena)
{
	char string[STRING_MAX];
	size_t length = 0;

	while (offset < slice->length && length < sizeof(string)) {
		size_t wanted = sizeof(string) - length < PIECE ? sizeof(string) - length : PIECE;

		if (wanted > slice->length - offset)
			wanted = slice->length - offset;
		if (!memory_read(table->memory, slice->start + offset, string + length, wanted))
			return NULL;
		const char *end = memchr(string + length, '\0', wanted);
		if (end)
			return keep(table, string, (size_t)(end - string), arena);
		length += wanted;
		offset += wanted;
	}
	return NULL;
}

/* Entry @number of the index: where that function begins, and the offset of its _func. */
static bool read_index(
	const struct go_pclntab *table, uint64_t number, uint64_t *entry, uint64_t *offset)
{
	uint64_t wide[2];
	uint32_t narrow[2];

	if (!has_offsets(table)) {
		if (!read_slice(table, &table->index, number * sizeof(wide), wide, sizeof(wide)))
			return false;
		*entry = wide[0];
		*offset = wide[1];
		return true;
	}
	if (!read_slice(table, &table->index, number * sizeof(narrow), narrow, sizeof(narrow)))
		return false;
	*entry = table->text + narrow[0];
	*offset = narrow[1];
	return true;
}

/* The number of the last function that begins at @pc or below. */
static bool search_index(const struct go_pclntab *table, uint64_t pc, uint64_t *number)
{
	uint64_t low = 0, high = table->function_count, entry, offset;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (!read_index(table, middle, &entry, &offset))
			return false;
		if (entry <= pc)
			low = middle;
		else
			high = middle;
	}
	*number = low;
	return true;
}

bool go_function_find(const struct go_pclntab *table, uint64_t pc, struct go_function *function,
	struct arena *arena)
{
	const struct go_layout *layout = table->layout;
	uint64_t number, next_offset, offset;
	uint8_t bytes[64] = {0};

	if (pc < table->text || pc >= table->etext || layout->func.nfuncdata >= sizeof(bytes))
		return false;
	*function = (struct go_function){0};
	if (!search_index(table, pc, &number) ||
		!read_index(table, number, &function->entry, &offset) ||
		!read_index(table, number + 1, &function->end, &next_offset))
		return false;
	if (pc < function->entry || pc >= function->end)
		return false;
	if (!read_slice(table, &table->functions, offset, bytes, layout->func.nfuncdata + 1u))
		return false;
	function->address = table->functions.start + offset;
	function->pcsp = go_u32(bytes, layout->func.pcsp);
	function->pcfile = go_u32(bytes, layout->func.pcfile);
	function->pcln = go_u32(bytes, layout->func.pcln);
	function->unit = go_u32(bytes, layout->func.cu_offset);
	function->data_count = go_u32(bytes, layout->func.npcdata);
	function->funcdata_count = bytes[layout->func.nfuncdata];
	if (function->data_count > DATA_MAX)
		return false;
	function->name = read_string(table, &table->names, go_u32(bytes, layout->func.name), arena);
	if (!function->name)
		return false;

	uint8_t flag = layout->func.flag == GO_ABSENT ? 0 : bytes[layout->func.flag];
	function->writes_sp = flag & FLAG_SP_WRITE;
	function->kind = go_function_kind(function->name);
	function->is_panic = go_is_panic(function->name);
	if (function->kind == GO_ORDINARY && flag & FLAG_TOP_FRAME)
		function->kind = GO_OUTERMOST;
	if (function->kind == GO_ORDINARY && bytes[layout->func.func_id] == layout->wrapper)
		function->kind = GO_WRAPPER;
	if (function->kind == GO_ORDINARY && flag & FLAG_SP_WRITE)
		function->kind = GO_STACK_SWITCH;
	return true;
}

/* Reads a table of values byte by byte, some at a time. */
struct value_reader {
	const struct go_pclntab *table;
	uint64_t offset; /* in table->values, of what is read next */
	uint64_t limit;
	uint8_t bytes[64];
	size_t at, length;
};

static bool next_byte(struct value_reader *reader, uint8_t *byte)
{
	if (reader->at == reader->length) {
		const struct go_table *values = &reader->table->values;
		size_t wanted = sizeof(reader->bytes);

		if (reader->offset >= values->length || reader->offset >= reader->limit)
			return false;
		if (wanted > values->length - reader->offset)
			wanted = values->length - reader->offset;
		if (!memory_read(reader->table->memory, values->start + reader->offset,
			    reader->bytes, wanted))
			return false;
		reader->offset += wanted;
		reader->length = wanted;
		reader->at = 0;
	}
	*byte = reader->bytes[reader->at++];
	return true;
}

static bool next_number(struct value_reader *reader, uint32_t *number)
{
	uint8_t byte;

	*number = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (!next_byte(reader, &byte))
			return false;
		*number |= (uint32_t)((uint64_t)(byte & 0x7f) << shift);
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/*
 * The value that the table at @offset has for @pc: pairs of a difference of the value, zigzag, and
 * one of the pc, src/runtime/symtab.go, pcvalue() and step().
 */
static bool find_value(const struct go_pclntab *table, const struct go_function *function,
	uint32_t offset, uint64_t pc, int32_t *value)
{
	struct value_reader reader = {
		.table = table, .offset = offset, .limit = (uint64_t)offset + VALUES_MAX};
	uint64_t at = function->entry;
	uint32_t difference, advance, current = UINT32_MAX;

	if (!offset)
		return false;
	for (bool is_first = true;; is_first = false) {
		if (!next_number(&reader, &difference) || (!difference && !is_first) ||
			!next_number(&reader, &advance))
			return false;
		current += difference & 1 ? ~(difference >> 1) : difference >> 1;
		at += (uint64_t)advance * table->quantum;
		if (pc < at) {
			*value = (int32_t)current;
			return true;
		}
	}
}

bool go_frame_size(const struct go_pclntab *table, const struct go_function *function, uint64_t pc,
	int32_t *size)
{
	return find_value(table, function, function->pcsp, pc, size);
}

/* Word @index of the function's pcdata or, after these, of its funcdata. */
static bool read_data_word(const struct go_pclntab *table, const struct go_function *function,
	uint32_t index, uint32_t *word)
{
	uint64_t offset = function->address - table->functions.start +
			  table->layout->func.nfuncdata + 1 + (uint64_t)index * sizeof(*word);

	return read_slice(table, &table->functions, offset, word, sizeof(*word));
}

uint64_t go_funcdata(
	const struct go_pclntab *table, const struct go_function *function, unsigned number)
{
	uint32_t words[2];

	if (function->funcdata_count <= number)
		return 0;
	if (has_offsets(table)) {
		if (!read_data_word(table, function, function->data_count + number, &words[0]) ||
			words[0] == NO_OFFSET)
			return 0;
		return table->gofunc + words[0];
	}
	uint64_t address = function->address + table->layout->func.nfuncdata + 1 +
			   (uint64_t)function->data_count * sizeof(uint32_t);
	uint32_t index = function->data_count + (address & 4 ? 1 : 0) + 2 * number;
	if (!read_data_word(table, function, index, &words[0]) ||
		!read_data_word(table, function, index + 1, &words[1]))
		return 0;
	return words[0] | (uint64_t)words[1] << 32;
}

bool go_pcdata(const struct go_pclntab *table, const struct go_function *function, unsigned number,
	uint64_t pc, int32_t *value)
{
	uint32_t offset;

	return function->data_count > number && read_data_word(table, function, number, &offset) &&
	       find_value(table, function, offset, pc, value);
}

static void set_line(const struct go_pclntab *table, const struct go_function *function,
	uint64_t pc, struct go_call *call, struct arena *arena)
{
	int32_t file, line;
	uint32_t name;

	/* src/runtime/symtab.go, funcfile() and funcline1() */
	if (!find_value(table, function, function->pcfile, pc, &file) || file < 0 ||
		!read_slice(table, &table->units,
			((uint64_t)function->unit + (uint32_t)file) * sizeof(name), &name,
			sizeof(name)) ||
		name == NO_OFFSET || !find_value(table, function, function->pcln, pc, &line))
		return;
	call->file = read_string(table, &table->files, name, arena);
	if (call->file && line > 0)
		call->line = (unsigned)line;
}

size_t go_calls_find(const struct go_pclntab *table, const struct go_function *function,
	uint64_t pc, struct go_call calls[GO_INLINE_MAX], struct arena *arena)
{
	const struct go_layout *layout = table->layout;
	uint64_t tree = go_funcdata(table, function, FUNCDATA_INLINE_TREE);
	uint32_t index_table;
	uint8_t entry[32];
	int32_t index;
	size_t count = 0;

	if (!tree || function->data_count <= PCDATA_INLINE_INDEX ||
		!read_data_word(table, function, PCDATA_INLINE_INDEX, &index_table))
		index_table = 0;
	while (count < GO_INLINE_MAX - 1 && index_table &&
		find_value(table, function, index_table, pc, &index) && index >= 0) {
		struct go_call *call = &calls[count];
		uint64_t address = tree + (uint64_t)index * layout->inlined.size;

		if (!memory_read(table->memory, address, entry, layout->inlined.size))
			break;
		const char *name = read_string(
			table, &table->names, go_u32(entry, layout->inlined.name), arena);
		uint64_t parent = function->entry + go_u32(entry, layout->inlined.parent_pc);
		if (!name || parent < function->entry || parent >= function->end)
			break;
		*call = (struct go_call){
			.name = name,
			.is_wrapper = entry[layout->inlined.func_id] == layout->wrapper,
			.is_panic = go_is_panic(name),
		};
		set_line(table, function, pc, call, arena);
		count++;
		pc = parent;
	}
	calls[count] = (struct go_call){
		.name = function->name,
		.is_wrapper = function->kind == GO_WRAPPER,
		.is_panic = function->is_panic,
	};
	set_line(table, function, pc, &calls[count], arena);
	return count + 1;
}
