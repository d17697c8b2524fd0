// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/live.h"

#include <string.h>

#include "runtimes/go/places.h"
#include "runtimes/go/step.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define FRAMES_MAX 256
#define MAP_WORDS_MAX 4096 /* of a frame that are looked at */
#define OBJECTS_MAX 256
#define OBJECTS_MINOR 19      /* the first version whose records of them are known here */
#define DEFERRED ".deferwrap" /* in the name of a function that makes a deferred call */

/* A map: the words from `start` on that are live pointers. */
struct map {
	uint64_t start;
	uint32_t count; /* of words */
	uint8_t bits[MAP_WORDS_MAX / 8];
};

/* A frame: [sp, end) on its stack. */
struct live_frame {
	const struct go_place *place;
	uint64_t sp, end;
	uint64_t variables; /* where those end: varp of traceback.go */
	uint64_t arguments; /* where those begin, in the caller's frame: argp */
	struct map locals, passed;
	bool known; /* a frame is here, and it was at a call: elsewhere the maps do not hold */
};

struct stack_reader {
	struct memory memory;
	const struct go_stack_copy *stack;
};

static size_t read_copy(const struct memory *base, uint64_t address, void *to, size_t length)
{
	const struct go_stack_copy *stack = ((const struct stack_reader *)base)->stack;
	uint64_t offset = address - stack->sp;

	if (address < stack->sp || offset > stack->length || length > stack->length - offset)
		return 0;
	memcpy(to, stack->bytes + offset, length);
	return length;
}

/* struct stackmap: how many maps, how many bits in each, and the maps (symtab.go). */
static void read_map(const struct go_process *go, const struct live_frame *frame, unsigned number,
	struct map *map)
{
	const struct go_place *place = frame->place;
	const struct go_pclntab *table = &place->module->table;
	uint64_t pc = place->address.value, address = go_funcdata(table, &place->function, number);
	const struct memory *memory = &go->tables.memory;
	uint32_t head[2];
	int32_t index;

	map->count = 0;
	if (!address || !memory_read(memory, address, head, sizeof(head)) ||
		head[1] > MAP_WORDS_MAX)
		return;
	if (!go_pcdata(table, &place->function, GO_PCDATA_STACK_MAP,
		    pc > place->function.entry ? pc - 1 : pc, &index) ||
		index < 0)
		index = 0;
	size_t size = (head[1] + 7) / 8;
	if ((uint32_t)index >= head[0] ||
		!memory_read(
			memory, address + sizeof(head) + (uint64_t)index * size, map->bits, size))
		return;
	map->count = head[1];
	map->start = number == GO_FUNCDATA_LOCALS ? frame->variables - map->count * WORD
						  : frame->arguments;
}

static bool has(const struct map *map, uint64_t address)
{
	uint64_t number = (address - map->start) / WORD;

	return address >= map->start && number < map->count &&
	       (map->bits[number / 8] >> number % 8 & 1);
}

/* traceback.go, next(): where the frame's variables end, and its arguments begin. */
static void fill_frame(const struct go_process *go, struct live_frame *frame,
	const struct go_cursor *cursor, uint64_t end)
{
	uint64_t return_address = go->uses_link_register ? 0 : WORD;

	frame->sp = cursor->sp;
	frame->end = end;
	frame->variables = end - return_address;
	if (frame->variables > frame->sp)
		frame->variables -= WORD; /* the caller's frame pointer */
	frame->arguments = end + (go->uses_link_register ? WORD : 0);
	frame->known = !cursor->at_instruction;
	if (!frame->known)
		return;
	read_map(go, frame, GO_FUNCDATA_LOCALS, &frame->locals);
	read_map(go, frame, GO_FUNCDATA_ARGUMENTS, &frame->passed);
}

/* Whether a live pointer of the caller's frame points into [start, start + size) of it. */
static bool is_pointed_to(const struct go_stack_copy *stack, const struct live_frame *callee,
	const struct live_frame *frame, uint64_t start, uint64_t size)
{
	for (uint64_t at = frame->sp; at + WORD <= frame->end; at += WORD) {
		uint64_t offset = at - stack->sp;

		if (offset + WORD > stack->length)
			return false;
		if ((has(&frame->locals, at) || (callee->known && has(&callee->passed, at))) &&
			go_u64(stack->bytes, (unsigned)offset) - start < size)
			return true;
	}
	return false;
}

