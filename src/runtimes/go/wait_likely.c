// SPDX-License-Identifier: Apache-2.0
/*
 * Who is likely to end a goroutine's wait: the goroutines on whose stack the lock's or the
 * channel's own address stands, where their functions may still use it. `defer mutex.Unlock()`
 * leaves it there, and that it is of a deferred call is seen as well.
 *
 * So that a million goroutines cost no more than some, only few of those with the same stack are
 * looked at: who is inside what a lock guards is there alone.
 */
#include <stdlib.h>
#include <string.h>

#include "runtimes/go/live.h"
#include "runtimes/go/settled.h"
#include "runtimes/go/wait_parts.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define CANDIDATES_MAX 4096
#define CANDIDATES_EACH_STACK 16
#define STACK_MAX 32768u      /* bytes of a stack that are looked at, from where it goes on */
#define STACKS_MAX (4u << 20) /* of all together */
#define STACKS_ONCE (1u << 20)
#define SIGHTINGS_MAX 256
#define LIKELY_MAX 8 /* where more have it, none of them is likely */

/* A word of a candidate's stack that is the address of what somebody waits for. */
struct sighting {
	uint32_t candidate, target;
	enum go_liveness liveness;
};

struct search {
	struct go_waits *waits;
	struct address_table targets; /* what items wait for */
	uint64_t lowest, highest;
	uint8_t *stacks;                          /* heap: STACKS_ONCE */
	struct sighting sightings[SIGHTINGS_MAX]; /* in the end by target */
	size_t count;
	struct address_table writers;    /* the locks that somebody who is first waits to write, */
	const struct go_wait_item **who; /* heap: and by their number those waits */
	size_t who_capacity;
};

void go_waits_keep(struct go_waits *waits, const struct go_raw *raw, const struct user_stack *stack,
	uint32_t wait)
{
	const struct go_layout *layout = waits->go->layout;
	struct go_wait_item *item = wait ? &waits->items[wait - 1] : NULL;
	struct go_stack_facts *facts = go_stack_facts(waits, stack);
	/* Only one can be there, and those behind it wait for it. */
	bool is_writer = item && item->kind == GO_WAIT_WRITE_LOCK;

	if (!raw->sp || waits->candidate_count == CANDIDATES_MAX ||
		(facts->candidates == CANDIDATES_EACH_STACK && !is_writer))
		return;
	if (facts->candidates < CANDIDATES_EACH_STACK)
		facts->candidates++;
	bool in_call = raw->sp == go_u64(raw->bytes, layout->g.syscallsp);
	array_reserve(waits->candidates, waits->candidate_count, waits->candidate_capacity);
	waits->candidates[waits->candidate_count++] = (struct go_candidate){
		.address = raw->address,
		.id = go_u64(raw->bytes, layout->g.goid),
		.mark = go_settling_mark(layout, raw->bytes + layout->g.m),
		.sp = raw->sp,
		.pc = go_u64(raw->bytes, in_call ? layout->g.syscallpc : layout->g.sched_pc),
		.link = in_call || !waits->go->uses_link_register
				? 0
				: go_u64(raw->bytes, layout->g.sched_lr),
		.high = go_u64(raw->bytes, layout->g.stack_hi),
		.wait = wait,
	};
	if (item && !item->candidate)
		item->candidate = (uint32_t)waits->candidate_count;
}

/* What is looked for of an item; 0: nothing. */
static uint64_t target_of(const struct go_waits *waits, const struct go_wait_item *item)
{
	if (item->kind == GO_WAIT_RECEIVE || item->kind == GO_WAIT_SEND)
		return waits->channels[item->key].address;
	/* Its deferred call is one of the mutex's that it has: once.go, doSlow(). */
	if (item->kind == GO_WAIT_ONCE)
		return item->key - sizeof(uint32_t);
	return item->kind >= GO_WAIT_MUTEX && item->kind <= GO_WAIT_CONDITION
		       ? go_wait_base(waits, item)
		       : 0;
}

static void add_target(struct search *search, uint64_t address)
{
	size_t number;

	if (!address)
		return;
	address_table_add(&search->targets, address, 0, &number);
	search->lowest = address < search->lowest ? address : search->lowest;
	search->highest = address > search->highest ? address : search->highest;
}

static void look_at_word(
	struct search *search, uint32_t candidate, const struct go_stack_copy *stack, size_t offset)
{
	uint64_t word = go_u64(stack->bytes, (unsigned)offset);
	size_t target;

