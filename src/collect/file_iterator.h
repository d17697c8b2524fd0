// SPDX-License-Identifier: Apache-2.0
/*
 * File iterator: a BPF program that walks the descriptors of all processes at once and writes a
 * record for each that may matter to others (bpf/file_record.h). It opens none of them, and stops
 * nothing. Needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) and a kernel with BTF, 5.14 or later.
 */
#pragma once

#include <stddef.h>

#include "bpf/file_record.h"
#include "util/error.h"

/* The records, which are heap memory of the caller's, in no order that is promised. Of threads
 * whose main thread has ended each tells of the descriptors that they share. */
struct error file_iterator_read(struct file_record **records, size_t *count);
