// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/wait.h"

#include <stdlib.h>
#include <string.h>

#include "runtimes/go/wait_parts.h"
#include "util/clock.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define ATTEMPTS 4 /* to tell selects apart whose hashes are the same */

struct go_waits *go_waits_create(struct go_process *go, int64_t now_ns)
{
	struct go_waits *waits = allocate_zeroed(1, sizeof(*waits));

	waits->go = go;
	waits->now_ns = now_ns;
	waits->pieces.memory = go->memory;
	waits->list_steps = GO_LIST_STEPS;
	return waits;
}

void go_waits_destroy(struct go_waits *waits)
{
	go_pieces_deinit(&waits->pieces);
	address_table_deinit(&waits->fact_table);
	free(waits->facts);
	address_table_deinit(&waits->channel_table);
	free(waits->channels);
	address_table_deinit(&waits->list_table);
	address_table_deinit(&waits->listed_table);
	free(waits->listed);
	address_table_deinit(&waits->item_table);
	free(waits->items);
	address_table_deinit(&waits->type_table);
	free(waits->type_names);
	free(waits->candidates);
	free(waits);
}

/* A sudog of a goroutine of the batch, in the order of its list. */
struct link {
	struct go_sudog sudog;
	uint32_t waiter, channel;
	uint32_t before; /* the one before it in the list, plus one */
	bool moved;      /* it did not stay between the others of its queue */
};

struct links {
	struct link *items; /* heap */
	size_t count, capacity;
};

static bool is_for_channels(enum go_wait_kind kind)
{
	return kind >= GO_WAIT_RECEIVE && kind <= GO_WAIT_SELECT;
}

/* A batch in the making: what was found of each waiter, and its last link, plus one. */
struct batch {
	struct go_waits *waits;
	struct go_waiter *waiters;
	size_t count;
	struct go_found *found;
	struct links links;
	uint32_t *last;
	uint8_t *link_count; /* up to GO_CASES_MAX, one more: there are more */
	uint32_t *channels;  /* of the links */
	size_t channel_count, channel_capacity;
};

static void start(struct batch *batch)
{
	struct go_waits *waits = batch->waits;

	for (size_t i = 0; i < batch->count; i++) {
		const struct go_waiter *waiter = &batch->waiters[i];
		struct go_found *found = &batch->found[i];

		found->kind = go_wait_kind(waiter->reason, &found->row);
		if (found->kind < GO_WAIT_MUTEX)
			continue;
		enum go_wait_kind told = go_stack_facts(waits, waiter->stack)->kind;
		bool of_descriptor = told >= GO_WAIT_READ;
		/* The stack says more than the reason, but nothing of another sort. */
		if (told != GO_WAIT_UNKNOWN && of_descriptor == (found->kind >= GO_WAIT_READ) &&
			(told == GO_WAIT_CONDITION) == (found->kind == GO_WAIT_CONDITION))
			found->kind = told;
	}
}

/* What a goroutine of that kind is led from to its first sudog; 0: nothing, or another way. */
static uint64_t first_sudog(const struct batch *batch, size_t index)
{
	const struct go_layout *layout = batch->waits->go->layout;
	enum go_wait_kind kind = batch->found[index].kind;

	return kind >= GO_WAIT_RECEIVE && kind <= GO_WAIT_CONDITION
		       ? go_u64(batch->waiters[index].raw.bytes, layout->g.waiting)
		       : 0;
}

static void add_channel(struct batch *batch, struct link *link)
{
	if (!link->sudog.channel ||
		!go_channel_add(batch->waits, link->sudog.channel, &link->channel))
		return;
	array_reserve(batch->channels, batch->channel_count, batch->channel_capacity);
	batch->channels[batch->channel_count++] = link->channel;
}

/* Takes a sudog that was read; the address of the next in its goroutine's list, or 0. */
static uint64_t take_link(
	struct batch *batch, size_t waiter, uint64_t address, const uint8_t *bytes)
{
	struct links *links = &batch->links;
	struct go_found *found = &batch->found[waiter];
	struct link link = {
		.sudog = go_sudog_decode(batch->waits->go->layout, address, bytes),
		.waiter = (uint32_t)waiter,
		.channel = UINT32_MAX,
		.before = batch->last[waiter],
	};

