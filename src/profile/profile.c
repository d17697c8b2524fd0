// SPDX-License-Identifier: Apache-2.0
#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "explain/goroutines.h"
#include "profile/interned.h"
#include "render/frame_name.h"
#include "util/memory.h"
#include "util/text.h"

/* A sample, and how many threads or goroutines of a look it is of. */
struct met {
	struct profile_sample *sample;
	size_t count;
};

/* What the last look found of a process. */
struct seen {
	const struct process *process; /* of that look */
	struct met *items; /* heap: of each thread, in their order, then of goroutines */
	size_t count, capacity;
};

struct seen_all {
	struct seen *items; /* heap, by rising pid */
	size_t count;
};

struct profile {
	struct profile_options options;
	struct arena *arena;
	struct interned strings, mappings, frames, places, samples;
	struct seen_all last;
	struct text key, name; /* used again and again */
	uint64_t total;
};

struct profile *profile_create(const struct profile_options *options)
{
	struct profile *profile = allocate_zeroed(1, sizeof(*profile));

	profile->options = *options;
	profile->arena = arena_create();
	return profile;
}

static void forget(struct seen_all *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].items);
	free(all->items);
}

void profile_destroy(struct profile *profile)
{
	forget(&profile->last);
	interned_deinit(&profile->strings);
	interned_deinit(&profile->mappings);
	interned_deinit(&profile->frames);
	interned_deinit(&profile->places);
	interned_deinit(&profile->samples);
	text_deinit(&profile->key);
	text_deinit(&profile->name);
	arena_destroy(profile->arena);
	free(profile);
}

/* ---- What samples are made of, each kept once ---- */

static const char *keep_string(struct profile *profile, const char *string)
{
	if (!string)
		return NULL;
	void **kept = interned_find(&profile->strings, string, strlen(string));
	if (!*kept)
		*kept = arena_strdup(profile->arena, string);
	return *kept;
}

/* Begins a key from words that have no padding between them. */
static void key_begin(struct profile *profile)
{
	text_clear(&profile->key);
}

static void key_add(struct profile *profile, const void *bytes, size_t size)
{
	text_append_bytes(&profile->key, bytes, size);
}

static void key_add_number(struct profile *profile, uint64_t number)
{
	key_add(profile, &number, sizeof(number));
}

/* Strings are kept once, so that their address stands for them. */
static void key_add_string(struct profile *profile, const char *kept)
{
	key_add(profile, &kept, sizeof(kept));
}

static void **key_find(struct profile *profile, struct interned *table)
{
	return interned_find(table, profile->key.bytes, profile->key.length);
}

static const struct profile_mapping *keep_mapping(
	struct profile *profile, const struct process *process, const struct frame *frame)
{
	const struct mapping *mapping =
		mappings_find(&process->mappings, code_lookup(frame->address));
	const char *path = keep_string(profile, frame->module);
	const char *build_id = keep_string(profile, frame->build_id ? frame->build_id : "");

	if (!mapping || !path)
		return NULL;
	key_begin(profile);
	key_add_string(profile, path);
	key_add_string(profile, build_id);
	key_add_number(profile, mapping->start);
	key_add_number(profile, mapping->end);
	key_add_number(profile, mapping->offset);
	void **kept = key_find(profile, &profile->mappings);
	if (!*kept) {
		struct profile_mapping *made = arena_new(profile->arena, struct profile_mapping, 1);

		*made = (struct profile_mapping){
			.path = path,
			.build_id = build_id,
			.start = mapping->start,
			.end = mapping->end,
			.offset = mapping->offset,
			.is_program = process->exe && strcmp(process->exe, path) == 0,
			.number = profile->mappings.count - 1,
		};
		*kept = made;
	}
	return *kept;
}

static const struct profile_frame *keep_frame(
	struct profile *profile, const struct profile_frame *frame)
{
	key_begin(profile);
	key_add_number(profile, frame->origin | (frame->inlined ? 256 : 0));
	key_add_string(profile, frame->name);
	key_add_string(profile, frame->symbol);
	key_add_string(profile, frame->file);
	key_add_number(profile, frame->line);
	void **kept = key_find(profile, &profile->frames);
	if (!*kept) {
		struct profile_frame *made = arena_copy(profile->arena, frame, sizeof(*frame));

		made->number = profile->frames.count - 1;
		*kept = made;
	}
	return *kept;
}

/* Takes the name that was put together. */
static const char *take_name(struct profile *profile)
{
	return keep_string(profile, profile->name.bytes ? profile->name.bytes : "");
}

static const struct profile_frame *keep_kernel_frame(
	struct profile *profile, const struct kernel_frame *frame)
{
	text_clear(&profile->name);
	frame_name_append(&profile->name, frame->symbol ? frame->symbol : "[unknown]");
	const char *name = take_name(profile);

	return keep_frame(profile,
		&(struct profile_frame){
			.origin = FRAME_KERNEL,
			.name = name,
			.symbol = frame->symbol ? keep_string(profile, frame->symbol) : name,
		});
}

