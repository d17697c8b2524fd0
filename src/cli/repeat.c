// SPDX-License-Identifier: Apache-2.0
#include "cli/repeat.h"

#include <stdlib.h>

#include "cli/look.h"
#include "cli/selection.h"
#include "elf/images.h"
#include "util/memory.h"

struct repeat {
	const struct options *options;
	struct arena *arena; /* of what all looks have in common */
	struct images *images;
	struct look looks[2]; /* the last two, in turn */
	unsigned turn;
};

struct repeat *repeat_create(const struct options *options)
{
	struct repeat *repeat = allocate_zeroed(1, sizeof(*repeat));

	repeat->options = options;
	repeat->arena = arena_create();
	repeat->images = images_create(repeat->arena);
	return repeat;
}

void repeat_destroy(struct repeat *repeat)
{
	arena_destroy(repeat->looks[0].arena);
	arena_destroy(repeat->looks[1].arena);
	images_destroy(repeat->images);
	arena_destroy(repeat->arena);
	free(repeat);
}

const struct look *repeat_next(struct repeat *repeat)
{
	const struct options *options = repeat->options;
	struct look *look = &repeat->looks[repeat->turn++ % 2];
	struct pids pids __attribute__((cleanup(pids_deinit))) = {0};

	arena_destroy(look->arena);
	look_begin(look, arena_create());
	bool *missing = arena_new(look->arena, bool, options->tid_count);
	selection_find(options, NULL, look, &pids, missing);
	if (pids.count)
		look_take(&(struct looker){options, NULL, repeat->images}, &pids, look);
	selection_check(options, look, missing);
	selection_of_goroutines(options, look);
	if (options->render.partial)
		selection_drop_empty(look);
	return look;
}