	if (word < search->lowest || word > search->highest || search->count == SIGHTINGS_MAX ||
		!address_table_find(&search->targets, word, 0, &target))
		return;
	enum go_liveness liveness = go_word_liveness(search->waits->go, stack, stack->sp + offset);
	if (liveness != GO_NOT_LIVE)
		search->sightings[search->count++] = (struct sighting){
			.candidate = candidate, .target = (uint32_t)target, .liveness = liveness};
}

static size_t stack_length(const struct go_candidate *candidate)
{
	uint64_t length = candidate->high - candidate->sp;

	return length < STACK_MAX ? length : STACK_MAX;
}

/* Looks at the stacks of the candidates [first, end), which are read together. */
static void look_at_stacks(struct search *search, size_t first, size_t end)
{
	const struct go_waits *waits = search->waits;
	struct memory_range *ranges cleanup_free =
		allocate_zeroed(end - first + 1, sizeof(*ranges));
	size_t used = 0;

	for (size_t i = first; i < end; i++) {
		size_t length = stack_length(&waits->candidates[i]);

		ranges[i - first] = (struct memory_range){.address = waits->candidates[i].sp,
			.length = length,
			.to = search->stacks + used};
		used += length;
	}
	memory_read_many(waits->go->memory, ranges, end - first);
	for (size_t i = first; i < end; i++) {
		const struct go_candidate *candidate = &waits->candidates[i];
		const struct go_stack_copy stack = {
			.pc = candidate->pc,
			.sp = candidate->sp,
			.link = candidate->link,
			.bytes = ranges[i - first].to,
			.length = ranges[i - first].got,
		};
		for (size_t at = 0; at + WORD <= stack.length; at += WORD)
			look_at_word(search, (uint32_t)i, &stack, at);
	}
}

static void look_at_candidates(struct search *search)
{
	const struct go_waits *waits = search->waits;
	size_t first = 0, once = 0, all = 0;

	for (size_t i = 0; i < waits->candidate_count && all < STACKS_MAX; i++) {
		size_t length = stack_length(&waits->candidates[i]);

		if (once + length > STACKS_ONCE) {
			look_at_stacks(search, first, i);
			first = i;
			once = 0;
		}
		once += length;
		all += length;
		if (i + 1 == waits->candidate_count || all >= STACKS_MAX)
			look_at_stacks(search, first, i + 1);
	}
}

/* Whether the goroutine is where it was when it was first read. */
static bool is_still_there(const struct go_waits *waits, const struct go_candidate *candidate)
{
	const struct go_layout *layout = waits->go->layout;
	uint8_t part[GO_SETTLING_SIZE];

	return memory_read_now(
		       waits->go->memory, candidate->address + layout->g.m, part, sizeof(part)) &&
	       go_settling_mark(layout, part) == candidate->mark;
}

/* Leaves out what was seen of goroutines that have run since. */
static void leave_out_moved(struct search *search)
{
	size_t kept = 0;

	for (size_t i = 0; i < search->count; i++) {
		const struct sighting one = search->sightings[i];

		if (is_still_there(search->waits, &search->waits->candidates[one.candidate]))
			search->sightings[kept++] = one;
	}
	search->count = kept;
}

/* Whether a goroutine that waits like @other waits for the very thing that @item is for. */
static bool waits_for_same(const struct go_waits *waits, const struct go_wait_item *item,
	const struct go_wait_item *other)
{
	uint64_t target = target_of(waits, item);

	for (size_t i = 0; i < other->case_count; i++) {
		if (waits->channels[other->cases[i].channel].address == target)
			return true;
	}
	return target_of(waits, other) == target;
}

/*
 * How sure it is that the goroutine can end the wait. One that waits for the same lock can be its
 * owner only if it has it already: a read lock twice.
 */
static enum go_liveness likeliness(const struct go_waits *waits, const struct go_wait_item *item,
	const struct sighting *sighting)
{
	const struct go_candidate *candidate = &waits->candidates[sighting->candidate];
	const struct go_wait_item *other =
		candidate->wait ? &waits->items[candidate->wait - 1] : NULL;

	if (!other || !waits_for_same(waits, item, other))
		return sighting->liveness;
	return other != item && item->kind == GO_WAIT_WRITE_LOCK &&
			       sighting->liveness == GO_DEFERRED
		       ? GO_DEFERRED
		       : GO_NOT_LIVE;
}

static const char *words_of(const struct go_wait_item *item, enum go_liveness liveness)
{
	if (item->kind == GO_WAIT_RECEIVE || item->kind == GO_WAIT_SEND)
		return "has the channel on its stack";
	return liveness == GO_DEFERRED ? "has deferred a call on it" : "has it on its stack";
}