	if (link.sudog.g != batch->waiters[waiter].raw.address) {
		found->kind = GO_WAIT_UNKNOWN;
		return 0;
	}
	if (!is_for_channels(found->kind)) {
		found->sudog = link.sudog;
		return 0;
	}
	add_channel(batch, &link);
	array_reserve(links->items, links->count, links->capacity);
	links->items[links->count++] = link;
	batch->last[waiter] = (uint32_t)links->count;
	if (link.sudog.waitlink)
		batch->link_count[waiter]++;
	return batch->link_count[waiter] < GO_CASES_MAX ? link.sudog.waitlink : 0;
}

/* Follows the lists of sudogs, all of them step by step. */
static void follow_lists(struct batch *batch)
{
	struct go_pieces *pieces = &batch->waits->pieces;
	size_t size = batch->waits->go->layout->sudog.size, pending = 0;
	uint32_t *waiters cleanup_free = allocate(batch->count * sizeof(*waiters) + 1);
	uint64_t *addresses cleanup_free = allocate(batch->count * WORD + 1);

	for (size_t i = 0; i < batch->count; i++) {
		uint64_t address = first_sudog(batch, i);

		if (!address)
			continue;
		waiters[pending] = (uint32_t)i;
		addresses[pending++] = address;
	}
	while (pending) {
		size_t left = 0;

		for (size_t i = 0; i < pending; i++)
			go_pieces_add(pieces, addresses[i], size);
		go_pieces_read(pieces);
		for (size_t i = 0; i < pending; i++) {
			const uint8_t *bytes = go_pieces_get(pieces, i);
			uint64_t next = 0;

			if (bytes)
				next = take_link(batch, waiters[i], addresses[i], bytes);
			else
				batch->found[waiters[i]].kind = GO_WAIT_UNKNOWN;
			waiters[left] = waiters[i];
			addresses[left] = next;
			left += next != 0;
		}
		pending = left;
		go_pieces_clear(pieces);
	}
}

/*
 * Looks again, after the channels were read, at those of selects that others stand around: the ends
 * of a queue do not tell whether one of these is still in it. What takes it out clears both
 * pointers (chan.go, dequeue(), dequeueSudoG()).
 */
static void check_middle(struct batch *batch)
{
	const struct go_layout *layout = batch->waits->go->layout;
	struct go_pieces *pieces = &batch->waits->pieces;
	size_t piece = 0;

	for (size_t i = 0; i < batch->links.count; i++) {
		const struct go_sudog *sudog = &batch->links.items[i].sudog;

		if (sudog->is_select && sudog->next && sudog->prev)
			go_pieces_add(pieces, sudog->address, layout->sudog.size);
	}
	go_pieces_read(pieces);
	for (size_t i = 0; i < batch->links.count; i++) {
		struct link *link = &batch->links.items[i];

		if (!link->sudog.is_select || !link->sudog.next || !link->sudog.prev)
			continue;
		const uint8_t *bytes = go_pieces_get(pieces, piece++);
		link->moved = !bytes || !go_u64(bytes, layout->sudog.next) ||
			      !go_u64(bytes, layout->sudog.prev);
	}
	go_pieces_clear(pieces);
}

/* When the sleeps end: since Go 1.23 the goroutine itself has that, before its timer. */
static void find_ends(struct batch *batch)
{
	const struct go_layout *layout = batch->waits->go->layout;
	struct go_pieces *pieces = &batch->waits->pieces;
	bool direct = layout->g.sleep_when != GO_ABSENT;
	/* when is set only once it is armed (time.go, resetForSleep()). */
	unsigned when =
		layout->timer.nextwhen != GO_ABSENT ? layout->timer.nextwhen : layout->timer.when;
	size_t piece = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const uint8_t *bytes = batch->waiters[i].raw.bytes;

		if (batch->found[i].kind != GO_WAIT_SLEEP)
			continue;
		if (direct)
			batch->found[i].value = go_u64(bytes, layout->g.sleep_when);
		else
			go_pieces_add(pieces, go_u64(bytes, layout->g.timer) + when, WORD);
	}
	if (direct)
		return;
	go_pieces_read(pieces);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->found[i].kind != GO_WAIT_SLEEP)
			continue;
		const uint8_t *bytes = go_pieces_get(pieces, piece++);
		batch->found[i].value = bytes ? go_u64(bytes, 0) : 0;
	}
	go_pieces_clear(pieces);
}

