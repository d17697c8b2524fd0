// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/globals.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define BSS_MAX (64ull << 20) /* what is searched of a module's variables */
#define CANDIDATES_MAX 65536
#define END_GOROUTINES 8    /* of a slice that are looked at */
#define NEW_MACHINES_MAX 64 /* threads in the list that have only begun to be made */
#define TRIES_MAX 4096      /* slices whose elements are looked at: there are some dozens */
#define SEARCHES_MAX 32     /* slices of goroutines for which all variables are gone through */

#define WORD sizeof(uint64_t)
#define UNREADABLE UINT64_MAX /* no pointer, and no length */

bool go_is_goroutine(const struct go_layout *layout, const uint8_t *bytes, uint64_t address)
{
	uint64_t low = go_u64(bytes, layout->g.stack_lo), high = go_u64(bytes, layout->g.stack_hi);
	uint64_t id = go_u64(bytes, layout->g.goid);
	uint32_t status = go_u32(bytes, layout->g.atomicstatus) & ~(uint32_t)GO_SCAN;

	if (status > GO_STATUS_MAX || id >> 48 || go_u64(bytes, layout->g.sched_g) != address)
		return false;
	/* A dead one's stack may have been given back. */
	if (status == GO_DEAD || status == GO_IDLE || status == GO_DEADEXTRA)
		return low <= high;
	return id && low < high;
}

struct go_variables go_variables_read(const struct go_process *go, const struct go_module *module)
{
	uint64_t start = module->bss, end = module->ebss;
	size_t length = end - start < BSS_MAX ? end - start : BSS_MAX;

	start = (start + WORD - 1) & -WORD;
	struct go_variables variables = {.start = start, .bytes = allocate(length)};
	variables.length = go->memory->read(go->memory, start, variables.bytes, length);
	return variables;
}

bool go_is_pointer(const struct go_process *go, uint64_t pointer)
{
	const struct mapping *mapping;

	if (pointer % WORD || pointer < 4096 || pointer >> 56)
		return false;
	mapping = mappings_find(&go->process->mappings, pointer);
	return mapping && mapping->readable && mapping->writable;
}

/* A slice that may be allgs. */
struct candidate {
	uint64_t at, array, count;
	uint64_t first[END_GOROUTINES], last[END_GOROUTINES]; /* of its elements */
	size_t end_count;                                     /* of each */
};

static size_t find_slices(const struct go_process *go, const struct go_variables *variables,
	struct candidate **candidates)
{
	size_t count = 0, capacity = 0;

	*candidates = NULL;
	for (size_t at = 0; at + 3 * WORD <= variables->length && count < CANDIDATES_MAX;
		at += WORD) {
		uint64_t array = go_u64(variables->bytes, (unsigned)at);
		uint64_t length = go_u64(variables->bytes, (unsigned)(at + WORD));
		uint64_t room = go_u64(variables->bytes, (unsigned)(at + 2 * WORD));

		/* At least main's goroutine and the collector's are there from the start. */
		if (length < 2 || length > room || room > UINT32_MAX || !go_is_pointer(go, array))
			continue;
		array_reserve(*candidates, count, capacity);
		(*candidates)[count++] = (struct candidate){
			.at = variables->start + at, .array = array, .count = length};
	}
	return count;
}

/* Reads the first and the last pointers of each, all at once. */
static void read_ends(
	const struct go_process *go, struct candidate *candidates, size_t candidate_count)
{
	struct memory_range *ranges cleanup_free =
		allocate_zeroed(2 * candidate_count, sizeof(*ranges));

	for (size_t i = 0; i < candidate_count; i++) {
		struct candidate *one = &candidates[i];

		one->end_count = one->count < END_GOROUTINES ? one->count : END_GOROUTINES;
		ranges[2 * i] = (struct memory_range){
			.address = one->array, .length = one->end_count * WORD, .to = one->first};
		ranges[2 * i + 1] = (struct memory_range){
			.address = one->array + (one->count - one->end_count) * WORD,
			.length = one->end_count * WORD,
			.to = one->last};
	}
	memory_read_many(go->memory, ranges, 2 * candidate_count);
	for (size_t i = 0; i < candidate_count; i++) {
		if (ranges[2 * i].got < ranges[2 * i].length ||
			ranges[2 * i + 1].got < ranges[2 * i + 1].length)
			candidates[i].count = 0;
	}
}

