// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/processors.h"

#include "runtimes/go/globals.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define CANDIDATES_MAX 65536
#define PROCESSORS_MAX 65536
#define PIECES 5 /* of a processor that are read, see read_processors() */
#define IDLE 0   /* runtime2.go, _Pidle */
#define STATUS_MAX 4
#define SUDOGS 128 /* runtime2.go, p.sudogbuf */

/* What of a processor is looked at. */
struct processor {
	uint64_t address;
	uint32_t id, status;
	uint64_t cache[3];   /* sudogcache, a slice of sudogbuf as long as it lives */
	uint64_t timers[2];  /* how many there are is the second */
	int32_t gone_timers; /* of these, those that were stopped */
	bool read;
};

static void read_processors(const struct go_process *go, struct processor *processors, size_t count)
{
	const struct go_layout *layout = go->layout;
	bool is_struct = layout->timers.heap != GO_ABSENT;
	unsigned timers = layout->p.timers + (is_struct ? layout->timers.heap : 0u);
	unsigned gone =
		is_struct ? layout->p.timers + layout->timers.zombies : layout->p.deleted_timers;
	struct memory_range *ranges cleanup_free =
		allocate_zeroed(count * PIECES + 1, sizeof(*ranges));

	for (size_t i = 0; i < count; i++) {
		struct processor *one = &processors[i];
		const struct memory_range pieces[PIECES] = {
			{one->address + layout->p.id, sizeof(one->id), &one->id, 0},
			{one->address + layout->p.status, sizeof(one->status), &one->status, 0},
			{one->address + layout->p.sudogcache, sizeof(one->cache), one->cache, 0},
			{one->address + timers, sizeof(one->timers), one->timers, 0},
			{one->address + gone, sizeof(one->gone_timers), &one->gone_timers, 0},
		};
		for (size_t j = 0; j < PIECES; j++)
			ranges[i * PIECES + j] = pieces[j];
	}
	memory_read_many(go->memory, ranges, count * PIECES);
	for (size_t i = 0; i < count; i++) {
		processors[i].read = true;
		for (size_t j = 0; j < PIECES; j++)
			processors[i].read &=
				ranges[i * PIECES + j].got == ranges[i * PIECES + j].length;
	}
}

/* Whether it is processor number @id. */
static bool is_processor(const struct go_layout *layout, const struct processor *one, size_t id)
{
	return one->read && one->id == id && one->status <= STATUS_MAX &&
	       one->cache[0] == one->address + layout->p.sudogbuf && one->cache[1] <= SUDOGS &&
	       one->cache[2] == SUDOGS;
}

struct candidate {
	uint64_t array, count, first;
};

/* The slices among the variables that may be allp, and their first elements, in heap memory. */
static struct candidate *find_slices(const struct go_process *go, size_t *count)
{
	struct go_variables variables = go_variables_read(go, &go->modules[0]);
	struct candidate *candidates = NULL;
	size_t capacity = 0;

	*count = 0;
	for (size_t at = 0; at + 3 * WORD <= variables.length && *count < CANDIDATES_MAX;
		at += WORD) {
		uint64_t array = go_u64(variables.bytes, (unsigned)at);
		uint64_t length = go_u64(variables.bytes, (unsigned)(at + WORD));
		uint64_t room = go_u64(variables.bytes, (unsigned)(at + 2 * WORD));

		if (!length || length > room || room > PROCESSORS_MAX || !go_is_pointer(go, array))
			continue;
		array_reserve(candidates, *count, capacity);
		candidates[(*count)++] = (struct candidate){.array = array, .count = length};
	}
	free_at(&variables.bytes);
	struct memory_range *ranges cleanup_free = allocate_zeroed(*count + 1, sizeof(*ranges));
	for (size_t i = 0; i < *count; i++)
		ranges[i] = (struct memory_range){
			.address = candidates[i].array, .length = WORD, .to = &candidates[i].first};
	memory_read_many(go->memory, ranges, *count);
	return candidates;
}

/* All processors of the slice, in heap memory; NULL: it is not allp. */
static struct processor *read_all(const struct go_process *go, const struct candidate *candidate)
{
	uint64_t *pointers cleanup_free = allocate(candidate->count * WORD);
	struct processor *all = allocate_zeroed(candidate->count, sizeof(*all));
	struct memory_range range = {
		.address = candidate->array, .length = candidate->count * WORD, .to = pointers};

	memory_read_many(go->memory, &range, 1);
	for (size_t i = 0; i < candidate->count && range.got == range.length; i++)
		all[i].address = pointers[i];
	read_processors(go, all, candidate->count);
	for (size_t i = 0; i < candidate->count; i++) {
		if (!is_processor(go->layout, &all[i], i)) {
			free_at(&all);
			return NULL;
		}
	}
	return all;
}

/* The processors, in heap memory; NULL: they were not found, or more than once. */
static struct processor *find_processors(const struct go_process *go, size_t *count)
{
	size_t candidate_count;
	struct candidate *candidates cleanup_free = find_slices(go, &candidate_count);
	struct processor *firsts cleanup_free =
		allocate_zeroed(candidate_count + 1, sizeof(*firsts));
	struct processor *found = NULL;
	uint64_t array = 0;

	for (size_t i = 0; i < candidate_count; i++)
		firsts[i].address =
			go_is_pointer(go, candidates[i].first) ? candidates[i].first : 0;
	read_processors(go, firsts, candidate_count);
	for (size_t i = 0; i < candidate_count; i++) {
		if (!is_processor(go->layout, &firsts[i], 0))
			continue;
		struct processor *all = read_all(go, &candidates[i]);
		if (all && found && candidates[i].array != array) {
			free_at(&all);
			free_at(&found);
			return NULL;
		}
		if (!all)
			continue;
		free_at(&found);
		found = all;
		array = candidates[i].array;
		*count = candidates[i].count;
	}
	return found;
}

const char *go_processors_busy(const struct go_process *go)
{
	size_t count = 0;
	struct processor *processors cleanup_free = find_processors(go, &count);

	if (!processors)
		return "the processors of its scheduler were not found";
	for (size_t i = 0; i < count; i++) {
		if (processors[i].status != IDLE)
			return "its scheduler is at work";
	}
	for (size_t i = 0; i < count; i++) {
		/* A timer that is stopped stays in its heap until the scheduler comes upon it. */
		if (processors[i].timers[1] &&
			(processors[i].gone_timers < 0 ||
				processors[i].timers[1] > (uint32_t)processors[i].gone_timers))
			return "a timer is to fire";
	}
	return NULL;
}
