// SPDX-License-Identifier: Apache-2.0
/* Look: the order of the stages, from the facts of processes to the sentences of their waits. */
#pragma once

#include "cli/options.h"
#include "collect/collector.h"
#include "collect/targets.h"
#include "elf/images.h"
#include "model/process.h"

/* What looks have in common that are taken for the same command line. */
struct looker {
	const struct options *options;
	struct watch *watch;            /* over the calling thread; NULL: none */
	struct images *images;          /* outlive what is looked at */
	const struct look_means *means; /* NULL: each look has its own */
};

/*
 * Makes room for as many open files as looks with these options may need. Before threads are
 * started: it is soon done then.
 */
void look_prepare(const struct options *options);

/* A look at nothing yet, in @arena. */
void look_begin(struct look *look, struct arena *arena);

/* What the options ask for of the processes, which must outlive it. */
struct look_request look_request(const struct looker *looker, const struct pids *pids);

/*
 * Collects, unwinds and names, and lists what runtimes schedule: all but what explaining adds. Who
 * has explained it releases the collection.
 */
struct collection look_find(
	const struct looker *looker, const struct look_request *request, struct look *look);

/* Says what each task waits for, and on whom, and follows that to processes nobody asked for. */
void look_explain(const struct looker *looker, struct look *look);

/* Has the names of variables found for processes that an earlier look found. */
void look_name_variables(const struct looker *looker, struct look *look);

/* Fills the look with all that the options ask for of the processes. */
void look_take(const struct looker *looker, const struct pids *pids, struct look *look);

size_t look_count_threads(const struct look *look);
