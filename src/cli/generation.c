// SPDX-License-Identifier: Apache-2.0
#include "cli/generation.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/memory.h"

/* What one generation keeps of earlier ones at most: so many findings, of so many times its
 * threads.
 */
#define FINDINGS_MAX 32
#define KEPT_MAX 3

struct generation *generation_create(
	struct arena *arena, struct process *process, const struct collector *collector)
{
	struct generation *generation = allocate(sizeof(*generation));
	struct finding *finding = allocate(sizeof(*finding));

	*finding = (struct finding){arena, process->thread_count, 1};
	*generation = (struct generation){
		.process = process,
		.collector = collector,
		.taken_ns = clock_ns(CLOCK_MONOTONIC),
		.references = 1,
		.findings = allocate(sizeof(*generation->findings)),
		.finding_count = 1,
		.finding_of = arena_new(arena, unsigned char, process->thread_count),
	};
	generation->findings[0] = finding;
	return generation;
}

struct generation *generation_reference(struct generation *generation)
{
	generation->references++;
	return generation;
}

void generation_release(struct generation *generation)
{
	if (!generation || --generation->references)
		return;
	for (size_t i = 0; i < generation->finding_count; i++) {
		struct finding *finding = generation->findings[i];

		if (--finding->references)
			continue;
		arena_destroy(finding->arena);
		free(finding);
	}
	free(generation->findings);
	free(generation);
}

bool generation_may_carry(const struct generation *generation, size_t moved)
{
	size_t count = generation->process->thread_count, kept = moved;

	for (size_t i = 0; i < generation->finding_count; i++)
		kept += generation->findings[i]->thread_count;
	return generation->finding_count < FINDINGS_MAX && moved <= count / 2 &&
	       kept <= KEPT_MAX * count;
}

static unsigned char add_finding(struct generation *generation, struct finding *finding)
{
	size_t at = 0;

	while (at < generation->finding_count && generation->findings[at] != finding)
		at++;
	if (at == generation->finding_count) {
		generation->findings =
			reallocate(generation->findings, at + 1, sizeof(*generation->findings));
		generation->findings[generation->finding_count++] = finding;
		finding->references++;
	}
	return (unsigned char)at;
}

/* A thread, to be put in order. */
struct placed {
	struct thread thread;
	unsigned char finding;
	bool is_main;
};

static int by_tid(const void *one, const void *other)
{
	const struct placed *a = one, *b = other;

	if (a->is_main != b->is_main)
		return a->is_main ? -1 : 1;
	return (a->thread.tid > b->thread.tid) - (a->thread.tid < b->thread.tid);
}

/* Files that could not be used are opened no more where nothing new stands in them. */
static void carry_gaps(struct process *process, const struct process *last, struct arena *arena)
{
	for_each_gap (gap, &last->gaps) {
		if (gap->stage == STAGE_SYMBOLS)
			gaps_add(&process->gaps, arena, gap->stage, "%s", gap->reason);
	}
}

void generation_carry(
	struct generation *generation, const struct generation *last, const bool *carries)
{
	struct arena *arena = generation->findings[0]->arena;
	struct process *process = generation->process;
	const struct process *before = last->process;
	size_t most = process->thread_count + before->thread_count, count = 0;
	struct placed *all cleanup_free = allocate((most + 1) * sizeof(*all));

	for (size_t i = 0; i < process->thread_count; i++)
		all[count++] = (struct placed){
			process->threads[i], 0, process->threads[i].tid == process->pid};
	for (size_t i = 0; i < before->thread_count; i++) {
		if (!carries[i])
			continue;
		unsigned char finding =
			add_finding(generation, last->findings[last->finding_of[i]]);

		all[count++] = (struct placed){
			before->threads[i], finding, before->threads[i].tid == process->pid};
	}
	qsort(all, count, sizeof(*all), by_tid);
	process->threads = arena_new(arena, struct thread, count);
	process->thread_count = count;
	generation->finding_of = arena_new(arena, unsigned char, count);
	for (size_t i = 0; i < count; i++) {
		process->threads[i] = all[i].thread;
		generation->finding_of[i] = all[i].finding;
	}
	carry_gaps(process, before, arena);
	if (!process->runtime)
		process->runtime = before->runtime;
}
