// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/goroutines.h"

#include <stdlib.h>
#include <string.h>

#include "runtimes/go/functions.h"
#include "runtimes/go/globals.h"
#include "runtimes/go/goroutine_stack.h"
#include "runtimes/go/places.h"
#include "runtimes/go/settled.h"
#include "runtimes/go/threads.h"
#include "runtimes/go/wait.h"
#include "util/clock.h"
#include "util/memory.h"

#define BATCH 2048
#define FIRST_BYTES 768 /* of a stack that are read with all others: most need no more */
#define TRIES 6         /* to find a goroutine that holds still */
#define MERGE_GAP 512   /* bytes between two structs that are rather read than left out */
#define MERGE_MAX 65536 /* bytes that are read in one piece */
#define WORD sizeof(uint64_t)
#define ADDRESS_END (1ull << 56) /* of what programs can address on the machines that are known */

/* A goroutine of the batch. */
struct item {
	uint64_t address;
	uint8_t *bytes, *again; /* its g, twice */
	uint8_t *stack;         /* room for FIRST_BYTES */
	size_t stack_length;
	uint64_t sp;
	struct user_stack *unwound;
	uint32_t wait; /* as go_waits_take() has it */
	uint8_t tries;
	bool got;  /* its g could be read */
	bool done; /* it held still, or never will */
};

struct reading {
	struct go_process *go;
	struct go_stacks stacks;
	struct go_threads threads;
	struct go_list list;
	int64_t now_ns; /* CLOCK_MONOTONIC */
	struct go_waits *waits;
	struct go_waiter waiters[BATCH];
	struct item items[BATCH];
	size_t count;
	size_t first; /* the place of the first item in allgs */
	struct go_settling settling;
	uint8_t *room;   /* heap: of the items */
	uint8_t *merged; /* heap: what is read in one piece */
	struct memory_range ranges[BATCH];
	const struct item *by_address[BATCH];
};

/* The pointers to all goroutines that there are, in heap memory. */
static uint64_t *read_allgs(struct go_process *go, size_t *count)
{
	const unsigned tries = 3;

	for (unsigned i = 0; i < tries; i++) {
		uint64_t slice[2], after;

		/* The length may be of a newer array than the pointer, but not the other way. */
		if (!memory_read_now(go->memory, go->allgs_slice, slice, sizeof(slice)))
			break;
		size_t wanted = slice[1] < GO_GOROUTINES_MAX ? slice[1] : GO_GOROUTINES_MAX;
		uint64_t *pointers = allocate(wanted * WORD);
		struct memory_range range = {
			.address = slice[0], .length = wanted * WORD, .to = pointers};
		memory_read_many(go->memory, &range, 1);
		*count = range.got / WORD;
		if (memory_read_now(go->memory, go->allgs_slice, &after, WORD) &&
			after == slice[0]) {
			if (slice[1] > wanted)
				gaps_add(&go->process->gaps, go->arena, STAGE_GOROUTINE,
					"only the first %zu of %llu goroutines are looked at",
					wanted, (unsigned long long)slice[1]);
			return pointers;
		}
		free(pointers);
	}
	*count = 0;
	return NULL;
}

static int by_address(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left;
	const struct item *b = *(const struct item *const *)right;

	return (a->address > b->address) - (a->address < b->address);
}

/* Reads the g of each item that is not done, neighbours in one piece, to `again` or to `bytes`. */
static void read_structs(struct reading *reading, bool again)
{
	size_t size = reading->go->layout->g.size, count = 0, used = 0;
	struct memory_range *ranges = reading->ranges;
	size_t range_count = 0;

	for (size_t i = 0; i < reading->count; i++) {
		if (!reading->items[i].done)
			reading->by_address[count++] = &reading->items[i];
	}
	qsort(reading->by_address, count, sizeof(*reading->by_address), by_address);
	for (size_t i = 0; i < count; i++) {
		uint64_t address = reading->by_address[i]->address;
		struct memory_range *last = range_count ? &ranges[range_count - 1] : NULL;
		uint64_t end = last ? last->address + last->length : 0;

		if (last && address >= end && address - end <= MERGE_GAP &&
			address + size - last->address <= MERGE_MAX) {
			used += address + size - end;
			last->length = address + size - last->address;
			continue;
		}
		ranges[range_count++] = (struct memory_range){
			.address = address, .length = size, .to = reading->merged + used};
		used += size;
	}
	memory_read_many(reading->go->memory, ranges, range_count);
	for (size_t i = 0, at = 0; i < count; i++) {
		struct item *item = (struct item *)reading->by_address[i];

		while (item->address >= ranges[at].address + ranges[at].length)
			at++;
		size_t offset = item->address - ranges[at].address;
		item->got = offset + size <= ranges[at].got;
		if (item->got)
			memcpy(again ? item->again : item->bytes, (uint8_t *)ranges[at].to + offset,
				size);
	}
}

