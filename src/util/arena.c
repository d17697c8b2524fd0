// SPDX-License-Identifier: Apache-2.0
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* Shared blocks grow, so that many small arenas stay small. */
#define FIRST_BLOCK_SIZE (4 * 1024)
#define LAST_BLOCK_SIZE (64 * 1024)

struct block {
	struct block *next;
	alignas(max_align_t) unsigned char bytes[];
};

/* Memory that came from elsewhere. */
struct adopted {
	struct adopted *next;
	void *memory;
};

struct arena {
	struct block *blocks;
	struct adopted *adopted;
	unsigned char *free; /* within the newest shared block; not zeroed */
	size_t left;
	size_t block_size; /* of that block */
};

struct arena *arena_create(void)
{
	return allocate_zeroed(1, sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	for (struct adopted *adopted = arena->adopted; adopted; adopted = adopted->next)
		free(adopted->memory);
	for (struct block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void arena_destroy_at(struct arena **arena)
{
	arena_destroy(*arena);
}

static unsigned char *add_block(struct arena *arena, struct block *block)
{
	block->next = arena->blocks;
	arena->blocks = block;
	return block->bytes;
}

static void add_shared_block(struct arena *arena)
{
	size_t size = arena->block_size ? arena->block_size * 2 : FIRST_BLOCK_SIZE;

	if (size > LAST_BLOCK_SIZE)
		size = LAST_BLOCK_SIZE;
	arena->block_size = size;
	arena->free = add_block(arena, allocate(sizeof(struct block) + size));
	arena->left = size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + !size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > FIRST_BLOCK_SIZE / 2 && size > arena->left) /* leaves the shared one in use */
		return add_block(arena, allocate_zeroed(1, sizeof(struct block) + size));
	if (size > arena->left)
		add_shared_block(arena);
	void *memory = arena->free;
	arena->free += size;
	arena->left -= size;
	return memset(memory, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory();
	return arena_alloc(arena, total);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

void arena_adopt(struct arena *arena, void *memory)
{
	struct adopted *adopted = arena_new(arena, struct adopted, 1);

	*adopted = (struct adopted){arena->adopted, memory};
	arena->adopted = adopted;
}

char *arena_strdup(struct arena *arena, const char *string)
{
	return string ? arena_copy(arena, string, strlen(string) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *string, size_t length)
{
	if (!string)
		return NULL;
	length = strnlen(string, length);
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, string, length);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
	va_list again;

	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		out_of_memory();
	char *string = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(string, (size_t)length + 1, format, arguments);
	return string;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *string = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return string;
}
