// SPDX-License-Identifier: Apache-2.0
/*
 * Arena: memory that is handed out piece by piece and given back all at once.
 *
 * Everything that one look finds lives in one arena, so nothing of the model is
 * ever freed alone and nothing in it can dangle while the look is rendered.
 * An arena knows nothing of what is kept in it.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new, empty arena; the caller owns it and gives it back with arena_destroy(). */
struct arena *arena_create(void);

/* Frees the arena with all that was allocated from it; NULL is allowed. */
void arena_destroy(struct arena *arena);

/*
 * Zeroed memory of @size bytes, aligned for any type, owned by the arena.
 * Never NULL: when memory is exhausted the program ends (see out_of_memory()).
 */
void *arena_alloc(struct arena *arena, size_t size);

/* The same for an array; an overflow of count * size counts as exhaustion. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of @size bytes at @bytes. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* A copy of the string, or of its first @length bytes; NULL stays NULL. */
char *arena_strdup(struct arena *arena, const char *string);
char *arena_strndup(struct arena *arena, const char *string, size_t length);

/* Makes heap memory the arena's, which frees it when it is destroyed. */
void arena_adopt(struct arena *arena, void *memory);

/* A formatted string. */
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments);

/* For declarations: struct arena *scratch cleanup_arena = arena_create(); */
void arena_destroy_at(struct arena **arena);
#define cleanup_arena __attribute__((cleanup(arena_destroy_at)))

/* Typed allocation: struct frame *frames = arena_new(arena, struct frame, count); */
#define arena_new(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))
