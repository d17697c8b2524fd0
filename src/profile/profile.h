// SPDX-License-Identifier: Apache-2.0
/*
 * Profile: how often, and for how long, looks that followed each other found a thread or a
 * goroutine in the same place. It is filled in from looks and written by the formats; it takes no
 * looks, and knows nothing of files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/process.h"

enum frame_origin {
	FRAME_NATIVE,
	FRAME_GO,
	FRAME_KERNEL,
};

/* A file's code, or the kernel's, where a process has it. */
struct profile_mapping {
	const char *path;     /* raw */
	const char *build_id; /* hexadecimal; "" where there is none */
	uint64_t start, end, offset;
	bool is_program; /* of its process, not a library */
	size_t number;   /* from 0 on, in the order in which they were met; so are the others' */
};

/* A function, and where in it. */
struct profile_frame {
	enum frame_origin origin;
	const char *name;   /* as frame_name.h has it */
	const char *symbol; /* raw; the name where there is none */
	const char *file;   /* raw; NULL: not known */
	unsigned line;
	bool inlined; /* in the frame after it */
	size_t number;
};

/* A code address: a frame, and before it those that are inlined there. */
struct profile_place {
	uint64_t address;                      /* 0: not known */
	const struct profile_mapping *mapping; /* NULL: none */
	const struct profile_frame **frames;   /* the innermost first */
	size_t frame_count;
	size_t number;
};

/* A thread or goroutines in one place. */
struct profile_sample {
	pid_t pid;
	const char *process; /* comm, raw */
	pid_t tid;           /* 0: goroutines without a thread */
	const char *thread;  /* comm, raw */
	char state;          /* the kernel's letter; 0: of no thread */
	const char *wait;    /* kind of the wait, or a goroutine's words for it; NULL: not known */
	uint64_t goroutine;  /* 0: none, or several */
	bool is_running;     /* or would, had it a CPU */
	bool incomplete;     /* the stack does not reach its outermost frame */
	const struct profile_place **places; /* the innermost first */
	size_t place_count;

	uint64_t count;     /* how often it was met */
	uint64_t weight_ns; /* for how long */
};

struct profile_options {
	bool kernel, user;   /* frames */
	bool runtime_frames; /* those too that are hidden otherwise */
};

struct profile;

struct profile *profile_create(const struct profile_options *options);
void profile_destroy(struct profile *profile);

/*
 * Adds what @look found, which has held for @weight_ns. The look that was added last must still be
 * there: what is the same in both is not gone through again.
 */
void profile_add(struct profile *profile, const struct look *look, uint64_t weight_ns);

/* All samples, in the order in which they were first met, owned by the profile. */
struct profile_sample *const *profile_samples(const struct profile *profile, size_t *count);

const struct profile_mapping *const *profile_mappings(const struct profile *profile, size_t *count);
const struct profile_frame *const *profile_frames(const struct profile *profile, size_t *count);
const struct profile_place *const *profile_places(const struct profile *profile, size_t *count);

/* How many samples all looks took together. */
uint64_t profile_sample_total(const struct profile *profile);
