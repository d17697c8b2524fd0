// SPDX-License-Identifier: Apache-2.0
/*
 * Folded: one line for each distinct stack, as flame graph programs read it: frames with
 * semicolons between, the outermost first, then a space and how many threads have it. The
 * suffixes _[k] (kernel) and _[i] (inlined) are those that such programs colour by.
 */
#include <stdlib.h>
#include <string.h>

#include "render/render.h"
#include "util/memory.h"
#include "util/text.h"

struct lines {
	char **items;
	size_t count, capacity;
};

/* A raw name as a part of a line: escaped, and without the character that separates. */
static void append_name(struct text *line, const char *name)
{
	size_t begin = line->length;

	text_append_escaped(line, name, strlen(name));
	for (size_t i = begin; i < line->length; i++) {
		if (line->bytes[i] == ';')
			line->bytes[i] = ':';
	}
}

static void append_user_frame(struct text *line, const struct frame *frame)
{
	text_append(line, ";");
	if (frame->kind && strcmp(frame->kind, "signal") == 0) {
		text_append(line, "<signal handler called>");
	} else if (frame->symbol) {
		append_name(line, frame->symbol);
	} else if (frame->module) {
		const char *slash = strrchr(frame->module, '/');

		text_append(line, "[");
		append_name(line, slash ? slash + 1 : frame->module);
		text_append(line, "]");
	} else {
		text_append(line, "[unknown]");
	}
	if (frame->inlined)
		text_append(line, "_[i]");
}

static char *fold(const struct process *process, const struct thread *thread,
	const struct render_options *options)
{
	const struct user_stack *user = options->user ? thread->user_stack : NULL;
	const struct kernel_stack *kernel = options->kernel ? thread->kernel_stack : NULL;
	struct text line = {0};

	append_name(&line, process->comm ? process->comm : "?");
	if (user && user->end != STACK_COMPLETE)
		text_append(&line, ";[incomplete]");
	for (size_t i = user ? user->frame_count : 0; i-- > 0;)
		append_user_frame(&line, user->frames[i]);
	for (size_t i = kernel ? kernel->count : 0; i-- > 0;) {
		text_append(&line, ";");
		append_name(
			&line, kernel->frames[i].symbol ? kernel->frames[i].symbol : "[unknown]");
		text_append(&line, "_[k]");
	}
	return line.bytes;
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void render(const struct look *look, const struct render_options *options, FILE *out)
{
	struct lines lines = {0};

	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			array_reserve(lines.items, lines.count, lines.capacity);
			lines.items[lines.count++] = fold(process, &process->threads[j], options);
		}
	}
	if (lines.count)
		qsort(lines.items, lines.count, sizeof(*lines.items), compare_lines);
	for (size_t i = 0, next; i < lines.count; i = next) {
		for (next = i + 1; next < lines.count; next++) {
			if (strcmp(lines.items[i], lines.items[next]))
				break;
		}
		fprintf(out, "%s %zu\n", lines.items[i], next - i);
	}
	for (size_t i = 0; i < lines.count; i++)
		free(lines.items[i]);
	free(lines.items);
}

const struct renderer renderer_folded = {
	.name = "folded",
	.summary = "one line for each stack, for flame graphs",
	.render = render,
};
