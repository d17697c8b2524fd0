// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of conditions, src/runtime/sema.go, notifyList: until Go 1.25 nothing leads from a
 * goroutine or its sudog to the list that it is in, and so the list is walked to the goroutine.
 */
#include "runtimes/go/wait_parts.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define WALKS 3     /* of a list that changes meanwhile */
#define WALK_COST 4 /* in steps, of one that finds nothing */
#define NOTIFY 4    /* behind wait */
#define HEAD 16     /* behind the lock */
#define TAIL (HEAD + WORD)

struct notify_list {
	uint32_t wait, notify;
	uint64_t head, tail;
};

static struct notify_list decode(const uint8_t *bytes)
{
	return (struct notify_list){
		.wait = go_u32(bytes, 0),
		.notify = go_u32(bytes, NOTIFY),
		.head = go_u64(bytes, HEAD),
		.tail = go_u64(bytes, TAIL),
	};
}

/* Whether it may be a list that somebody is in. */
static bool is_list(const struct notify_list *list)
{
	return list->head && list->tail && list->head % WORD == 0 && list->tail % WORD == 0 &&
	       list->wait != list->notify && list->wait - list->notify <= INT32_MAX;
}

/* Whether the ticket was given out by the list, but not called yet. */
static bool is_waiting(const struct notify_list *list, uint32_t ticket)
{
	return ticket - list->notify < list->wait - list->notify;
}

static bool read_list(const struct go_waits *waits, uint64_t address, struct notify_list *list)
{
	uint8_t bytes[GO_LIST_SIZE];

	if (!memory_read_now(waits->go->memory, address, bytes, sizeof(bytes)))
		return false;
	*list = decode(bytes);
	return is_list(list);
}

/* Those who are in a list, in heap memory. */
struct walk {
	struct go_listed *items;
	size_t count, capacity;
	bool met_tail;
};

static bool take_steps(struct go_waits *waits, size_t steps)
{
	if (waits->list_steps < steps)
		return false;
	waits->list_steps -= steps;
	return true;
}

/* Goes from the head to the end; false: what is there are no sudogs of goroutines that wait. */
static bool follow(
	struct go_waits *waits, uint64_t address, const struct notify_list *list, struct walk *walk)
{
	const struct go_layout *layout = waits->go->layout;
	uint8_t bytes[GO_PIECE_MAX];

	walk->count = 0;
	walk->met_tail = false;
	for (uint64_t at = list->head; at;) {
		if (!take_steps(waits, 1) || at % WORD ||
			!memory_read_now(waits->go->memory, at, bytes, layout->sudog.size))
			return false;
		struct go_sudog sudog = go_sudog_decode(layout, at, bytes);
		if (!sudog.g || sudog.g % WORD || sudog.elem || sudog.channel || sudog.is_select ||
			sudog.ticket - list->notify > INT32_MAX)
			return false;
		array_reserve(walk->items, walk->count, walk->capacity);
		walk->items[walk->count++] =
			(struct go_listed){.list = address, .g = sudog.g, .ticket = sudog.ticket};
		walk->met_tail |= at == list->tail;
		at = sudog.next;
	}
	return true;
}

static void keep(struct go_waits *waits, const struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		size_t number;

		if (address_table_add(&waits->listed_table, walk->items[i].g, 0, &number)) {
			size_t count = number;

			array_reserve(waits->listed, count, waits->listed_capacity);
		}
		waits->listed[number] = walk->items[i];
	}
}

/*
 * Notes who is in the list. Whoever takes one out first counts notify up or empties head
 * (notifyListNotifyOne(), notifyListNotifyAll()): where both are as before, only others can have
 * joined behind the tail.
 */
static void walk_list(struct go_waits *waits, uint64_t address)
{
	struct walk walk = {0};

	for (unsigned i = 0; i < WALKS; i++) {
		struct notify_list before, after;

		if (!take_steps(waits, WALK_COST) || !read_list(waits, address, &before))
			break;
		bool whole = follow(waits, address, &before, &walk) && walk.met_tail;
		if (!read_list(waits, address, &after))
			break;
		bool same = before.head == after.head && before.notify == after.notify;
		for (size_t j = 0; j < walk.count && whole; j++)
			whole = is_waiting(&after, walk.items[j].ticket);
		if (same && whole)
			keep(waits, &walk);
		if (same)
			break;
	}
	free_at(&walk.items);
}

/*
 * Who was found in the list, be it long ago, is in it as long as its ticket is not called: only
 * that ends the wait.
 */
static bool is_listed(
	struct go_waits *waits, uint64_t address, const struct notify_list *list, uint64_t g)
{
	size_t number;

	if (address_table_add(&waits->listed_table, g, 0, &number)) {
		size_t count = number;

		array_reserve(waits->listed, count, waits->listed_capacity);
		waits->listed[number] = (struct go_listed){0};
	}
	const struct go_listed *listed = &waits->listed[number];
	return listed->list == address && listed->g == g && is_waiting(list, listed->ticket);
}

bool go_list_has(struct go_waits *waits, uint64_t address, const uint8_t *bytes, uint64_t g)
{
	struct notify_list list = decode(bytes);
	size_t number;

	if (!is_list(&list))
		return false;
	if (is_listed(waits, address, &list, g))
		return true;
	/* Once in a batch; later ones may have joined since the last. */
	if (!address_table_add(&waits->list_table, address, waits->batch, &number))
		return false;
	walk_list(waits, address);
	return is_listed(waits, address, &list, g);
}
