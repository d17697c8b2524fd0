// SPDX-License-Identifier: Apache-2.0
/*
 * Columns: what the table can tell of a row.
 *
 * To add one: fill in one struct column in the table of columns.c, and name it in enum column_id.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "top/facts.h"
#include "top/rows.h"
#include "util/text.h"

struct column {
	const char *name; /* as --columns has it */
	const char *title;
	const char *summary;
	unsigned least; /* screen columns */
	unsigned most;  /* up to so many where there is room */
	bool right;     /* its cells end at its right edge */
	bool is_default;
	int facet; /* whose change marks it; -1: none */
	void (*append)(struct text *text, const struct row *row); /* the cell; escaped */
	/* Negative where @left stands first, as people want it when they sort by it; NULL: by what
	 * the cell reads. */
	int (*compare)(const struct row *left, const struct row *right);
};

enum column_id {
	COLUMN_PID,
	COLUMN_TID,
	COLUMN_THREADS,
	COLUMN_UID,
	COLUMN_COMM,
	COLUMN_STATE,
	COLUMN_TIME,
	COLUMN_WAIT,
	COLUMN_HOLDER,
	COLUMN_WAITERS,
	COLUMN_SYSCALL,
	COLUMN_KERNEL,
	COLUMN_USER,
	COLUMNS,
};

extern const struct column column_table[COLUMNS];

/* Those that are shown, in that order. */
struct column_list {
	const struct column *items[COLUMNS];
	size_t count;
};

void columns_default(struct column_list *list);

/*
 * Reads "pid,comm,wait". False where a name is not known or stands twice: it is in @word then,
 * of @length bytes; or where no name is there: then @length is 0.
 */
bool columns_parse(const char *names, struct column_list *list, const char **word, size_t *length);

/* The column that is shown for @column among rows of that kind: of many threads their number. */
const struct column *column_among(const struct column *column, enum row_kind kind);

/* Adds a column at the end of the list, or takes it away; the last one stays. */
void columns_toggle(struct column_list *list, const struct column *column);

/* Moves a column that is shown, @step places. */
void columns_move(struct column_list *list, const struct column *column, int step);

bool columns_have(const struct column_list *list, const struct column *column);

/*
 * How wide the columns are from the @first on in a line of @width, in @widths; how many of them are
 * there, the last one cut where it must be. One space stands between two.
 */
size_t columns_lay_out(const struct column_list *list, enum row_kind kind, size_t first,
	unsigned width, unsigned widths[COLUMNS]);

/* Negative where @left stands first. Of a column that is compared by text, rows have their key. */
int column_compare(const struct column *column, const struct row *left, const struct row *right);