static uint32_t status_of(const struct go_process *go, const uint8_t *bytes)
{
	return go_u32(bytes, go->layout->g.atomicstatus) & ~(uint32_t)GO_SCAN;
}

static bool is_scanned(const struct go_process *go, const uint8_t *bytes)
{
	return go_u32(bytes, go->layout->g.atomicstatus) & GO_SCAN;
}

/* Those that have none, or none any more, are no goroutines to show. */
static bool is_alive(const struct go_process *go, const uint8_t *bytes)
{
	uint32_t status = status_of(go, bytes);

	return status != GO_IDLE && status != GO_DEAD && status != GO_DEADEXTRA;
}

/* Where the goroutine goes on, if it is not running. */
static uint64_t stack_pointer(const struct go_process *go, const uint8_t *bytes)
{
	const struct go_layout *layout = go->layout;
	uint64_t in_call = go_u64(bytes, layout->g.syscallsp);
	uint64_t sp = in_call ? in_call : go_u64(bytes, layout->g.sched_sp);

	if (status_of(go, bytes) == GO_RUNNING)
		return 0;
	return sp >= go_u64(bytes, layout->g.stack_lo) && sp < go_u64(bytes, layout->g.stack_hi)
		       ? sp
		       : 0;
}

static void read_stacks(struct reading *reading)
{
	struct go_process *go = reading->go;
	size_t count = 0;

	for (size_t i = 0; i < reading->count; i++) {
		struct item *item = &reading->items[i];

		if (item->done)
			continue;
		item->sp = stack_pointer(go, item->bytes);
		item->stack_length = 0;
		item->unwound = NULL;
		if (!item->sp)
			continue;
		uint64_t left = go_u64(item->bytes, go->layout->g.stack_hi) - item->sp;
		reading->ranges[count++] = (struct memory_range){
			.address = item->sp,
			.length = left < FIRST_BYTES ? left : FIRST_BYTES,
			.to = item->stack,
		};
	}
	memory_read_many(go->memory, reading->ranges, count);
	count = 0;
	for (size_t i = 0; i < reading->count; i++) {
		if (!reading->items[i].done && reading->items[i].sp)
			reading->items[i].stack_length = reading->ranges[count++].got;
	}
}

static struct go_raw raw_of(const struct reading *reading, const struct item *item)
{
	const struct go_layout *layout = reading->go->layout;

	return (struct go_raw){
		.address = item->address,
		.bytes = item->bytes,
		.status = status_of(reading->go, item->bytes),
		.machine = go_u64(item->bytes, layout->g.m),
		.sp = item->sp,
		.stack = item->stack,
		.stack_length = item->stack_length,
	};
}

/* Whether the goroutine is where it was: what changes when it runs is as it was. */
static bool held_still(const struct go_process *go, const struct item *item)
{
	const struct go_layout *layout = go->layout;
	const uint8_t *a = item->bytes, *b = item->again;
	const uint16_t words[] = {layout->g.stack_lo, layout->g.stack_hi, layout->g.sched_sp,
		layout->g.sched_pc, layout->g.syscallsp, layout->g.syscallpc, layout->g.goid,
		layout->g.m};

	if (is_scanned(go, a) || is_scanned(go, b) || status_of(go, a) == GO_COPYSTACK)
		return false;
	if (go_u32(a, layout->g.atomicstatus) != go_u32(b, layout->g.atomicstatus) ||
		a[layout->g.waitreason] != b[layout->g.waitreason])
		return false;
	/* Counts how often it was scheduled, src/runtime/proc.go, casgstatus(). */
	if (layout->g.tracking_seq != GO_ABSENT &&
		a[layout->g.tracking_seq] != b[layout->g.tracking_seq])
		return false;
	for (size_t i = 0; i < array_length(words); i++) {
		if (go_u64(a, words[i]) != go_u64(b, words[i]))
			return false;
	}
	return true;
}

static const char *status_name(uint32_t status)
{
	/* src/runtime/traceback.go, gStatusStrings */
	static const char *const names[GO_STATUS_MAX + 1] = {
		[GO_IDLE] = "idle",
		[GO_RUNNABLE] = "runnable",
		[GO_RUNNING] = "running",
		[GO_SYSCALL] = "syscall",
		[GO_WAITING] = "waiting",
		[GO_DEAD] = "dead",
		[GO_COPYSTACK] = "copystack",
		[GO_PREEMPTED] = "preempted",
		[GO_LEAKED] = "leaked",
	};

	return status <= GO_STATUS_MAX && names[status] ? names[status] : "???";
}