static bool are_pointers(const struct go_process *go, const uint64_t *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!go_is_pointer(go, addresses[i]))
			return false;
	}
	return true;
}

static bool are_goroutines(const struct go_process *go, const uint64_t *addresses, size_t count)
{
	size_t size = go->layout->g.size;
	uint8_t *bytes cleanup_free = allocate(size);

	for (size_t i = 0; i < count; i++) {
		if (!memory_read(go->memory, addresses[i], bytes, size) ||
			!go_is_goroutine(go->layout, bytes, addresses[i]))
			return false;
	}
	return true;
}

/* Whether the elements at both ends are goroutines. */
static bool leads_to_goroutines(
	const struct go_process *go, const struct candidate *candidate, size_t *tries)
{
	size_t count = candidate->end_count;

	if (!are_pointers(go, candidate->first, count) ||
		!are_pointers(go, candidate->last, count) || !*tries)
		return false;
	--*tries;
	return are_goroutines(go, candidate->first, count) &&
	       are_goroutines(go, candidate->last, count);
}

/* Whether another variable has the array too: allgptr (proc.go, allgadd()), since Go 1.16. */
static bool has_twin(const struct go_variables *variables, const struct candidate *candidate)
{
	for (size_t at = 0; at + WORD <= variables->length; at += WORD) {
		if (go_u64(variables->bytes, (unsigned)at) == candidate->array &&
			variables->start + at != candidate->at)
			return true;
	}
	return false;
}

/*
 * The garbage collector keeps a slice with the goroutines of its beginning (mgc.go,
 * work.stackRoots): allgs is the longest. Other words, those of mheap_ for one, may by chance read
 * like a slice whose array begins with goroutines, but that ends anywhere.
 */
static void find_allgs(struct go_process *go, const struct go_variables *variables)
{
	struct candidate *candidates cleanup_free = NULL;
	size_t count = find_slices(go, variables, &candidates), tries = TRIES_MAX;
	size_t searches = SEARCHES_MAX;

	read_ends(go, candidates, count);
	for (size_t i = 0; i < count; i++) {
		const struct candidate *candidate = &candidates[i];

		if (candidate->count <= go->allgs_count ||
			!leads_to_goroutines(go, candidate, &tries) || !searches)
			continue;
		searches--;
		if (!has_twin(variables, candidate))
			continue;
		go->allgs = candidate->array;
		go->allgs_count = candidate->count;
		go->allgs_slice = candidate->at;
	}
}

/* The threads that were found, and which addresses were looked at. */
struct machine_search {
	struct go_process *go;
	struct address_table seen;
	struct go_machine *items;
	size_t count, capacity;
};

enum machine_kind { MACHINE_NONE, MACHINE_NEW, MACHINE };

/*
 * Whether a thread's struct stands at @address; its bytes in @bytes. A new one is in the list
 * before it has its g0, and that leads back to it: src/runtime/proc.go, allocm().
 */
static enum machine_kind read_machine(const struct go_process *go, uint64_t address, uint8_t *bytes)
{
	const struct go_layout *layout = go->layout;
	uint64_t owner;

	if (!go_is_pointer(go, address) ||
		!memory_read_now(go->memory, address, bytes, layout->m.size))
		return MACHINE_NONE;
	uint64_t g0 = go_u64(bytes, layout->m.g0);
	if (!g0)
		return MACHINE_NEW;
	if (!go_is_pointer(go, g0) ||
		!memory_read_now(go->memory, g0 + layout->g.m, &owner, sizeof(owner)))
		return MACHINE_NONE;
	if (!owner)
		return MACHINE_NEW;
	return owner == address ? MACHINE : MACHINE_NONE;
}

static struct go_machine machine_from(
	const struct go_layout *layout, uint64_t address, const uint8_t *bytes)
{
	return (struct go_machine){
		.address = address,
		.g0 = go_u64(bytes, layout->m.g0),
		.curg = go_u64(bytes, layout->m.curg),
		.lockedg = go_u64(bytes, layout->m.lockedg),
		.vdso_sp = go_u64(bytes, layout->m.vdso_sp),
		.vdso_pc = go_u64(bytes, layout->m.vdso_pc),
		.procid = go_u64(bytes, layout->m.procid),
	};
}

