// SPDX-License-Identifier: Apache-2.0
/*
 * pclntab: the table by which Go's runtime finds the function, the frame's size, the inlined
 * calls and the line of a code address (src/runtime/symtab.go). Every Go program has it, stripped
 * or not. It is read as it is needed, through a `struct memory`; each offset and count in it is
 * taken for hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"
#include "runtimes/go/layout.h"
#include "util/arena.h"

/* A slice of the module's: [start, start + length). */
struct go_table {
	uint64_t start, length; /* in bytes */
};

struct go_pclntab {
	const struct go_layout *layout;
	const struct memory *memory;
	size_t *budget;       /* bytes that its strings may take yet; NULL: any number */
	uint64_t header;      /* its address */
	uint64_t text, etext; /* the code that it tells of: [text, etext) */
	uint64_t function_count;
	uint64_t gofunc; /* what offsets of inline trees count from; 0: they are addresses */
	uint8_t quantum; /* instructions begin at multiples of it */
	struct go_table names, units, files, values, functions, index;
};

/* What the linker wrote at the beginning of the table, src/internal/abi/symtab.go. */
struct go_pclntab_header {
	uint32_t magic;
	uint8_t zero[2], quantum, pointer_size;
	uint64_t function_count;
};

/* Whether this is the header of a table of Go 1.16 or later for a machine of 64 bits. */
bool go_pclntab_header_valid(const struct go_pclntab_header *header);

/* Functions by what they do to a stack, whatever number a version has for them. */
enum go_function_kind {
	GO_ORDINARY,
	GO_WRAPPER,      /* made by the compiler to call another */
	GO_OUTERMOST,    /* its frame has no caller: goexit, mstart, rt0_go */
	GO_MCALL,        /* the scheduler's stack begins with it */
	GO_MORESTACK,    /* on the scheduler's stack, for a goroutine that goes on where it was */
	GO_SYSTEMSTACK,  /* on the scheduler's stack, called from a goroutine's */
	GO_ASMCGOCALL,   /* on the thread's stack, called from a goroutine's: C code begins */
	GO_CGOCALLBACK,  /* on a goroutine's stack, called from C on the thread's */
	GO_INJECTED,     /* called by a signal, as it were, where no call stands */
	GO_SIGRETURN,    /* what a signal handler returns to */
	GO_VDSO_CALLER,  /* calls the vDSO on the scheduler's stack */
	GO_STACK_SWITCH, /* another that writes sp, and so can't be followed */
};

struct go_function {
	uint64_t entry, end; /* [entry, end) */
	uint64_t address;    /* of its _func */
	const char *name;    /* raw, as the linker has it */
	enum go_function_kind kind;
	bool is_panic; /* gopanic, sigpanic or panicwrap: a wrapper that calls it is shown */
	bool writes_sp;
	uint32_t pcsp, pcfile, pcln, unit;
	uint32_t data_count; /* npcdata */
	uint8_t funcdata_count;
};

/*
 * The function whose code holds @pc; its name is in @arena. false: none does, or what the table
 * says makes no sense.
 */
bool go_function_find(const struct go_pclntab *table, uint64_t pc, struct go_function *function,
	struct arena *arena);

/* The bytes that the function's frame has below its return address at @pc; false: not known. */
bool go_frame_size(const struct go_pclntab *table, const struct go_function *function, uint64_t pc,
	int32_t *size);

/* src/internal/abi/symtab.go; the same since Go 1.16 */
#define GO_PCDATA_STACK_MAP 1
#define GO_FUNCDATA_ARGUMENTS 0
#define GO_FUNCDATA_LOCALS 1
#define GO_FUNCDATA_STACK_OBJECTS 2

/* The address of the function's funcdata of that number; 0: it has none. symtab.go, funcdata(). */
uint64_t go_funcdata(
	const struct go_pclntab *table, const struct go_function *function, unsigned number);

/* The value of the function's pcdata of that number at @pc; false: it has none. */
bool go_pcdata(const struct go_pclntab *table, const struct go_function *function, unsigned number,
	uint64_t pc, int32_t *value);

#define GO_INLINE_MAX 64 /* calls that were inlined into each other; compilers stop long before */

/* A call at an address: the function's own, or of one that was inlined into it. */
struct go_call {
	const char *name;
	const char *file; /* NULL: not known */
	unsigned line;    /* 0: not known */
	bool is_wrapper, is_panic;
};

/*
 * The calls that the instruction at @pc of the function stands for, the innermost first, the
 * function itself last: at most GO_INLINE_MAX in @calls, and at least one. Strings are in @arena.
 */
size_t go_calls_find(const struct go_pclntab *table, const struct go_function *function,
	uint64_t pc, struct go_call calls[GO_INLINE_MAX], struct arena *arena);
