// SPDX-License-Identifier: Apache-2.0
/*
 * Gap: something that was asked for and could not be shown, kept as data beside
 * what could. A gap never aborts a look.
 */
#pragma once

#include <stddef.h>

#include "util/arena.h"

enum stage {
	STAGE_PROCESS,
	STAGE_THREAD,
	STAGE_KERNEL_STACK,
	STAGE_SYSCALL,
	STAGE_USER_STACK,
	STAGE_SYMBOLS,
	STAGE_DESCRIPTORS,
	STAGE_WAIT,
	STAGE_GOROUTINE,
};

struct gap {
	enum stage stage;
	const char *
		reason; /* with the remedy: "needs CAP_SYS_ADMIN: run with sudo"; escaped already */
	struct gap *next;
};

struct gaps {
	struct gap *first;
	struct gap *last;
};

/* The stage's name in JSON and in messages: "kernel_stack". A static string. */
const char *stage_name(enum stage stage);

/* Adds a gap at the end, unless one with that stage and reason stands there already. */
void gaps_add(struct gaps *gaps, struct arena *arena, enum stage stage, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same gaps, in @arena, so that some can be added. */
struct gaps gaps_copy(const struct gaps *gaps, struct arena *arena);

/* for_each_gap (gap, &thread->gaps) { … } */
#define for_each_gap(item, gaps)                                                                   \
	for (const struct gap *item = (gaps)->first; item; item = item->next)
