// SPDX-License-Identifier: Apache-2.0
/* Call tree: the samples of a profile with the beginnings of their stacks in common. */
#pragma once

#include "profile/profile.h"

enum call_kind {
	CALL_ROOT,  /* all of it */
	CALL_STATE, /* running, or waiting and for what */
	CALL_PROCESS,
	CALL_FRAME,
};

struct call {
	enum call_kind kind;
	enum frame_origin origin; /* of a frame */
	bool is_running;          /* so are all samples below; of the root: false */
	bool inlined;
	const char *name;   /* escaped */
	uint64_t size;      /* what it and the calls below take together, in ns, or, where no sample
			       has a weight, in samples */
	uint64_t count;     /* samples */
	struct call *first; /* the calls below, by name */
	struct call *next;  /* the one beside it */
};

/* The root of the tree, in @arena. */
struct call *call_tree(const struct profile *profile, struct arena *arena);
