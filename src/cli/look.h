// SPDX-License-Identifier: Apache-2.0
/* Look: the order of the stages, from the facts of processes to the sentences of their waits. */
#pragma once

#include "cli/options.h"
#include "collect/targets.h"
#include "elf/images.h"
#include "model/process.h"

/* What looks have in common that are taken for the same command line. */
struct looker {
	const struct options *options;
	struct watch *watch;   /* over the calling thread; NULL: none */
	struct images *images; /* outlive what is looked at */
};

/* A look at nothing yet, in @arena, and room for as many open files as it may need. */
void look_begin(struct look *look, struct arena *arena);

/* Fills the look with all that the options ask for of the processes. */
void look_take(const struct looker *looker, const struct pids *pids, struct look *look);

size_t look_count_threads(const struct look *look);
