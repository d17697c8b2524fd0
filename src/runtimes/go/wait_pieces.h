// SPDX-License-Identifier: Apache-2.0
/* Pieces: many small structs of the target's, read together, neighbours in one go. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"

#define GO_PIECE_MAX 160 /* bytes */

struct go_piece {
	uint64_t address;
	uint32_t length, number;
};

/* All zero but for the memory: none. Arrays are heap memory. */
struct go_pieces {
	const struct memory *memory;
	struct go_piece *items, *sorted; /* until they are read, by number; then by address */
	size_t count, capacity, read_capacity;
	uint8_t *bytes;        /* what was read */
	const uint8_t **where; /* by number; NULL: it can't be read */
	struct memory_range *ranges;
};

void go_pieces_deinit(struct go_pieces *pieces);

/* Forgets what was read. */
void go_pieces_clear(struct go_pieces *pieces);

/* Adds one of at most GO_PIECE_MAX bytes; its number, from 0 on. */
size_t go_pieces_add(struct go_pieces *pieces, uint64_t address, size_t length);

/* Reads all that were added. */
void go_pieces_read(struct go_pieces *pieces);

/* The bytes of that number, until the next go_pieces_clear(); NULL: they can't be read. */
const uint8_t *go_pieces_get(const struct go_pieces *pieces, size_t number);
