// SPDX-License-Identifier: Apache-2.0
/*
 * Folded: a line for each distinct stack, with how often it was met. As render/folded.c has it for
 * one look.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profile/format.h"
#include "render/frame_name.h"
#include "util/memory.h"
#include "util/text.h"

struct line {
	char *bytes; /* heap */
	uint64_t count;
};

static void append_place(struct text *line, const struct profile_place *place)
{
	for (size_t i = place->frame_count; i-- > 0;) {
		const struct profile_frame *frame = place->frames[i];

		text_append(line, ";");
		text_append(line, frame->name);
		if (frame->origin == FRAME_KERNEL)
			text_append(line, "_[k]");
		else if (frame->inlined)
			text_append(line, "_[i]");
	}
}

static struct line fold(const struct profile_sample *sample)
{
	struct text line = {0};

	frame_name_append(&line, sample->process);
	if (sample->incomplete)
		text_append(&line, ";[incomplete]");
	for (size_t i = sample->place_count; i-- > 0;)
		append_place(&line, sample->places[i]);
	return (struct line){line.bytes, sample->count};
}

static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	return strcmp(a->bytes, b->bytes);
}

static void write_folded(
	const struct profile *profile, const struct recording *recording, FILE *out)
{
	size_t count;
	struct profile_sample *const *samples = profile_samples(profile, &count);
	struct line *lines cleanup_free = allocate((count + 1) * sizeof(*lines));

	(void)recording;
	for (size_t i = 0; i < count; i++)
		lines[i] = fold(samples[i]);
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t sum = 0;

		for (next = i; next < count && !compare_lines(&lines[i], &lines[next]); next++)
			sum += lines[next].count;
		fprintf(out, "%s %" PRIu64 "\n", lines[i].bytes, sum);
	}
	for (size_t i = 0; i < count; i++)
		free(lines[i].bytes);
}

const struct profile_format profile_folded = {
	.name = "folded",
	.ending = ".folded",
	.summary = "one line for each stack, with its number",
	.write = write_folded,
};
