// SPDX-License-Identifier: Apache-2.0
/*
 * What the stack of a parked goroutine tells of its wait: by its functions, and by the words of the
 * innermost frames, where the runtime keeps pointers to what the goroutine is parked on. A word is
 * believed where what it points to leads back to the goroutine. Stacks that are alike have it at
 * the same place, so that most are looked at for one word only.
 */
#include <string.h>

#include "runtimes/go/places.h"
#include "runtimes/go/wait_parts.h"
#include "util/memory.h"

#define FRAMES_MAX 12 /* between where a goroutine is parked and the call that it is parked in */
#define WORDS_MAX 64  /* from the stack pointer on */
#define WORD sizeof(uint64_t)
#define NOWHERE (-1)
#define DESCRIPTORS_MAX (1u << 30)
#define COND_LIST 16 /* of notify in sync.Cond, src/sync/cond.go: behind L, an interface */

/* Functions of the standard library that wait, and for what. */
static const struct {
	const char *symbol;
	enum go_wait_kind kind;
} functions[] = {
	{"sync.(*Mutex).lockSlow", GO_WAIT_MUTEX},
	{"internal/sync.(*Mutex).lockSlow", GO_WAIT_MUTEX},
	{"sync.(*RWMutex).RLock", GO_WAIT_READ_LOCK},
	{"sync.(*RWMutex).Lock", GO_WAIT_WRITE_LOCK},
	{"sync.(*WaitGroup).Wait", GO_WAIT_WAIT_GROUP},
	{"sync.(*Cond).Wait", GO_WAIT_CONDITION},
	{"internal/poll.(*FD).Accept", GO_WAIT_ACCEPT},
	{"net.(*netFD).connect", GO_WAIT_CONNECT},
};

static bool begins(const char *symbol, const char *prefix)
{
	return strncmp(symbol, prefix, strlen(prefix)) == 0;
}

/* Packages that lie between a wait and the call that tells what it is for. */
static bool is_inside(const char *symbol)
{
	static const char *const packages[] = {
		"runtime.", "sync.", "internal/sync.", "internal/poll.", "net.", "internal/race."};

	for (size_t i = 0; i < array_length(packages); i++) {
		if (begins(symbol, packages[i]))
			return true;
	}
	return false;
}

/* What is made of a kind by the function that called the one that told it. */
static enum go_wait_kind refine(enum go_wait_kind kind, const char *symbol)
{
	if (kind == GO_WAIT_MUTEX && strcmp(symbol, "sync.(*RWMutex).Lock") == 0)
		return GO_WAIT_WRITE_LOCK_TURN;
	if (kind == GO_WAIT_MUTEX && strcmp(symbol, "sync.(*Once).doSlow") == 0)
		return GO_WAIT_ONCE;
	return kind;
}

static bool is_mutex_lock(const char *symbol)
{
	return strcmp(symbol, "sync.(*Mutex).Lock") == 0 ||
	       strcmp(symbol, "internal/sync.(*Mutex).Lock") == 0;
}

static enum go_wait_kind kind_of_stack(struct go_process *go, const struct user_stack *stack)
{
	enum go_wait_kind kind = GO_WAIT_UNKNOWN;

	for (size_t i = 0; i < stack->address_count && i < FRAMES_MAX; i++) {
		struct go_place *place = go_place_find(go, NULL, stack->addresses[i]);
		const struct frame *frames = go_place_frames(go, place);

		for (size_t j = 0; j < place->frame_count; j++) {
			const char *symbol = frames[j].symbol;

			if (!symbol || !is_inside(symbol))
				return kind;
			if (kind != GO_WAIT_UNKNOWN && !is_mutex_lock(symbol))
				return refine(kind, symbol);
			for (size_t k = 0; k < array_length(functions); k++) {
				if (kind == GO_WAIT_UNKNOWN &&
					strcmp(symbol, functions[k].symbol) == 0)
					kind = functions[k].kind;
			}
		}
	}
	return kind;
}

struct go_stack_facts *go_stack_facts(struct go_waits *waits, const struct user_stack *stack)
{
	size_t number;

	if (address_table_add(&waits->fact_table, (uintptr_t)stack, 0, &number)) {
		size_t count = number;

		array_reserve(waits->facts, count, waits->fact_capacity);
		waits->facts[number] = (struct go_stack_facts){
			.kind = stack ? kind_of_stack(waits->go, stack) : GO_WAIT_UNKNOWN,
			.slot = NOWHERE,
			.list_slot = NOWHERE,
		};
	}
	return &waits->facts[number];
}