static const struct profile_frame *keep_user_frame(
	struct profile *profile, const struct frame *frame)
{
	text_clear(&profile->name);
	frame_name_append_user(&profile->name, frame);
	const char *name = take_name(profile);
	bool is_go = frame->kind && strcmp(frame->kind, "go") == 0;

	return keep_frame(profile,
		&(struct profile_frame){
			.origin = is_go ? FRAME_GO : FRAME_NATIVE,
			.name = name,
			.symbol = frame->symbol ? keep_string(profile, frame->symbol) : name,
			.file = keep_string(profile, frame->file),
			.line = frame->line,
			.inlined = frame->inlined,
		});
}

static const struct profile_place *keep_place(struct profile *profile, uint64_t address,
	const struct profile_mapping *mapping, const struct profile_frame **frames, size_t count)
{
	key_begin(profile);
	key_add_number(profile, address);
	key_add_number(profile, mapping ? mapping->number + 1 : 0);
	for (size_t i = 0; i < count; i++)
		key_add_number(profile, frames[i]->number);
	void **kept = key_find(profile, &profile->places);
	if (!*kept) {
		struct profile_place *made = arena_new(profile->arena, struct profile_place, 1);

		*made = (struct profile_place){
			.address = address,
			.mapping = mapping,
			.frames = arena_copy(profile->arena, frames, count * sizeof(*frames)),
			.frame_count = count,
			.number = profile->places.count - 1,
		};
		*kept = made;
	}
	return *kept;
}

/* ---- Stacks ---- */

struct places {
	const struct profile_place **items; /* heap */
	size_t count, capacity;
};

static void add_place(struct places *places, const struct profile_place *place)
{
	array_reserve(places->items, places->count, places->capacity);
	places->items[places->count++] = place;
}

static void add_kernel(
	struct profile *profile, struct places *places, const struct kernel_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		const struct profile_frame *frame = keep_kernel_frame(profile, &stack->frames[i]);

		add_place(places, keep_place(profile, stack->frames[i].address, NULL, &frame, 1));
	}
}

/* @hides: frames of a runtime's inside are left out. */
static void add_user(struct profile *profile, struct places *places, const struct process *process,
	const struct user_stack *stack, bool hides)
{
	enum { INLINED_MAX = 64 };
	const struct profile_frame *frames[INLINED_MAX];
	size_t count = 0;

	hides = hides && stack_hides(stack);
	for (size_t i = 0; i < stack->frame_count; i++) {
		const struct frame *frame = stack->frames[i];

		if (!hides || !frame->hidden)
			frames[count++] = keep_user_frame(profile, frame);
		bool goes_on = frame->inlined && i + 1 < stack->frame_count && count < INLINED_MAX;
		if (goes_on || !count)
			continue;
		add_place(places, keep_place(profile, code_lookup(frame->address),
					  keep_mapping(profile, process, frame), frames, count));
		count = 0;
	}
}

/* ---- Samples ---- */

/* The sample that is like @like, with the stack of @places. */
static struct profile_sample *keep_sample(
	struct profile *profile, const struct profile_sample *like, const struct places *places)
{
	key_begin(profile);
	key_add_number(profile, (uint64_t)like->pid << 32 | (uint32_t)like->tid);
	key_add_string(profile, like->process);
	key_add_string(profile, like->thread);
	key_add_string(profile, like->wait);
	key_add_number(profile, like->goroutine);
	key_add_number(profile, (uint64_t)(unsigned char)like->state |
					(uint64_t)like->is_running << 8 |
					(uint64_t)like->incomplete << 9);
	for (size_t i = 0; i < places->count; i++)
		key_add_number(profile, places->items[i]->number);
	void **kept = key_find(profile, &profile->samples);
	if (!*kept) {
		struct profile_sample *made = arena_copy(profile->arena, like, sizeof(*like));

		made->places = arena_copy(
			profile->arena, places->items, places->count * sizeof(*places->items));
		made->place_count = places->count;
		*kept = made;
	}
	return *kept;
}

static struct profile_sample *sample_thread(
	struct profile *profile, const struct process *process, const struct thread *thread)
{
	const struct profile_options *options = &profile->options;
	const struct user_stack *user = options->user ? thread->user_stack : NULL;
	struct places places = {0};

	if (options->kernel && thread->kernel_stack)
		add_kernel(profile, &places, thread->kernel_stack);
	if (user)
		add_user(profile, &places, process, user,
			thread->goroutine && !options->runtime_frames);
	struct profile_sample *sample = keep_sample(profile,
		&(struct profile_sample){
			.pid = process->pid,
			.process = keep_string(profile, process->comm ? process->comm : "?"),
			.tid = thread->tid,
			.thread = keep_string(profile, thread->comm ? thread->comm : "?"),
			.state = thread->state,
			.wait = keep_string(profile, thread->wait ? thread->wait->kind : NULL),
			.goroutine = thread->goroutine,
			.is_running = thread->state == 'R',
			.incomplete = user && user->end != STACK_COMPLETE,
		},
		&places);
	free(places.items);
	return sample;
}

