// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include <stdlib.h>
#include <stdio.h>

#include "cli/look.h"
#include "cli/message.h"
#include "cli/report.h"
#include "cli/selection.h"
#include "elf/images.h"
#include "util/watch.h"

static bool has_goroutines(const struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		if (look->processes[i]->goroutine_count)
			return true;
	}
	return false;
}

static int show_under(struct watch *watch, const struct options *options)
{
	struct arena *arena cleanup_arena = arena_create();
	struct look look;
	struct pids pids __attribute__((cleanup(pids_deinit))) = {0};
	bool *missing = arena_new(arena, bool, options->tid_count);

	look_begin(&look, arena);
	selection_find(options, watch, &look, &pids, missing);

	struct images *images = images_create(arena);
	if (pids.count)
		look_take(&(struct looker){options, watch, images, NULL}, &pids, &look);
	selection_check(options, &look, missing);
	selection_of_goroutines(options, &look);
	if (options->render.partial)
		selection_drop_empty(&look);

	options->renderer->render(&look, &options->render, stdout);
	bool written = output_finish();
	bool gaps = report_gaps(&look, options->verbose);
	bool shown = look_count_threads(&look) || has_goroutines(&look);
	images_destroy(images);

	/* that no thread is in a state is an answer too */
	if (!shown && !gaps && options->states)
		message("no thread is in state %s", options->states);
	else if (!shown && !gaps)
		message("nothing was found to show");
	if (!shown && !(options->states && pids.count))
		return 2;
	return gaps || !written;
}

/*
 * The first try hangs in a call that does not return, and that even the end of the program may have
 * to wait for: who reads what was written has its end before.
 */
static void show_again(void *options)
{
	int status = show_under(NULL, options);

	fclose(stdout);
	fclose(stderr);
	exit(status);
}

static int show(const struct options *options)
{
	look_prepare(options);
	struct watch *watch = watch_create(show_again, (void *)options);
	int status = show_under(watch, options);

	watch_destroy(watch);
	return status;
}

int show_command(int argc, char **argv)
{
	struct options options;
	enum options_outcome outcome = options_parse(&command_show, &options, argc, argv);
	int status = outcome == OPTIONS_LOOK ? show(&options) : options_status(outcome);

	options_deinit(&options);
	return status;
}
