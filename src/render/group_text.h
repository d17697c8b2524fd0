// SPDX-License-Identifier: Apache-2.0
/* What a group of threads or of goroutines has in common in text output: ids and waits. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/process.h"
#include "render/page.h"

/*
 * Appends the @count rising @ids as "4242, 4250–4255". False where that is longer than @columns:
 * then only those were appended that fit, at least one.
 */
bool ids_append(struct text *text, const uint64_t *ids, size_t count, size_t columns);

/* The ids in a labelled block of a few lines. */
void ids_put(struct page *page, const char *label, const uint64_t *ids, size_t count);

/* How often a word stands in a list. */
struct word_count {
	const char *word;
	size_t count;
};

/* Adds up equal words of @count and orders them, the most frequent first; how many are left. */
size_t words_add_up(struct word_count *words, size_t count);

/* One sentence that several of a group share. */
struct shared_wait {
	const struct wait *wait; /* of the first one */
	uint64_t first;          /* the lowest id that has it */
	size_t count;
};

/*
 * Different sentences of one group of "thread"s or "goroutine"s (@noun): the most frequent, each
 * with whose it is and whom that one is on. @waits has one entry for each that waits, and is used
 * up.
 */
void waits_put(struct page *page, const struct process *process, struct shared_wait *waits,
	size_t count, const char *noun);