static const char *wait_reason(const struct go_layout *layout, const struct go_raw *raw)
{
	uint8_t number = raw->bytes[layout->g.waitreason];

	if ((raw->status != GO_WAITING && raw->status != GO_LEAKED) || !number)
		return NULL;
	return number < layout->wait_reason_count ? layout->wait_reasons[number]
						  : "unknown wait reason";
}

/* traceback.go, goroutineheader(): a collection noted when it found the goroutine waiting. */
static int64_t waited_ns(const struct reading *reading, const struct go_raw *raw)
{
	int64_t since = (int64_t)go_u64(raw->bytes, reading->go->layout->g.waitsince);

	if ((raw->status != GO_WAITING && raw->status != GO_SYSCALL) || since <= 0 ||
		since > reading->now_ns)
		return -1;
	return reading->now_ns - since;
}

/* traceback.go, isSystemGoroutine(): who runs a program's finalizers is its own then. */
static bool is_system(const struct go_process *go, const struct frame *start,
	const struct go_raw *raw, const struct user_stack *stack)
{
	const struct go_layout *layout = go->layout;

	if (!start || !go_starts_system(start->symbol))
		return false;
	if (strcmp(start->symbol, "runtime.runCleanups") == 0 &&
		layout->g.running_cleanups != GO_ABSENT)
		return !raw->bytes[layout->g.running_cleanups];
	if (strcmp(start->symbol, "runtime.runfinq") != 0 &&
		strcmp(start->symbol, "runtime.runFinalizers") != 0)
		return true;
	for (size_t i = 0; stack && i < stack->frame_count; i++) {
		const char *symbol = stack->frames[i]->symbol;

		if (symbol && strncmp(symbol, "runtime.", strlen("runtime.")) != 0)
			return false;
	}
	return true;
}

static struct goroutine *add_goroutine(struct go_list *list)
{
	array_reserve(list->items, list->count, list->capacity);
	struct goroutine *goroutine = &list->items[list->count++];
	*goroutine = (struct goroutine){0};
	return goroutine;
}

/* The place of the address that a goroutine keeps of its start or of its creator. */
static struct go_place *place_of(struct go_process *go, uint64_t address, bool is_return)
{
	return go_place_find(
		go, NULL, (struct code_address){.value = address, .is_return = is_return});
}

static void describe(struct reading *reading, const struct item *item, bool still)
{
	struct go_process *go = reading->go;
	const struct go_layout *layout = go->layout;
	const struct go_raw raw = raw_of(reading, item);
	struct goroutine *goroutine = add_goroutine(&reading->list);

	*goroutine = (struct goroutine){
		.id = go_u64(raw.bytes, layout->g.goid),
		.status = status_name(raw.status),
		.wait_reason = wait_reason(layout, &raw),
		.wait_ns = waited_ns(reading, &raw),
		.locked = go_u64(raw.bytes, layout->g.lockedm),
		.uncertain = go->uncertain,
		.start = go_place_function(
			go, place_of(go, go_u64(raw.bytes, layout->g.startpc), false)),
	};
	if (goroutine->id != 1) {
		goroutine->creator =
			go_place_creator(go, place_of(go, go_u64(raw.bytes, layout->g.gopc), true));
		if (layout->g.parent_goid != GO_ABSENT)
			goroutine->creator_id = go_u64(raw.bytes, layout->g.parent_goid);
	}
	if (!still) {
		gaps_add(&goroutine->gaps, go->arena, STAGE_USER_STACK,
			"it never held still long enough for its stack to be read");
	} else {
		goroutine->stack = item->unwound;
		if (go_u64(item->bytes, layout->g.waiting) ==
			go_u64(item->again, layout->g.waiting))
			goroutine->wait = go_waits_take(reading->waits, item->wait);
		if (goroutine->stack) {
			go_stack_name(&reading->stacks, goroutine->stack);
			go_waits_keep(reading->waits, &raw, goroutine->stack,
				goroutine->wait ? item->wait : 0);
		}
		go_join(&reading->threads, &raw, goroutine);
	}
	if (!goroutine->stack && go->astray_count < GO_ASTRAY_MAX)
		go->astray[go->astray_count++] =
			(struct go_astray){.address = item->address, .id = goroutine->id};
	goroutine->is_system = is_system(go, goroutine->start, &raw, goroutine->stack);
	if (!still && !reading->settling.why)
		reading->settling.why = "a goroutine never held still";
	go_settling_add(&reading->settling, goroutine);
}

/* What the items that are not done wait for, while they are seen to hold still. */
static void read_waits(struct reading *reading)
{
	const struct go_layout *layout = reading->go->layout;
	size_t count = 0;

	for (size_t i = 0; i < reading->count; i++) {
		const struct item *item = &reading->items[i];

		if (item->done)
			continue;
		const struct go_raw raw = raw_of(reading, item);
		reading->waiters[count++] = (struct go_waiter){
			.raw = raw, .reason = wait_reason(layout, &raw), .stack = item->unwound};
	}
	go_waits_read(reading->waits, reading->waiters, count);
	count = 0;
	for (size_t i = 0; i < reading->count; i++) {
		if (!reading->items[i].done)
			reading->items[i].wait = reading->waiters[count++].wait;
	}
}

