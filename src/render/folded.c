// SPDX-License-Identifier: Apache-2.0
/*
 * Folded: one line for each distinct stack, as flame graph programs read it: frames with
 * semicolons between, the outermost first, then a space and how many threads or goroutines have
 * it: a goroutine that a thread runs is in the thread's line. The suffixes _[k] (kernel) and _[i]
 * (inlined) are those that such programs colour by.
 */
#include <stdlib.h>
#include <string.h>

#include "explain/goroutines.h"
#include "render/frame_name.h"
#include "render/render.h"
#include "util/memory.h"
#include "util/text.h"

struct line {
	char *bytes;
	size_t weight; /* how many threads or goroutines have it */
};

struct lines {
	struct line *items;
	size_t count, capacity;
};

static void append_user_frame(struct text *line, const struct frame *frame)
{
	text_append(line, ";");
	frame_name_append_user(line, frame);
	if (frame->inlined)
		text_append(line, "_[i]");
}

/* @user and @kernel may be NULL. @hides: frames of the runtime's inside are left out. */
static char *fold(const struct process *process, const struct user_stack *user,
	const struct kernel_stack *kernel, bool hides)
{
	struct text line = {0};

	frame_name_append(&line, process->comm ? process->comm : "?");
	if (user && user->end != STACK_COMPLETE)
		text_append(&line, ";[incomplete]");
	hides = hides && user && stack_hides(user);
	for (size_t i = user ? user->frame_count : 0; i-- > 0;) {
		if (!hides || !user->frames[i]->hidden)
			append_user_frame(&line, user->frames[i]);
	}
	for (size_t i = kernel ? kernel->count : 0; i-- > 0;) {
		text_append(&line, ";");
		frame_name_append(
			&line, kernel->frames[i].symbol ? kernel->frames[i].symbol : "[unknown]");
		text_append(&line, "_[k]");
	}
	return line.bytes;
}

static void add_line(struct lines *lines, char *bytes, size_t weight)
{
	array_reserve(lines->items, lines->count, lines->capacity);
	lines->items[lines->count++] = (struct line){bytes, weight};
}

static void add_threads(
	struct lines *lines, const struct process *process, const struct render_options *options)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];

		add_line(lines,
			fold(process, options->user ? thread->user_stack : NULL,
				options->kernel ? thread->kernel_stack : NULL,
				thread->goroutine && !options->runtime_frames),
			1);
	}
}

/* By groups, since a million goroutines must not become a million lines first. */
static void add_goroutines(
	struct lines *lines, const struct process *process, const struct render_options *options)
{
	struct arena *scratch cleanup_arena = arena_create();
	struct goroutine_groups groups = group_goroutines(process, true, scratch);

	for (size_t i = 0; i < groups.count; i++) {
		const struct goroutine_group *group = &groups.items[i];

		add_line(lines,
			fold(process, group->goroutines[0]->stack, NULL, !options->runtime_frames),
			group->count);
	}
}

static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	return strcmp(a->bytes, b->bytes);
}

static void render(const struct look *look, const struct render_options *options, FILE *out)
{
	struct lines lines = {0};

	for (size_t i = 0; i < look->process_count; i++) {
		add_threads(&lines, look->processes[i], options);
		add_goroutines(&lines, look->processes[i], options);
	}
	if (lines.count)
		qsort(lines.items, lines.count, sizeof(*lines.items), compare_lines);
	for (size_t i = 0, next; i < lines.count; i = next) {
		size_t weight = 0;

		for (next = i; next < lines.count; next++) {
			if (compare_lines(&lines.items[i], &lines.items[next]))
				break;
			weight += lines.items[next].weight;
		}
		fprintf(out, "%s %zu\n", lines.items[i].bytes, weight);
	}
	for (size_t i = 0; i < lines.count; i++)
		free(lines.items[i].bytes);
	free(lines.items);
}

const struct renderer renderer_folded = {
	.name = "folded",
	.summary = "one line for each stack, for flame graphs",
	.render = render,
};