static struct profile_sample *sample_goroutines(
	struct profile *profile, const struct process *process, const struct goroutine_group *group)
{
	const struct goroutine *first = group->goroutines[0];
	const struct user_stack *stack = profile->options.user ? first->stack : NULL;
	struct places places = {0};
	const char *wait = first->wait          ? first->wait->kind
			   : first->wait_reason ? first->wait_reason
						: first->status;

	if (stack)
		add_user(profile, &places, process, stack, !profile->options.runtime_frames);
	struct profile_sample *sample = keep_sample(profile,
		&(struct profile_sample){
			.pid = process->pid,
			.process = keep_string(profile, process->comm ? process->comm : "?"),
			.wait = keep_string(profile, wait),
			.goroutine = group->count == 1 ? first->id : 0,
			.is_running = !first->wait && !first->wait_reason,
			.incomplete = stack && stack->end != STACK_COMPLETE,
		},
		&places);
	free(places.items);
	return sample;
}

/* ---- Looks ---- */

static void add_met(struct seen *seen, struct profile_sample *sample, size_t count)
{
	array_reserve(seen->items, seen->count, seen->capacity);
	seen->items[seen->count++] = (struct met){sample, count};
}

/* Whether both have been found in the same place by one look, of which the other is a copy. */
static bool is_same(const struct thread *now, const struct thread *before)
{
	return now->tid == before->tid && now->user_stack == before->user_stack &&
	       now->kernel_stack == before->kernel_stack && now->wait == before->wait &&
	       now->state == before->state && now->goroutine == before->goroutine &&
	       now->comm == before->comm && now->ran_at_ns == before->ran_at_ns &&
	       now->ran_at_ns >= 0;
}

/* @last: what the last look found of the process; NULL: nothing. */
static void see_threads(struct profile *profile, struct seen *seen, const struct seen *last)
{
	const struct process *process = seen->process;
	const struct process *before = last ? last->process : NULL;
	size_t at = 0;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];

		/* Both by rising id, but for the main thread, which stands first in both. */
		while (before && at < before->thread_count && before->threads[at].tid < thread->tid)
			at++;
		if (before && at < before->thread_count && is_same(thread, &before->threads[at]))
			add_met(seen, last->items[at].sample, 1);
		else
			add_met(seen, sample_thread(profile, process, thread), 1);
		if (i == 0 && before && before->thread_count &&
			before->threads[0].tid == before->pid)
			at = 1;
	}
}

static void see_goroutines(struct profile *profile, struct seen *seen)
{
	struct arena *scratch cleanup_arena = arena_create();
	struct goroutine_groups groups = group_goroutines(seen->process, true, scratch);

	for (size_t i = 0; i < groups.count; i++)
		add_met(seen, sample_goroutines(profile, seen->process, &groups.items[i]),
			groups.items[i].count);
}

static void see(struct profile *profile, struct seen *seen, struct seen *last)
{
	if (last && last->process == seen->process) {
		*seen = *last;
		last->items = NULL;
		return;
	}
	see_threads(profile, seen, last);
	if (seen->process->goroutine_count)
		see_goroutines(profile, seen);
}

void profile_add(struct profile *profile, const struct look *look, uint64_t weight_ns)
{
	struct seen_all now = {
		.items = allocate_zeroed(look->process_count + 1, sizeof(*now.items)),
		.count = look->process_count,
	};
	size_t at = 0;

	for (size_t i = 0; i < now.count; i++) {
		struct seen *seen = &now.items[i];
		struct seen *last;

		seen->process = look->processes[i];
		while (at < profile->last.count &&
			profile->last.items[at].process->pid < seen->process->pid)
			at++;
		last = at < profile->last.count ? &profile->last.items[at] : NULL;
		if (last && last->process->pid != seen->process->pid)
			last = NULL;
		see(profile, seen, last);
		for (size_t j = 0; j < seen->count; j++) {
			struct met *met = &seen->items[j];

			met->sample->count += met->count;
			met->sample->weight_ns += met->count * weight_ns;
			profile->total += met->count;
		}
	}
	forget(&profile->last);
	profile->last = now;
}

/* ---- All of it ---- */

struct profile_sample *const *profile_samples(const struct profile *profile, size_t *count)
{
	*count = profile->samples.count;
	return (struct profile_sample *const *)profile->samples.items;
}

const struct profile_mapping *const *profile_mappings(const struct profile *profile, size_t *count)
{
	*count = profile->mappings.count;
	return (const struct profile_mapping *const *)profile->mappings.items;
}

const struct profile_frame *const *profile_frames(const struct profile *profile, size_t *count)
{
	*count = profile->frames.count;
	return (const struct profile_frame *const *)profile->frames.items;
}

const struct profile_place *const *profile_places(const struct profile *profile, size_t *count)
{
	*count = profile->places.count;
	return (const struct profile_place *const *)profile->places.items;
}

uint64_t profile_sample_total(const struct profile *profile)
{
	return profile->total;
}