static void add_likely(struct go_waits *waits, const struct go_wait_item *item,
	struct go_likely *likely, uint32_t candidate, enum go_liveness liveness)
{
	uint64_t id = waits->candidates[candidate].id;

	for (size_t i = 0; i < likely->count && i < LIKELY_MAX; i++) {
		if (likely->holders[i].goroutine == id)
			return;
	}
	if (likely->count < LIKELY_MAX)
		likely->holders[likely->count] = (struct holder){
			.pid = waits->go->process->pid,
			.goroutine = id,
			.sureness = SURE_MAY,
			.uncertain = true,
			.likely = liveness == GO_DEFERRED,
			.text = words_of(item, liveness),
		};
	likely->count++;
}

/*
 * Who waits for its readers, when others wait behind it: src/sync/rwmutex.go, Lock(), which holds
 * the mutex of those that write, and has told those that want to read to wait.
 */
static void add_writer(struct search *search, const struct go_wait_item *item)
{
	size_t number, count;

	if (item->kind != GO_WAIT_WRITE_LOCK || !item->candidate)
		return;
	if (address_table_add(&search->writers, target_of(search->waits, item), 0, &number)) {
		count = number;
		array_reserve(search->who, count, search->who_capacity);
		search->who[number] = item;
	}
}

static const struct go_candidate *writer_before(
	const struct search *search, const struct go_wait_item *item)
{
	size_t number;

	if ((item->kind != GO_WAIT_READ_LOCK && item->kind != GO_WAIT_WRITE_LOCK_TURN) ||
		!address_table_find(&search->writers, target_of(search->waits, item), 0, &number))
		return NULL;
	return &search->waits->candidates[search->who[number]->candidate - 1];
}

static int by_target(const void *left, const void *right)
{
	const struct sighting *a = left, *b = right;

	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return (a->candidate > b->candidate) - (a->candidate < b->candidate);
}

/* The sightings of a target; their number. */
static size_t sightings_of(
	const struct search *search, uint64_t address, const struct sighting **first)
{
	size_t number, low = 0, high = search->count, end;

	if (!address_table_find(&search->targets, address, 0, &number))
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->sightings[middle].target < number)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < search->count && search->sightings[end].target == number;)
		end++;
	*first = &search->sightings[low];
	return end - low;
}

static struct go_likely likely_of(struct search *search, const struct go_wait_item *item)
{
	struct go_waits *waits = search->waits;
	const struct go_candidate *writer = writer_before(search, item);
	const struct sighting *sightings = NULL;
	size_t count = sightings_of(search, target_of(waits, item), &sightings);
	struct go_likely likely = {0};

	if (!writer && !count)
		return likely;
	likely.holders = arena_new(waits->go->arena, struct holder, LIKELY_MAX + 1);
	if (writer && is_still_there(waits, writer)) {
		likely.holders[likely.count++] = (struct holder){.pid = waits->go->process->pid,
			.goroutine = writer->id,
			.sureness = SURE_MAY,
			.text = "is before it, to write"};
		return likely;
	}
	/* Those that have deferred a call on a lock rather than others. */
	for (enum go_liveness wanted = GO_DEFERRED; wanted >= GO_LIVE && !likely.count; wanted--) {
		for (size_t i = 0; i < count; i++) {
			if (likeliness(waits, item, &sightings[i]) == wanted)
				add_likely(waits, item, &likely, sightings[i].candidate, wanted);
		}
	}
	if (likely.count > LIKELY_MAX)
		likely.count = 0;
	return likely;
}

struct go_likely *go_likely_find(struct go_waits *waits)
{
	size_t item_count = waits->item_table.count;
	struct go_likely *all = allocate_zeroed(item_count + 1, sizeof(*all));
	struct search *search = allocate_zeroed(1, sizeof(*search));

	search->waits = waits;
	search->lowest = UINT64_MAX;
	search->stacks = allocate(STACKS_ONCE);
	for (size_t i = 0; i < item_count; i++) {
		if (!waits->items[i].count)
			continue;
		add_target(search, target_of(waits, &waits->items[i]));
		add_writer(search, &waits->items[i]);
	}
	if (search->targets.count)
		look_at_candidates(search);
	leave_out_moved(search);
	if (search->count)
		qsort(search->sightings, search->count, sizeof(*search->sightings), by_target);
	for (size_t i = 0; i < item_count; i++) {
		if (waits->items[i].count && target_of(waits, &waits->items[i]))
			all[i] = likely_of(search, &waits->items[i]);
	}
	address_table_deinit(&search->targets);
	address_table_deinit(&search->writers);
	free(search->who);
	free(search->stacks);
	free(search);
	return all;
}
