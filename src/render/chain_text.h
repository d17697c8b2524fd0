// SPDX-License-Identifier: Apache-2.0
/* On whom a wait is, and behind whom, in text output: chains, deadlocks, and who holds up others.
 */
#pragma once

#include "model/process.h"
#include "render/page.h"

/*
 * Whom @wait, of a task of @process, is on: the chain of its holders to the root, in one line; or
 * the several that it may be on. Nothing where the sentence, or @call, which may be NULL, says all.
 */
void chain_put(struct page *page, const struct process *process, const struct wait *wait,
	const char *call);

/* The deadlocks, and the threads that hold up others; whether there was anything to say. */
bool deadlocks_put(struct page *page, const struct look *look);
