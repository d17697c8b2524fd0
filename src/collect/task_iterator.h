// SPDX-License-Identifier: Apache-2.0
/*
 * Task iterator: a BPF program that walks the kernel's tasks and writes a record for each.
 * It stops nothing. Needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) and a kernel with BTF,
 * 6.1 or later for the walk of a single process.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "bpf/task_record.h"
#include "util/error.h"
#include "util/text.h"

struct task_iterator;

/* Loads the program; the caller owns *iterator and gives it back with task_iterator_destroy(). */
struct error task_iterator_create(struct task_iterator **iterator);
void task_iterator_destroy(struct task_iterator *iterator); /* NULL is allowed */

/*
 * One pass over the threads of @pid, or over all of the machine for 0. *records then holds the
 * records, one after the other; walk them with task_record_next().
 */
struct error task_iterator_pass(struct task_iterator *iterator, pid_t pid, struct text *records);

/* The record after @record, the first for NULL; NULL at the end. */
const struct task_record *task_record_next(
	const struct text *records, const struct task_record *record);

/* How many addresses of the kernel stack the record holds. */
size_t task_record_frame_count(const struct task_record *record);