/* Keeps what the item was like when it was last read. */
static void mark(struct reading *reading, const struct item *item, const uint8_t *bytes)
{
	if (item->got && !reading->settling.why)
		reading->settling.marks[reading->first + (size_t)(item - reading->items)] =
			go_settling_mark(reading->go->layout, bytes + reading->go->layout->g.m);
}

/* One more try for the items that are not done. */
static void try_batch(struct reading *reading)
{
	struct go_process *go = reading->go;

	read_structs(reading, false);
	for (size_t i = 0; i < reading->count; i++) {
		struct item *item = &reading->items[i];

		if (!item->done &&
			(!item->got || !is_alive(go, item->bytes) ||
				!go_is_goroutine(go->layout, item->bytes, item->address))) {
			item->done = true;
			mark(reading, item, item->bytes);
		}
	}
	read_stacks(reading);
	for (size_t i = 0; i < reading->count; i++) {
		struct item *item = &reading->items[i];

		if (!item->done && item->sp) {
			const struct go_raw raw = raw_of(reading, item);

			item->unwound = go_stack_unwind(&reading->stacks, &raw);
		}
	}
	read_waits(reading);
	read_structs(reading, true);
	for (size_t i = 0; i < reading->count; i++) {
		struct item *item = &reading->items[i];

		if (item->done)
			continue;
		bool still = item->got && held_still(go, item);
		if (still || ++item->tries == TRIES) {
			item->done = true;
			mark(reading, item, item->again);
			describe(reading, item, still);
		}
	}
}

static void read_batch(struct reading *reading, const uint64_t *pointers, size_t count)
{
	size_t size = reading->go->layout->g.size, each = 2 * size + FIRST_BYTES;

	reading->count = count;
	for (size_t i = 0; i < count; i++) {
		uint8_t *room = reading->room + i * each;

		reading->items[i] = (struct item){
			.address = pointers[i],
			.bytes = room,
			.again = room + size,
			.stack = room + 2 * size,
			.done = !pointers[i] || pointers[i] % WORD || pointers[i] >= ADDRESS_END,
		};
	}
	for (unsigned i = 0; i < TRIES; i++)
		try_batch(reading);
}

static int by_id(const void *left, const void *right)
{
	const struct goroutine *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

static bool is_sorted(const struct go_list *list)
{
	for (size_t i = 1; i < list->count; i++) {
		if (list->items[i - 1].id > list->items[i].id)
			return false;
	}
	return true;
}

void go_goroutines_find(struct go_process *go, size_t max_frames)
{
	struct reading *reading = allocate_zeroed(1, sizeof(*reading));
	size_t count = 0, size = go->layout->g.size;
	uint64_t *pointers cleanup_free = read_allgs(go, &count);

	if (!pointers)
		gaps_add(&go->process->gaps, go->arena, STAGE_GOROUTINE,
			"the list of goroutines could not be read");
	reading->go = go;
	reading->now_ns = clock_ns(CLOCK_MONOTONIC);
	reading->room = allocate(BATCH * (2 * size + FIRST_BYTES));
	reading->merged = allocate(BATCH * (size + MERGE_GAP));
	reading->waits = go_waits_create(go, reading->now_ns);
	reading->settling.marks = allocate_zeroed(count + 1, sizeof(*reading->settling.marks));
	if (!count || count == GO_GOROUTINES_MAX)
		reading->settling.why = "not all goroutines are known";
	go_stacks_init(&reading->stacks, go, max_frames);
	go_threads_init(&reading->threads, go);
	for (size_t i = 0; i < count; i += BATCH) {
		reading->first = i;
		read_batch(reading, pointers + i, count - i < BATCH ? count - i : BATCH);
	}
	if (!is_sorted(&reading->list))
		qsort(reading->list.items, reading->list.count, sizeof(*reading->list.items),
			by_id);
	go_thread_roles(&reading->threads);
	go_settling_finish(&reading->settling, go, pointers, count);
	go_waits_finish(reading->waits);
	go_waits_destroy(reading->waits);
	if (reading->list.items)
		arena_adopt(go->arena, reading->list.items);
	go->process->goroutines = reading->list.items;
	go->process->goroutine_count = reading->list.count;
	go_threads_deinit(&reading->threads);
	go_stacks_deinit(&reading->stacks);
	free(reading->room);
	free(reading->merged);
	free(reading->settling.marks);
	free(reading);
}
