// SPDX-License-Identifier: Apache-2.0
/* Watches: the descriptors that a poll() or select() names, read from the target. */
#pragma once

#include "syscalls/argument.h"

struct watches {
	struct watched items[ARRAY_SHOWN]; /* the first of them; events as POLLIN … */
	size_t count;                      /* of items */
	uint64_t total;                    /* of all */
};

/*
 * Adds those of @count struct pollfd at @address, without the negative ones, which poll() skips.
 * false: none could be read.
 */
bool watches_add_pollfds(
	struct watches *watches, const struct memory *memory, uint64_t address, uint64_t count);

/* Adds the set bits below @limit of the fd_set at @address, each with @events. */
bool watches_add_set(struct watches *watches, const struct memory *memory, uint64_t address,
	int limit, uint32_t events);
