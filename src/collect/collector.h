// SPDX-License-Identifier: Apache-2.0
/*
 * Collector: a way to get at the facts of processes. It knows nothing of symbols,
 * sentences or output formats.
 *
 * To add a way to look (BPF, a core file): fill in one struct collector in a file of
 * its own, and name it in the table of collect/collect.c, best first.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "model/process.h"
#include "util/error.h"

enum stop_policy {
	STOP_AUTO,   /* stop what must be stopped, as briefly as can be */
	STOP_NEVER,  /* stop nothing; say what could not be known */
	STOP_ALWAYS, /* stop each thread for the copy */
};

struct watch;
struct guard;
struct machine;
struct scheduler_clock;
struct task_iterator;

/* What looks that are taken one after the other have in common. */
struct look_means {
	struct task_iterator *iterator; /* NULL: each loads its own */
	struct scheduler_clock *clock;
	struct guard *guard;
	struct machine *machine;           /* NULL: each has its own */
	struct surroundings *surroundings; /* of processes that did not move */
};

/* What is asked of a look. */
struct look_request {
	const pid_t *pids; /* rising, each once */
	size_t pid_count;
	const pid_t *tids; /* only these threads; none: all */
	size_t tid_count;
	bool tids_are_known; /* to be of the one process that is looked at */
	const char *states;  /* only threads in these states, e.g. "DR"; NULL: all */
	enum stop_policy stop;
	bool kernel_stacks, user_stacks;   /* false: left out */
	bool kernel_addresses;             /* of kernel frames too, where this way has them */
	bool process_info, process_places; /* the latter: working directory and container */
	bool no_kernel_threads;            /* leave them out, though their ids stand in `pids` */
	bool may_look_again;               /* and stop some threads then, whatever `stop` says */
	bool without_bpf;                  /* its program takes long to load */
	bool without_peers;                /* who is at descriptors' other ends is not asked for */
	struct watch *watch;               /* over the thread that collects; borrowed; NULL: none */
	const struct look_means *means;    /* borrowed; NULL: the look's own */
};

struct collector {
	const char *name; /* "ptrace" */

	/*
	 * Fills look->processes, each with its threads and their facts, for the processes of
	 * the request. What can't be had becomes a gap of the process or thread; a process that
	 * is gone becomes a gap of the look. When it returns, no thread is stopped or traced.
	 * Fails, with nothing done, where this way can't be taken here, or not for this request.
	 */
	struct error (*collect)(const struct look_request *request, struct look *look);

	/*
	 * Ends what keeps the target's memory and descriptors readable (process->memory,
	 * process->descriptors); called once the look has been explained.
	 */
	void (*release)(struct look *look);

	/*
	 * Adds to @look a process as an earlier one found it, @elapsed_ns ago, with its memory and
	 * its descriptors as they are now: none of its threads has moved since. What explaining
	 * writes to is a copy. release() ends it. false: the process is gone.
	 */
	bool (*add_unmoved)(struct look *look, const struct process *process, int64_t elapsed_ns,
		const struct look_means *means);
};

/* How a look was taken. */
struct collection {
	const struct collector *used;
	const char *refused; /* why no better way was taken, in the look's arena; NULL: it is the
				best */
};

/* Collects by the best way that can be taken. */
struct collection collect(const struct look_request *request, struct look *look);