/* A word of a stack that may point to what its goroutine is parked on. */
struct probe {
	uint32_t waiter;
	int slot;
	uint64_t address;
	size_t piece;
};

struct probes {
	struct probe *items; /* heap */
	size_t count, capacity;
};

/* A kind of thing that words of a stack point to. */
struct target {
	bool (*wants)(const struct go_waits *waits, const struct go_found *found);
	int *(*slot)(struct go_stack_facts *facts);
	size_t (*size)(const struct go_waits *waits);
	/* Whether the bytes are what the goroutine is parked on; fills in what was found. */
	bool (*accept)(struct go_waits *waits, const struct go_waiter *waiter, uint64_t address,
		const uint8_t *bytes, struct go_found *found);
};

static uint64_t word_at(const struct go_waiter *waiter, int slot)
{
	size_t offset = (size_t)slot * WORD;

	return offset + WORD <= waiter->raw.stack_length
		       ? go_u64(waiter->raw.stack, (unsigned)offset)
		       : 0;
}

static bool has_word(const struct go_waiter *waiter, uint64_t word)
{
	for (int slot = 0; slot < WORDS_MAX; slot++) {
		if (word_at(waiter, slot) == word)
			return true;
	}
	return false;
}

/* Whether the word may be a pointer to what a goroutine is parked on: not into itself or its stack.
 */
static bool may_point(const struct go_waits *waits, const struct go_waiter *waiter, uint64_t word)
{
	const struct go_layout *layout = waits->go->layout;
	const struct mapping *mapping;

	if (word % WORD || word < 4096 || word - waiter->raw.address < layout->g.size ||
		(word >= go_u64(waiter->raw.bytes, layout->g.stack_lo) &&
			word < go_u64(waiter->raw.bytes, layout->g.stack_hi)))
		return false;
	mapping = mappings_find(&waits->go->process->mappings, word);
	return mapping && mapping->readable && mapping->writable;
}

static void add_probe(struct go_waits *waits, struct probes *probes, const struct target *target,
	size_t waiter, int slot, uint64_t address)
{
	array_reserve(probes->items, probes->count, probes->capacity);
	probes->items[probes->count++] = (struct probe){
		.waiter = (uint32_t)waiter,
		.slot = slot,
		.address = address,
		.piece = go_pieces_add(&waits->pieces, address, target->size(waits)),
	};
}

static void add_probes(struct go_waits *waits, struct probes *probes, const struct target *target,
	const struct go_waiter *waiters, size_t waiter)
{
	for (int slot = 0; slot < WORDS_MAX; slot++) {
		uint64_t word = word_at(&waiters[waiter], slot);

		if (may_point(waits, &waiters[waiter], word))
			add_probe(waits, probes, target, waiter, slot, word);
	}
}

static void try_probes(struct go_waits *waits, struct probes *probes, const struct target *target,
	const struct go_waiter *waiters, struct go_found *found)
{
	go_pieces_read(&waits->pieces);
	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->items[i];
		const uint8_t *bytes = go_pieces_get(&waits->pieces, probe->piece);
		struct go_found *one = &found[probe->waiter];

		if (!bytes || !target->wants(waits, one) ||
			!target->accept(waits, &waiters[probe->waiter], probe->address, bytes, one))
			continue;
		*target->slot(go_stack_facts(waits, waiters[probe->waiter].stack)) = probe->slot;
	}
	go_pieces_clear(&waits->pieces);
	probes->count = 0;
}

static void find_target(struct go_waits *waits, const struct target *target,
	const struct go_waiter *waiters, size_t count, struct go_found *found)
{
	struct address_table sought cleanup_address_table = {0};
	struct probes probes = {0};
	size_t number;

	/* One of each stack, for all of its words, where none of that stack was seen before. */
	for (size_t i = 0; i < count; i++) {
		if (target->wants(waits, &found[i]) &&
			*target->slot(go_stack_facts(waits, waiters[i].stack)) == NOWHERE &&
			address_table_add(&sought, (uintptr_t)waiters[i].stack, 0, &number))
			add_probes(waits, &probes, target, waiters, i);
	}
	if (probes.count)
		try_probes(waits, &probes, target, waiters, found);
	/* Then all by the word that served. */
	for (size_t i = 0; i < count; i++) {
		if (!target->wants(waits, &found[i]))
			continue;
		int slot = *target->slot(go_stack_facts(waits, waiters[i].stack));
		uint64_t word = slot == NOWHERE ? 0 : word_at(&waiters[i], slot);
		if (word && word % WORD == 0)
			add_probe(waits, &probes, target, i, slot, word);
	}
	if (probes.count)
		try_probes(waits, &probes, target, waiters, found);
	/* The word is another one after all, for a few. */
	for (size_t i = 0; i < count; i++) {
		if (target->wants(waits, &found[i]))
			add_probes(waits, &probes, target, waiters, i);
	}
	if (probes.count)
		try_probes(waits, &probes, target, waiters, found);
	free_at(&probes.items);
}

