// SPDX-License-Identifier: Apache-2.0
#include "profile/call_tree.h"

#include <stdlib.h>
#include <string.h>

#include "profile/interned.h"
#include "util/memory.h"
#include "util/text.h"

struct builder {
	struct arena *arena;
	struct interned calls; /* by the call above, name and kind */
	bool by_count;
};

/* What tells a call apart from others below the same one. Without padding. */
struct key {
	const struct call *above;
	const char *name;
	uint64_t traits;
};

static struct call *find(struct builder *builder, struct call *above, const struct call *like)
{
	const struct key key = {above, like->name,
		like->kind | (uint64_t)like->origin << 8 | (uint64_t)like->inlined << 16 |
			(uint64_t)like->is_running << 17};
	void **kept = interned_find(&builder->calls, &key, sizeof(key));

	if (!*kept) {
		struct call *made = arena_copy(builder->arena, like, sizeof(*like));

		made->next = above->first;
		above->first = made;
		*kept = made;
	}
	return *kept;
}

static void add(struct builder *builder, struct call *call, const struct profile_sample *sample)
{
	call->count += sample->count;
	call->size += builder->by_count ? sample->count : sample->weight_ns;
}

static struct call *add_below(struct builder *builder, struct call *above, const struct call *like,
	const struct profile_sample *sample)
{
	struct call *call = find(builder, above, like);

	add(builder, call, sample);
	return call;
}

/* One string for equal words, that its address may stand for it. */
static const char *keep(struct interned *names, struct arena *arena, const char *name)
{
	void **kept = interned_find(names, name, strlen(name));

	if (!*kept)
		*kept = arena_strdup(arena, name);
	return *kept;
}

static void add_sample(struct builder *builder, struct interned *names, struct call *root,
	const struct profile_sample *sample)
{
	struct call like = {.kind = CALL_STATE, .is_running = sample->is_running};
	struct call *call = root;

	add(builder, root, sample);
	like.name = sample->is_running ? "running"
		    : sample->wait     ? arena_printf(builder->arena, "waiting: %s", sample->wait)
				       : "waiting";
	like.name = keep(names, builder->arena, like.name);
	call = add_below(builder, call, &like, sample);
	like.kind = CALL_PROCESS;
	like.name = keep(names, builder->arena, escaped(builder->arena, sample->process));
	call = add_below(builder, call, &like, sample);
	like.kind = CALL_FRAME;
	if (sample->incomplete) {
		like.name = keep(names, builder->arena, "[incomplete]");
		call = add_below(builder, call, &like, sample);
	}
	for (size_t i = sample->place_count; i-- > 0;) {
		const struct profile_place *place = sample->places[i];

		for (size_t j = place->frame_count; j-- > 0;) {
			like.origin = place->frames[j]->origin;
			like.inlined = place->frames[j]->inlined;
			like.name = keep(names, builder->arena, place->frames[j]->name);
			call = add_below(builder, call, &like, sample);
		}
	}
}

static int by_name(const void *left, const void *right)
{
	const struct call *a = *(struct call *const *)left, *b = *(struct call *const *)right;
	int order = strcmp(a->name, b->name);

	return order ? order : (a->origin > b->origin) - (a->origin < b->origin);
}

/* Puts what is below each call in order. */
static void sort_all(struct interned *calls, struct call *root)
{
	struct call **below = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i <= calls->count; i++) {
		struct call *above = i ? calls->items[i - 1] : root;
		size_t count = 0;

		for (struct call *call = above->first; call; call = call->next) {
			array_reserve(below, count, capacity);
			below[count++] = call;
		}
		if (count < 2)
			continue;
		qsort(below, count, sizeof(*below), by_name);
		above->first = below[0];
		for (size_t j = 0; j < count; j++)
			below[j]->next = j + 1 < count ? below[j + 1] : NULL;
	}
	free(below);
}

struct call *call_tree(const struct profile *profile, struct arena *arena)
{
	size_t count;
	struct profile_sample *const *samples = profile_samples(profile, &count);
	struct builder builder = {.arena = arena, .by_count = true};
	struct interned names = {0};
	struct call *root = arena_new(arena, struct call, 1);

	root->name = "all";
	for (size_t i = 0; i < count; i++)
		builder.by_count &= !samples[i]->weight_ns;
	for (size_t i = 0; i < count; i++) {
		if (samples[i]->count)
			add_sample(&builder, &names, root, samples[i]);
	}
	sort_all(&builder.calls, root);
	interned_deinit(&builder.calls);
	interned_deinit(&names);
	return root;
}
