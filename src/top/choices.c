// SPDX-License-Identifier: Apache-2.0
#include "top/choices.h"

static const char *column_name(size_t i)
{
	return column_table[i].name;
}

static const char *column_summary(size_t i)
{
	return column_table[i].summary;
}

static bool column_is_shown(const struct top *top, size_t i)
{
	return columns_have(&top->columns, &column_table[i]);
}

static bool toggle_column(struct top *top, size_t i)
{
	columns_toggle(&top->columns, &column_table[i]);
	top->first_column = 0;
	return false;
}

static void move_column(struct top *top, size_t i, int step)
{
	columns_move(&top->columns, &column_table[i], step);
}

/* The order by what hurts stands before those by the columns. */
static const char *order_name(size_t i)
{
	return i ? column_table[i - 1].name : "hurts";
}

static const char *order_summary(size_t i)
{
	return i ? column_table[i - 1].summary : "what hurts most first";
}

static bool order_is_set(const struct top *top, size_t i)
{
	return top->settings.sort == (i ? &column_table[i - 1] : NULL);
}

static bool set_order(struct top *top, size_t i)
{
	top->settings.sort = i ? &column_table[i - 1] : NULL;
	top_rebuild(top);
	return true;
}

const struct choice_kind choice_columns = {"columns: Space shows or hides, < > move", COLUMNS,
	column_name, column_summary, column_is_shown, toggle_column, move_column};
const struct choice_kind choice_order = {"order: Enter sorts by it", COLUMNS + 1, order_name,
	order_summary, order_is_set, set_order, NULL};

void choice_open(struct top *top, const struct choice_kind *kind, size_t selected)
{
	top->mode = MODE_CHOICE;
	top->choice = kind;
	top->choice_selected = selected < kind->count ? selected : 0;
}
