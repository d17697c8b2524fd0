// SPDX-License-Identifier: Apache-2.0
/* Pages: what is read line by line instead of the table, made anew with each look. */
#pragma once

#include "render/page.h"
#include "top/state.h"

struct page_kind {
	const char *title;
	/* Writes the page; false where what it tells of is not in the look any more. */
	bool (*put)(struct page *page, const struct top *top);
	bool of_process; /* it tells of the process, not of the thread */
	bool of_nothing; /* it does not depend on the look */
};

extern const struct page_kind page_stack, page_goroutines, page_chain, page_help;

/* Opens the page for what is selected in the table, or for what the open page tells of. */
void page_open(struct top *top, const struct page_kind *kind);

/* Writes the open page anew. */
void page_refresh(struct top *top);

void page_scroll_to(struct top *top, size_t line);
