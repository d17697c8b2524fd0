// SPDX-License-Identifier: Apache-2.0
/*
 * Rows: what of a look the table shows, and in what order. A pure function of the look and the
 * user's settings; it knows of no terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process.h"
#include "top/facts.h"

/* How much a thread's plight is of interest: what hurts most stands first. */
enum pain {
	PAIN_DEADLOCKED, /* or behind those that are */
	PAIN_RUNNING,
	PAIN_UNINTERRUPTIBLE,
	PAIN_HELD, /* somebody that is known holds it up */
	PAIN_WAITING,
	PAIN_RESTING,
	PAINS,
};

enum row_kind { ROWS_THREADS, ROWS_PROCESSES, ROWS_STACKS, ROW_KINDS };

struct column;

/* What the user has set. */
struct row_settings {
	enum row_kind kind;
	const struct column *sort; /* NULL: by what hurts most */
	bool reversed;
	bool hides_resting;
	const char *states; /* only these; "" or NULL: all */
	bool of_one_user;
	uid_t uid;
	const char *filter; /* only rows with that in a cell, in whatever case; "" or NULL: all */
};

struct row {
	const struct look *look;
	const struct process *process;
	const struct thread *thread; /* stands for the row: the one of most interest */
	const struct thread **threads;
	size_t count; /* of threads; 1 or more */
	enum pain pain;
	uint32_t changed; /* by facet */
	bool is_new;
	bool count_changed;
	const char *key; /* the cell that rows are sorted by; NULL: empty, or not needed */
};

struct rows {
	struct row *items;
	size_t count;
	size_t threads;      /* in the rows and hidden; after the filters */
	size_t hidden;       /* rows that rest */
	size_t pains[PAINS]; /* threads */
};

/* The word for it: "held up". Static. */
const char *pain_name(enum pain pain);

enum pain thread_pain(const struct process *process, const struct thread *thread);

/* The rows of @look, whose facts may be NULL, in @arena; they borrow the look. */
struct rows rows_build(const struct look *look, const struct facts *facts,
	const struct row_settings *settings, struct arena *arena);