/* The item's number; *is_new: it is to be filled in. */
static uint32_t add_item(struct go_waits *waits, enum go_wait_kind kind, uint64_t key,
	uint32_t attempt, bool *is_new)
{
	size_t number;

	*is_new =
		address_table_add(&waits->item_table, key, (uint32_t)kind << 8 | attempt, &number);
	if (*is_new) {
		size_t count = number;

		array_reserve(waits->items, count, waits->item_capacity);
		waits->items[number] = (struct go_wait_item){
			.wait = arena_new(waits->go->arena, struct wait, 1),
			.kind = kind,
			.key = key,
		};
	}
	return (uint32_t)number;
}

static uint32_t simple(struct go_waits *waits, enum go_wait_kind kind, uint64_t key)
{
	bool is_new;

	return add_item(waits, kind, key, 0, &is_new) + 1;
}

/* Turns the order; of a channel's own cases, which have none, those that receive come first. */
static void turn(struct go_case *cases, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct go_case first = cases[i];

		cases[i] = cases[count - 1 - i];
		cases[count - 1 - i] = first;
	}
	for (size_t i = 1; i < count; i++) {
		for (size_t at = i; at && cases[at - 1].channel == cases[at].channel &&
				    cases[at - 1].sends && !cases[at].sends;
			at--) {
			cases[at - 1].sends = false;
			cases[at].sends = true;
		}
	}
}

/* The cases of a select, in the order of its list, which is that of the channels' addresses. */
static size_t cases_of(const struct batch *batch, size_t waiter, struct go_case cases[GO_CASES_MAX])
{
	size_t count = 0;

	for (uint32_t at = batch->last[waiter]; at && count < GO_CASES_MAX;
		at = batch->links.items[at - 1].before) {
		const struct link *link = &batch->links.items[at - 1];
		bool sends;

		if (link->channel == UINT32_MAX || !link->sudog.is_select || link->moved ||
			!go_channel_has(batch->waits, &batch->waits->channels[link->channel],
				&link->sudog, &sends))
			return 0;
		cases[count++] = (struct go_case){.channel = link->channel, .sends = sends};
	}
	turn(cases, count);
	return count;
}

static bool same_cases(const struct go_wait_item *item, const struct go_case *cases, size_t count)
{
	if (item->case_count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (item->cases[i].channel != cases[i].channel ||
			item->cases[i].sends != cases[i].sends)
			return false;
	}
	return true;
}

static uint32_t resolve_select(struct batch *batch, size_t waiter)
{
	struct go_waits *waits = batch->waits;
	struct go_case cases[GO_CASES_MAX];
	struct hash_key key = hash_key();
	bool more = batch->link_count[waiter] >= GO_CASES_MAX, is_new;
	uint64_t hash = more;

	if (!batch->last[waiter]) {
		size_t row;

		/* The list is empty where all channels are nil: select.go, selectgo(). */
		for (row = 0; go_reason_at(row)->reason[0]; row++)
			;
		return simple(waits, GO_WAIT_WORDS, row);
	}
	size_t count = cases_of(batch, waiter, cases);
	if (!count)
		return 0;
	for (size_t i = 0; i < count; i++)
		hash = hash_word(&key, hash, (uint64_t)cases[i].channel << 1 | cases[i].sends);
	for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
		uint32_t number = add_item(waits, GO_WAIT_SELECT, hash, attempt, &is_new);
		struct go_wait_item *item = &waits->items[number];

		if (is_new) {
			item->cases = arena_copy(waits->go->arena, cases, count * sizeof(*cases));
			item->case_count = (uint32_t)count;
			item->more_cases = more;
		}
		if (is_new || (same_cases(item, cases, count) && item->more_cases == more))
			return number + 1;
	}
	return 0;
}

