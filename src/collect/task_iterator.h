// SPDX-License-Identifier: Apache-2.0
/*
 * Task iterator: a BPF program that walks the kernel's tasks and writes a record for each.
 * It stops nothing. Needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) and a kernel with BTF,
 * 6.1 or later for the walk of a single process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bpf/task_record.h"
#include "util/error.h"

struct task_iterator;

/* Loads the program; the caller owns *iterator and gives it back with task_iterator_destroy(). */
struct error task_iterator_create(struct task_iterator **iterator);
void task_iterator_destroy(struct task_iterator *iterator); /* NULL is allowed */

/* The tasks that a pass writes of: those of the processes of these ids, which takes a walk over all
 * tasks of the machine unless it is one process, or one thread of one. */
struct task_walk {
	pid_t first_process, last_process;
	pid_t thread; /* 0: all */
};

/* What a pass wrote. */
struct task_records {
	char *bytes; /* heap */
	size_t length, capacity;
};
void task_records_deinit(struct task_records *records);

/*
 * One pass: *records is replaced by the records, or, where the filter has them brief, the marks, of
 * the tasks that match the filter, whose range of processes is taken from the walk. They are by
 * rising tid as a rule, but not where a single process is walked whose ids have wrapped around. A
 * process or thread that is gone leaves none.
 */
struct error task_iterator_pass(struct task_iterator *iterator, struct task_walk walk,
	const struct task_filter *filter, struct task_records *records);

/* How many tasks the last pass met, those that it wrote nothing of among them. */
size_t task_iterator_walked(const struct task_iterator *iterator);

/* The record after @record, the first for NULL; NULL at the end. */
const struct task_record *task_record_next(
	const struct task_records *records, const struct task_record *record);

/* The marks of a brief pass. */
const struct task_mark *task_marks(const struct task_records *records, size_t *count);

/* How many addresses of the kernel stack the record holds. */
size_t task_record_frame_count(const struct task_record *record);
