// SPDX-License-Identifier: Apache-2.0
/* BPF walk: starts a loaded BPF iterator. It knows nothing of what is iterated, nor of records. */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>

/* What the kernel hands out by one reading at most: kernel/bpf/bpf_iter.c, bpf_seq_read(). */
#define BPF_WALK_READ_SIZE (32 * 1024)

/* Whether the ids that a program reads from the kernel's structs, those of the initial pid
 * namespace, are ours. */
bool bpf_walk_has_our_ids(void);

/*
 * A link that leads @program over what @filter says, or, where it is NULL, over all; -1 and errno
 * where the kernel refuses. The caller closes it.
 */
int bpf_walk_link(int program, const union bpf_iter_link_info *filter);

/* A descriptor whose reading runs the program, once, over what the link leads to; the caller closes
 * it. */
int bpf_walk_open(int link);
