// SPDX-License-Identifier: Apache-2.0
/* The labelled blocks of one thread in text output: kernel stack, syscall, user stack, what is
 * missing. */
#pragma once

#include "model/process.h"
#include "render/page.h"
#include "render/render.h"

#define LABEL_COLUMN 2
#define CONTENT_COLUMN 11

/* Begins a line with its label; an empty label continues the block above. */
void label_put(struct page *page, const char *label);

/* What of a thread that stands for its group is not the same in all of it, which is said there. */
struct examples {
	bool syscall; /* its arguments */
	bool creator; /* the goroutine that started the one it runs */
};

/* What could not be had is said in the place where it would stand. */
void stack_text_put(struct page *page, const struct process *process, const struct thread *thread,
	struct examples examples, const struct render_options *options);

/* A user stack: the thread's, or a goroutine's own. */
struct user_block {
	const char *label;
	const struct user_stack *stack;    /* NULL: not had */
	const struct gaps *gaps;           /* of the thread or goroutine */
	bool hides;                        /* hidden frames are left out */
	const struct goroutine *goroutine; /* who started it is said below; NULL: nobody */
	bool creators_differ; /* it stands for others, which other goroutines have started */
};

void user_block_put(struct page *page, const struct process *process,
	const struct user_block *block, const struct render_options *options);
