// SPDX-License-Identifier: Apache-2.0
/* Stacks: the kernel's half and the user's half. The innermost frame stands first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_frame {
	uint64_t address;   /* 0: not known (the kernel masks it) */
	const char *symbol; /* NULL where the kernel gave none */
	uint32_t offset;
	uint32_t size;
	const char *module; /* NULL: the kernel itself */
};

/* Threads whose kernel stacks read alike share one of these. */
struct kernel_stack {
	struct kernel_frame *frames;
	size_t count;
};

/*
 * A code address with what it means. A return address is one past its call, which
 * may be another function's or another line's first instruction: look-ups go by
 * code_lookup(), so that the off-by-one cannot be forgotten.
 */
struct code_address {
	uint64_t value;
	bool is_return;
};

static inline uint64_t code_lookup(struct code_address address)
{
	return address.value - address.is_return;
}

enum stack_end {
	STACK_COMPLETE,       /* the outermost frame was reached */
	STACK_NO_UNWIND_INFO, /* nothing tells how to go on from the last frame */
	STACK_UNREADABLE,     /* memory or a register that is needed could not be had */
	STACK_LIMIT,          /* as many frames as were asked for */
};

/* The end's name in JSON: "no-unwind-info". A static string. */
const char *stack_end_name(enum stack_end end);

/* One function, as the symbolizer names it. Frames of the same address are shared by all stacks. */
struct frame {
	struct code_address address;
	const char *symbol;   /* demangled, raw bytes; NULL: none */
	bool has_offset;      /* false for inlined frames and where there is no symbol */
	uint64_t offset;      /* of the address from the symbol's start */
	const char *module;   /* path as mapped, or "[vdso]"; NULL: none */
	const char *build_id; /* hexadecimal; NULL: none */
	const char *file;     /* source; NULL: not known */
	unsigned line;        /* 0: not known */
	bool inlined;         /* it stands inlined in the frame after it */
	bool uncertain;       /* a guess: marked "?" */
	bool hidden;          /* left out unless asked for: of a runtime's inside */
	const char *kind;     /* "native", "signal", later "go", "python" */
};

struct user_stack {
	/* by unwind/ */
	struct code_address *addresses;
	bool *signal_frame; /* of addresses: interrupted by a signal here (a trampoline's frame) */
	bool *uncertain;    /* of addresses: a guess, for lack of unwind information */
	size_t address_count;
	enum stack_end end;
	const char *end_detail; /* why, in words; NULL where `end` says all */

	/* by symbolize/; NULL until then */
	const struct frame **frames;
	size_t frame_count;
};

/*
 * Whether hidden frames of @stack are left out: only where another frame remains, since a stack of
 * nothing tells less than one of the runtime's own (as Go's traceback has it, src/runtime/
 * traceback.go, traceback1()).
 */
bool stack_hides(const struct user_stack *stack);