/*
 * Whether the two words there are of a deferred call: its function, which the compiler made to make
 * the call, and the word at @address, which it passes on (cmd/compile/internal/ir/func.go, since Go
 * 1.22).
 */
static bool is_deferred(struct go_process *go, const struct go_stack_copy *stack, uint64_t address)
{
	uint64_t offset = address - stack->sp;

	if (offset < WORD)
		return false;
	const struct go_place *place = go_place_find(go, NULL,
		(struct code_address){.value = go_u64(stack->bytes, (unsigned)(offset - WORD))});
	return place->module && place->function.entry == place->address.value &&
	       strstr(place->function.name, DEFERRED);
}

/*
 * Whether the word is of a variable that has an address, and to which a live pointer leads. The
 * closure of a deferred call is one. struct stackObjectRecord of stack.go: an offset, a size and
 * two more words of 32 bits, behind the number of records.
 */
static enum go_liveness in_object(struct go_process *go, const struct go_stack_copy *stack,
	const struct live_frame *callee, const struct live_frame *frame, uint64_t address)
{
	const struct go_place *place = frame->place;
	uint64_t count, records = go_funcdata(
				&place->module->table, &place->function, GO_FUNCDATA_STACK_OBJECTS);
	const struct memory *memory = &go->tables.memory;

	if (!records || go->layout->minor < OBJECTS_MINOR ||
		!memory_read(memory, records, &count, sizeof(count)) || count > OBJECTS_MAX)
		return GO_NOT_LIVE;
	for (uint64_t i = 0; i < count; i++) {
		int32_t record[4];

		if (!memory_read(
			    memory, records + WORD + i * sizeof(record), record, sizeof(record)) ||
			record[0] >= 0 || record[1] <= 0)
			continue;
		uint64_t start = frame->variables - (uint64_t) - (int64_t)record[0];
		if (address - start >= (uint32_t)record[1])
			continue;
		if (!is_pointed_to(stack, callee, frame, start, (uint32_t)record[1]))
			break;
		return address > start && is_deferred(go, stack, address) ? GO_DEFERRED : GO_LIVE;
	}
	return GO_NOT_LIVE;
}

/*
 * Whether the frame is of a call that lets go of a lock, or of the deferred one that makes it. One
 * that hands on a mutex gives way to whom it hands it to: mutex.go, unlockSlow(), semrelease1().
 */
static bool lets_go(const struct live_frame *frame)
{
	const char *name = frame->place ? frame->place->function.name : "";
	bool is_sync = strncmp(name, "sync.", strlen("sync.")) == 0 ||
		       strncmp(name, "internal/sync.", strlen("internal/sync.")) == 0;

	return (is_sync && strstr(name, "nlock")) || strstr(name, DEFERRED);
}

static enum go_liveness judge(struct go_process *go, const struct go_stack_copy *stack,
	const struct live_frame *callee, const struct live_frame *frame, uint64_t address)
{
	if (lets_go(callee) || lets_go(frame))
		return GO_NOT_LIVE;
	if (callee->known && has(&callee->passed, address))
		return GO_LIVE;
	if (!frame->known)
		return GO_NOT_LIVE;
	return has(&frame->locals, address) ? GO_LIVE
					    : in_object(go, stack, callee, frame, address);
}

enum go_liveness go_word_liveness(
	struct go_process *go, const struct go_stack_copy *stack, uint64_t address)
{
	const struct stack_reader reader = {.memory.read = read_copy, .stack = stack};
	struct go_cursor cursor = {
		.pc = stack->pc, .sp = stack->sp, .link = stack->link, .innermost = true};
	struct live_frame *frames cleanup_free = allocate_zeroed(2, sizeof(*frames));
	uint64_t missing;

	for (unsigned i = 0; i < FRAMES_MAX; i++) {
		struct live_frame *callee = &frames[i % 2], *frame = &frames[(i + 1) % 2];
		struct go_cursor next = cursor;

		frame->place = go_place_find(go, NULL,
			(struct code_address){
				.value = cursor.pc, .is_return = !cursor.at_instruction});
		if (!frame->place->module ||
			go_step(go, frame->place, &reader.memory, &next, &missing) != CODE_STEPPED)
			return GO_NOT_LIVE;
		fill_frame(go, frame, &cursor, next.sp);
		if (address < next.sp)
			return judge(go, stack, callee, frame, address);
		cursor = next;
	}
	return GO_NOT_LIVE;
}