static bool is_semaphore(enum go_wait_kind kind)
{
	return kind >= GO_WAIT_MUTEX && kind <= GO_WAIT_SEMAPHORE;
}

static bool wants_sudog(const struct go_waits *waits, const struct go_found *found)
{
	/* Since Go 1.26 g.waiting has it for all of them. */
	(void)waits;
	return !found->sudog.address && is_semaphore(found->kind);
}

static int *sudog_slot(struct go_stack_facts *facts)
{
	return &facts->slot;
}

static size_t sudog_size(const struct go_waits *waits)
{
	return waits->go->layout->sudog.size;
}

static bool accept_sudog(struct go_waits *waits, const struct go_waiter *waiter, uint64_t address,
	const uint8_t *bytes, struct go_found *found)
{
	struct go_sudog sudog = go_sudog_decode(waits->go->layout, address, bytes);

	/*
	 * One that was given back keeps its g, but not what it was for: sema.go, dequeue(). That it
	 * was for, semacquire1() tries again when it is woken, and so its stack has it too.
	 */
	if (sudog.g != waiter->raw.address || sudog.channel || sudog.is_select || !sudog.elem ||
		!has_word(waiter, sudog.elem))
		return false;
	found->sudog = sudog;
	return true;
}

/* Since Go 1.26 a sudog says which list it is in, and g.waiting has it. */
static bool wants_list(const struct go_waits *waits, const struct go_found *found)
{
	(void)waits;
	return found->kind == GO_WAIT_CONDITION && !found->sudog.address && !found->list;
}

static int *list_slot(struct go_stack_facts *facts)
{
	return &facts->list_slot;
}

static size_t list_size(const struct go_waits *waits)
{
	(void)waits;
	return COND_LIST + GO_LIST_SIZE;
}

static bool accept_list(struct go_waits *waits, const struct go_waiter *waiter, uint64_t address,
	const uint8_t *bytes, struct go_found *found)
{
	/* The word is of Wait()'s frame, and points to the sync.Cond, or of the runtime's. */
	if (go_list_has(waits, address + COND_LIST, bytes + COND_LIST, waiter->raw.address))
		found->list = address + COND_LIST;
	else if (go_list_has(waits, address, bytes, waiter->raw.address))
		found->list = address;
	return found->list != 0;
}

static bool wants_descriptor(const struct go_waits *waits, const struct go_found *found)
{
	(void)waits;
	return found->kind >= GO_WAIT_READ && !found->parked;
}

static size_t descriptor_size(const struct go_waits *waits)
{
	const struct go_layout *layout = waits->go->layout;
	size_t rg = layout->poll_desc.rg, wg = layout->poll_desc.wg;

	return (rg > wg ? rg : wg) + WORD;
}

static bool accept_descriptor(struct go_waits *waits, const struct go_waiter *waiter,
	uint64_t address, const uint8_t *bytes, struct go_found *found)
{
	const struct go_layout *layout = waits->go->layout;
	bool reads = go_u64(bytes, layout->poll_desc.rg) == waiter->raw.address;
	bool writes = go_u64(bytes, layout->poll_desc.wg) == waiter->raw.address;
	uint64_t fd = go_u64(bytes, layout->poll_desc.fd);

	/* netpollblock() empties that half of it when it is woken: its stack points to that too. */
	if (reads == writes || fd >= DESCRIPTORS_MAX ||
		!has_word(waiter, address + (reads ? layout->poll_desc.rg : layout->poll_desc.wg)))
		return false;
	if (found->kind == GO_WAIT_READ || found->kind == GO_WAIT_WRITE)
		found->kind = reads ? GO_WAIT_READ : GO_WAIT_WRITE;
	else if (reads != (found->kind == GO_WAIT_ACCEPT))
		return false;
	found->value = fd;
	found->parked = true;
	return true;
}

void go_slots_find(struct go_waits *waits, const struct go_waiter *waiters, size_t count,
	struct go_found *found)
{
	static const struct target targets[] = {
		{wants_sudog, sudog_slot, sudog_size, accept_sudog},
		{wants_list, list_slot, list_size, accept_list},
		{wants_descriptor, sudog_slot, descriptor_size, accept_descriptor},
	};

	for (size_t i = 0; i < array_length(targets); i++)
		find_target(waits, &targets[i], waiters, count, found);
}
