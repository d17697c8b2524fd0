// SPDX-License-Identifier: Apache-2.0
/*
 * Layout: where each version of Go's runtime keeps what in its structs. The table is made from the
 * DWARF of programs that each version's own compiler built (tools/go-layout); x86-64 and aarch64
 * are alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GO_ABSENT UINT16_MAX /* this version has no such field */

#define GO_FIRST_MINOR 16 /* Go 1.16: older ones have another table of functions */
#define GO_LAST_MINOR 27
#define GO_WAIT_REASONS 64

/* Offsets in bytes; the names are the runtime's own, src/runtime/runtime2.go unless said so. */
struct go_layout {
	unsigned minor; /* of Go 1.minor */
	struct {
		uint16_t size, stack_lo, stack_hi, m, sched_sp, sched_pc, sched_g, sched_lr,
			sched_bp, syscallsp, syscallpc, param, atomicstatus, goid, waitsince,
			waitreason, tracking_seq, lockedm, parent_goid, gopc, startpc, waiting,
			timer, sleep_when, running_cleanups;
	} g;
	struct {
		uint16_t size, g0, procid, gsignal, curg, p, id, incgo, alllink, lockedg, vdso_sp,
			vdso_pc;
	} m;
	struct {
		uint16_t size, g, next, prev, elem, ticket, is_select, parent, waitlink, c;
	} sudog;
	struct {
		uint16_t size, qcount, dataqsiz, buf, elemsize, closed, timer, elemtype, sendx,
			recvx, recvq, sendq; /* of the queues the first; chan.go */
	} hchan;
	struct {
		uint16_t size, tflag, str;
	} type; /* type.go, internal/abi/type.go */
	struct {
		uint16_t size, fd, rg, wg;
	} poll_desc; /* netpoll.go */
	struct {
		uint16_t size, when, nextwhen;
	} timer; /* time.go */
	struct {
		uint16_t id, status, sudogcache, sudogbuf, timers, deleted_timers;
	} p; /* its timers: a slice of pointers, since Go 1.23 a struct timers */
	struct {
		uint16_t heap, zombies;
	} timers; /* time.go */
	struct {
		uint16_t size, pc_header, funcnametab, cutab, filetab, pctab, pclntable, ftab,
			minpc, maxpc, text, etext, noptrdata, data, edata, bss, ebss, noptrbss,
			enoptrbss, types, etypes, gofunc, textsectmap, next;
	} moduledata; /* symtab.go */
	struct {
		uint16_t size, name, pcsp, pcfile, pcln, npcdata, cu_offset, func_id, flag,
			nfuncdata;
	} func;
	struct {
		uint16_t size, func_id, name, parent_pc;
	} inlined;       /* symtabinl.go */
	uint8_t wrapper; /* the funcID of a function that the compiler made to call another */
	uint8_t wait_reason_count;
	const char *wait_reasons[GO_WAIT_REASONS]; /* "": none */
};

/*
 * The layout of Go 1.minor; of the newest that is known where that is newer, with *uncertain set.
 * NULL: it is too old.
 */
const struct go_layout *go_layout_find(unsigned minor, bool *uncertain);

/* The 1.N of a version's name, "go1.22.1", "go1.23rc1" or "devel go1.26-…", in *minor. */
bool go_version_minor(const char *version, unsigned *minor);

/* Fields of a struct of the target's whose bytes were copied. */
static inline uint64_t go_u64(const uint8_t *bytes, unsigned offset)
{
	uint64_t value;

	__builtin_memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static inline uint32_t go_u32(const uint8_t *bytes, unsigned offset)
{
	uint32_t value;

	__builtin_memcpy(&value, bytes + offset, sizeof(value));
	return value;
}