bool go_machine_read(const struct go_process *go, uint64_t address, struct go_machine *machine)
{
	const struct go_layout *layout = go->layout;
	uint8_t *bytes cleanup_free = allocate(layout->m.size);

	if (read_machine(go, address, bytes) != MACHINE)
		return false;
	*machine = machine_from(layout, address, bytes);
	return true;
}

/*
 * Adds the threads of the list that begins at @address, but for those that are only coming to be:
 * they run nothing yet.
 */
static void follow_list(struct machine_search *search, uint64_t address)
{
	const struct go_layout *layout = search->go->layout;
	uint8_t *bytes cleanup_free = allocate(layout->m.size);
	unsigned new_count = 0;
	size_t number;

	while (search->count < GO_MACHINES_MAX &&
		address_table_add(&search->seen, address, 0, &number)) {
		enum machine_kind kind = read_machine(search->go, address, bytes);

		if (kind == MACHINE_NONE || (kind == MACHINE_NEW && ++new_count > NEW_MACHINES_MAX))
			return;
		if (kind == MACHINE) {
			array_reserve(search->items, search->count, search->capacity);
			search->items[search->count++] = machine_from(layout, address, bytes);
		}
		address = go_u64(bytes, layout->m.alllink);
	}
}

/* Reads the word at each address plus @offset, where @offset does not pass the end of a struct. */
static void read_words(const struct go_process *go, const uint64_t *addresses, size_t count,
	size_t offset, uint64_t *words)
{
	struct memory_range *ranges cleanup_free = allocate_zeroed(count, sizeof(*ranges));

	for (size_t i = 0; i < count; i++)
		ranges[i] = (struct memory_range){
			.address = addresses[i] + offset, .length = WORD, .to = &words[i]};
	memory_read_many(go->memory, ranges, count);
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].got < WORD)
			words[i] = UNREADABLE;
	}
}

/*
 * Keeps those pointers that lead to a thread's struct, whose g0 leads back to it; *left becomes the
 * threads behind those that may be structs of new threads, and *left_count their number.
 */
static size_t keep_machines(const struct go_process *go, uint64_t *pointers, size_t count,
	uint64_t *left, size_t *left_count)
{
	const struct go_layout *layout = go->layout;
	uint64_t *g0s cleanup_free = allocate_zeroed(count, WORD);
	uint64_t *owners cleanup_free = allocate_zeroed(count, WORD);
	uint64_t *new cleanup_free = allocate_zeroed(count, WORD);
	uint64_t *led cleanup_free = allocate_zeroed(count, WORD);
	size_t kept = 0, led_count = 0, new_count = 0;

	read_words(go, pointers, count, layout->m.g0, g0s);
	for (size_t i = 0; i < count; i++) {
		if (!g0s[i])
			new[new_count++] = pointers[i];
		if (!go_is_pointer(go, g0s[i]))
			continue;
		pointers[led_count] = pointers[i];
		led[led_count++] = g0s[i];
	}
	read_words(go, led, led_count, layout->g.m, owners);
	for (size_t i = 0; i < led_count; i++) {
		if (!owners[i])
			new[new_count++] = pointers[i];
		if (owners[i] == pointers[i])
			pointers[kept++] = pointers[i];
	}
	read_words(go, new, new_count, layout->m.alllink, led);
	*left_count = 0;
	for (size_t i = 0; i < new_count; i++) {
		if (go_is_pointer(go, led[i]))
			left[(*left_count)++] = led[i];
	}
	return kept;
}

/*
 * The variables that may point to a thread's struct. The list's own points to a new thread's for a
 * moment: then what comes behind that is given.
 */
static size_t find_machine_pointers(
	const struct go_process *go, const struct go_variables *variables, uint64_t **found)
{
	const unsigned rounds = 4; /* threads that are coming to be at the same time */
	size_t count = 0, capacity = 0, kept = 0;
	uint64_t *pointers = NULL;

	for (size_t at = 0; at + WORD <= variables->length && count < CANDIDATES_MAX; at += WORD) {
		uint64_t pointer = go_u64(variables->bytes, (unsigned)at);

		if (!go_is_pointer(go, pointer))
			continue;
		array_reserve(pointers, count, capacity);
		pointers[count++] = pointer;
	}
	uint64_t *left cleanup_free = allocate_zeroed(count, WORD);
	for (unsigned i = 0; i < rounds && count; i++) {
		size_t left_count;

		kept += keep_machines(go, pointers + kept, count, left, &left_count);
		memcpy(pointers + kept, left, left_count * WORD);
		count = left_count;
	}
	*found = pointers;
	return kept;
}

