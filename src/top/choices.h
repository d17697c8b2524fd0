// SPDX-License-Identifier: Apache-2.0
/* Choices: lists from which the user picks, on the screen instead of the table. */
#pragma once

#include "top/state.h"

struct choice_kind {
	const char *title;
	size_t count;
	const char *(*name)(size_t i);
	const char *(*summary)(size_t i);
	bool (*is_set)(const struct top *top, size_t i);
	/* Picks the item; whether the list closes then. */
	bool (*pick)(struct top *top, size_t i);
	void (*move)(struct top *top, size_t i, int step); /* NULL: they have no order */
};

extern const struct choice_kind choice_columns, choice_order;

void choice_open(struct top *top, const struct choice_kind *kind, size_t selected);
