// SPDX-License-Identifier: Apache-2.0
/* Mapping: one line of /proc/PID/maps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start, end; /* [start, end) */
	uint64_t offset;     /* into the file, in bytes */
	dev_t device;        /* of the mapped file; 0 for none */
	ino_t inode;         /* 0: not a file */
	bool readable, writable, executable, shared;
	const char *path; /* as the kernel wrote it, its octal escape of newlines undone and a
			     " (deleted)" at the end taken off; "[stack]", "[vdso]"; "" for none */
	bool deleted;
};

struct mappings {
	struct mapping *items; /* by rising address, none overlapping */
	size_t count;
};

/* The mapping that holds @address, or NULL. */
const struct mapping *mappings_find(const struct mappings *mappings, uint64_t address);