static uint32_t resolve_channel(struct batch *batch, size_t waiter)
{
	enum go_wait_kind kind = batch->found[waiter].kind;
	uint32_t at = batch->last[waiter];
	bool sends;

	if (!at)
		return 0;
	const struct link *link = &batch->links.items[at - 1];
	if (link->before || link->sudog.is_select || link->channel == UINT32_MAX ||
		!go_channel_has(batch->waits, &batch->waits->channels[link->channel], &link->sudog,
			&sends) ||
		sends != (kind == GO_WAIT_SEND))
		return 0;
	return simple(batch->waits, kind, link->channel);
}

/* Sleeps that end at almost the same time read alike. */
static uint64_t rounded(const struct go_waits *waits, uint64_t when)
{
	int64_t left = (int64_t)when - waits->now_ns;
	uint64_t unit = left < NS_PER_SECOND ? NS_PER_MS / 10 : NS_PER_SECOND / 10;

	return when / unit * unit;
}

static uint32_t resolve(struct batch *batch, size_t waiter)
{
	struct go_waits *waits = batch->waits;
	const struct go_found *found = &batch->found[waiter];

	switch (found->kind) {
	case GO_WAIT_UNKNOWN:
		return 0;
	case GO_WAIT_WORDS:
		return simple(waits, found->kind, found->row);
	case GO_WAIT_SLEEP:
		return found->value && found->value <= INT64_MAX
			       ? simple(waits, found->kind, rounded(waits, found->value))
			       : 0;
	case GO_WAIT_RECEIVE:
	case GO_WAIT_SEND:
		return resolve_channel(batch, waiter);
	case GO_WAIT_SELECT:
		return resolve_select(batch, waiter);
	case GO_WAIT_CONDITION:
		if (found->list)
			return simple(waits, found->kind, found->list);
		if (!found->sudog.elem || found->sudog.channel || found->sudog.is_select)
			return 0;
		return simple(waits, found->kind, found->sudog.elem);
	case GO_WAIT_READ:
	case GO_WAIT_WRITE:
	case GO_WAIT_ACCEPT:
	case GO_WAIT_CONNECT:
		return found->parked ? simple(waits, found->kind, found->value) : 0;
	default:
		if (!found->sudog.address || found->sudog.channel || found->sudog.is_select ||
			!found->sudog.elem || found->sudog.elem % sizeof(uint32_t))
			return 0;
		return simple(waits, found->kind, found->sudog.elem);
	}
}

void go_waits_read(struct go_waits *waits, struct go_waiter *waiters, size_t count)
{
	struct batch batch = {
		.waits = waits,
		.waiters = waiters,
		.count = count,
		.found = allocate_zeroed(count + 1, sizeof(*batch.found)),
		.last = allocate_zeroed(count + 1, sizeof(*batch.last)),
		.link_count = allocate_zeroed(count + 1, 1),
	};

	waits->batch++;
	waits->list_steps += count * GO_LIST_STEPS_EACH;
	start(&batch);
	follow_lists(&batch);
	go_slots_find(waits, waiters, count, batch.found);
	find_ends(&batch);
	go_channels_read(waits, batch.channels, batch.channel_count);
	check_middle(&batch);
	for (size_t i = 0; i < count; i++)
		waiters[i].wait = resolve(&batch, i);
	free(batch.found);
	free(batch.last);
	free(batch.link_count);
	free(batch.links.items);
	free(batch.channels);
}

struct wait *go_waits_take(struct go_waits *waits, uint32_t wait)
{
	if (!wait)
		return NULL;
	struct go_wait_item *item = &waits->items[wait - 1];
	item->count++;
	if (item->kind == GO_WAIT_RECEIVE || item->kind == GO_WAIT_SEND)
		waits->channels[item->key].waiting[item->kind == GO_WAIT_SEND]++;
	for (size_t i = 0; i < item->case_count; i++) {
		const struct go_case *one = &item->cases[i];

		/* A goroutine counts once, however many cases of its select have the channel. */
		if (!i || one[-1].channel != one->channel || one[-1].sends != one->sends)
			waits->channels[one->channel].waiting[one->sends]++;
	}
	return item->wait;
}