/* Stacks of the scheduler and of the goroutine that runs, of all threads at once. */
static void read_stacks(struct go_process *go, struct go_machine *machines, size_t count)
{
	const struct go_layout *layout = go->layout;
	size_t size = layout->g.size;
	uint8_t *bytes cleanup_free = allocate_zeroed(2 * count, size);
	struct memory_range *ranges cleanup_free = allocate_zeroed(2 * count, sizeof(*ranges));

	for (size_t i = 0; i < count; i++) {
		uint64_t curg = machines[i].curg;

		ranges[2 * i] = (struct memory_range){
			.address = machines[i].g0, .length = size, .to = bytes + 2 * i * size};
		ranges[2 * i + 1] = (struct memory_range){.address = curg ? curg : machines[i].g0,
			.length = size,
			.to = bytes + (2 * i + 1) * size};
	}
	memory_read_many(go->memory, ranges, 2 * count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *g0 = bytes + 2 * i * size, *curg = g0 + size;
		struct go_machine *machine = &machines[i];

		if (ranges[2 * i].got == size) {
			machine->g0_low = go_u64(g0, layout->g.stack_lo);
			machine->g0_high = go_u64(g0, layout->g.stack_hi);
			machine->g0_saved_sp = go_u64(g0, layout->g.sched_sp);
		}
		if (!machine->curg || ranges[2 * i + 1].got < size)
			continue;
		machine->curg_low = go_u64(curg, layout->g.stack_lo);
		machine->curg_high = go_u64(curg, layout->g.stack_hi);
		machine->curg_sp = go_u64(curg, layout->g.sched_sp);
		machine->curg_pc = go_u64(curg, layout->g.sched_pc);
	}
}

static int by_stack(const void *left, const void *right)
{
	const struct go_machine *a = left, *b = right;

	return (a->g0_high > b->g0_high) - (a->g0_high < b->g0_high);
}

/* All lists that begin at a variable together: one of them is allm, which has all. */
static void find_machines(struct go_process *go, const struct go_variables *variables)
{
	struct machine_search search = {.go = go};
	uint64_t *pointers cleanup_free = NULL;
	size_t count = find_machine_pointers(go, variables, &pointers);

	for (size_t i = 0; i < count; i++)
		follow_list(&search, pointers[i]);
	address_table_deinit(&search.seen);
	read_stacks(go, search.items, search.count);
	if (search.count)
		qsort(search.items, search.count, sizeof(*search.items), by_stack);
	go->machines = arena_copy(go->arena, search.items, search.count * sizeof(*search.items));
	go->machine_count = search.count;
	free(search.items);
}

void go_globals_find(struct go_process *go)
{
	const struct go_module *module = &go->modules[0];
	const unsigned tries = 3; /* where the array is just exchanged */

	for (unsigned i = 0; i < tries && !go->allgs_slice; i++) {
		struct go_variables variables = go_variables_read(go, module);

		find_allgs(go, &variables);
		if (go->allgs_slice || i + 1 == tries)
			find_machines(go, &variables);
		free(variables.bytes);
	}
}

const struct go_machine *go_machine_of_stack(const struct go_process *go, uint64_t sp)
{
	size_t low = 0, high = go->machine_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (go->machines[middle].g0_high <= sp)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == go->machine_count)
		return NULL;
	const struct go_machine *machine = &go->machines[low];
	if (sp >= machine->g0_low)
		return machine;
	/* Of a stack that C made only an estimate is known (runtime/cgo, x_cgo_init()). */
	const struct mapping *mapping = mappings_find(&go->process->mappings, sp);
	return mapping && machine->g0_high - 1 < mapping->end ? machine : NULL;
}

const struct go_machine *go_machine_of_goroutine_stack(const struct go_process *go, uint64_t sp)
{
	for (size_t i = 0; i < go->machine_count; i++) {
		if (sp >= go->machines[i].curg_low && sp < go->machines[i].curg_high)
			return &go->machines[i];
	}
	return NULL;
}
