// SPDX-License-Identifier: Apache-2.0
#include "render/goroutine_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explain/goroutines.h"
#include "render/chain_text.h"
#include "render/group_text.h"
#include "render/stack_text.h"
#include "util/clock.h"
#include "util/memory.h"

#define IDS_COLUMNS_MIN 16 /* of ids in a group's header, however narrow the page */
#define THREAD_IDS_COLUMNS 24
#define STATES_SHOWN 8

static void count_append(struct text *text, size_t count)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%zu", count);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text_append(text, ",");
		text_append_bytes(text, &digits[i], 1);
	}
}

void goroutine_count_append(struct text *text, size_t count)
{
	count_append(text, count);
	text_append(text, count == 1 ? " goroutine" : " goroutines");
}

static const char *state_of(const struct goroutine *goroutine)
{
	return goroutine->wait_reason ? goroutine->wait_reason : goroutine->status;
}

static enum style style_of(const struct goroutine *goroutine)
{
	return strncmp(goroutine->status, "run", strlen("run")) == 0 ? STYLE_RUNNING
								     : STYLE_WAITING;
}

/*
 * The state as the runtime writes it (src/runtime/traceback.go, goroutineheader()): whole minutes
 * from the first on. "up to" where not all of the group have waited so long.
 */
static void put_state(struct page *page, const struct goroutine_group *group)
{
	const struct goroutine *first = group->goroutines[0];
	struct text state cleanup_text = {0};
	int64_t most = group->longest_ns / (60 * NS_PER_SECOND);
	int64_t least = group->all_waits_known ? group->shortest_ns / (60 * NS_PER_SECOND) : -1;

	text_append_escaped(&state, state_of(first), strlen(state_of(first)));
	if (group->longest_ns >= 0 && most >= 1)
		text_append_format(
			&state, ", %s%" PRId64 " minutes", least == most ? "" : "up to ", most);
	if (first->locked)
		text_append(&state, ", locked to thread");
	page_put(page, STYLE_PLAIN, " [");
	page_put(page, style_of(first), state.bytes);
	page_put(page, STYLE_PLAIN, "]");
	if (first->uncertain)
		page_put(page, STYLE_ALARM, " ?");
}

static int compare_ids(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

void goroutines_of_threads_put(
	struct page *page, const struct process *process, const struct thread_group *group)
{
	const struct goroutine **goroutines cleanup_free =
		reallocate(NULL, group->count, sizeof(*goroutines));
	uint64_t *ids cleanup_free = reallocate(NULL, group->count, sizeof(*ids));
	struct goroutine_group known = {.goroutines = goroutines};
	struct text text cleanup_text = {0};

	for (size_t i = 0; i < group->count; i++) {
		const struct goroutine *goroutine = goroutine_of(process, group->threads[i]);

		ids[i] = group->threads[i]->goroutine;
		if (goroutine)
			goroutines[known.count++] = goroutine;
	}
	qsort(ids, group->count, sizeof(*ids), compare_ids);
	if (group->count == 1) {
		page_format(page, STYLE_PLAIN, "goroutine %" PRIu64, ids[0]);
	} else {
		bool all = ids_append(&text, ids, group->count, THREAD_IDS_COLUMNS);

		page_format(page, STYLE_PLAIN, "goroutines %s%s", text.bytes, all ? "" : " …");
	}
	if (known.count) {
		goroutine_group_summarize(&known);
		put_state(page, &known);
	}
}

static void put_waits(
	struct page *page, const struct process *process, const struct goroutine_group *group)
{
	const struct wait *wait = group->goroutines[0]->wait;
	struct shared_wait *waits cleanup_free = NULL;
	size_t count = 0;

	if (group->same_wait) {
		if (!wait)
			return;
		page_pad(page, LABEL_COLUMN, 0);
		page_put(page, STYLE_STRONG, wait->sentence);
		page_end(page);
		chain_put(page, process, wait, NULL);
		return;
	}
	waits = reallocate(NULL, group->count, sizeof(*waits));
	for (size_t i = 0; i < group->count; i++) {
		const struct goroutine *goroutine = group->goroutines[i];

		if (goroutine->wait)
			waits[count++] = (struct shared_wait){goroutine->wait, goroutine->id, 1};
	}
	waits_put(page, process, waits, count, "goroutine");
}

static void put_header(struct page *page, const struct goroutine_group *group)
{
	struct text line cleanup_text = {0};
	uint64_t *ids cleanup_free = NULL;

	if (group->count == 1) {
		page_format(page, STYLE_PLAIN, "goroutine %" PRIu64, group->goroutines[0]->id);
		put_state(page, group);
		page_put(page, STYLE_PLAIN, ":");
		if (group->goroutines[0]->tid)
			page_format(page, STYLE_PLAIN, "   thread %d", group->goroutines[0]->tid);
		page_end(page);
		return;
	}
	goroutine_count_append(&line, group->count);
	page_put(page, STYLE_PLAIN, line.bytes);
	put_state(page, group);
	page_put(page, STYLE_PLAIN, ":");

	size_t columns = page->width > page->column + IDS_COLUMNS_MIN + 6
				 ? page->width - page->column - 6
				 : IDS_COLUMNS_MIN;
	ids = reallocate(NULL, group->count, sizeof(*ids));
	for (size_t i = 0; i < group->count; i++)
		ids[i] = group->goroutines[i]->id;
	text_clear(&line);
	bool all = ids_append(&line, ids, group->count, columns);
	page_put(page, STYLE_PLAIN, "   ");
	page_format(page, STYLE_DIM, "%s%s", line.bytes, all ? "" : " …");
	page_end(page);
}

static void put_other_gaps(struct page *page, const struct goroutine *goroutine)
{
	for_each_gap (gap, &goroutine->gaps) {
		if (gap->stage == STAGE_USER_STACK)
			continue;
		label_put(page, "");
		page_format(page, STYLE_GAP, "not shown: %s", gap->reason);
		page_end(page);
	}
}

static void put_group(struct page *page, const struct process *process,
	const struct goroutine_group *group, const struct render_options *options)
{
	const struct goroutine *goroutine = group->goroutines[0];
	const struct user_block block = {
		.label = "stack",
		.stack = goroutine->stack,
		.gaps = &goroutine->gaps,
		.hides = !options->runtime_frames,
		.goroutine = goroutine,
		.creators_differ = !group->same_creator_id,
	};

	put_header(page, group);
	put_waits(page, process, group);
	user_block_put(page, process, &block, options);
	put_other_gaps(page, goroutine);
}

/* How many goroutines are in each state, in @states; how many states. */
static size_t count_states(const struct goroutine_groups *groups, struct word_count *states)
{
	size_t count = 0;

	for (size_t i = 0; i < groups->count; i++)
		states[count++] = (struct word_count){
			state_of(groups->items[i].goroutines[0]), groups->items[i].count};
	for (size_t i = 0; i < groups->on_thread_count; i++)
		states[count++] = (struct word_count){state_of(groups->on_threads[i]), 1};
	return words_add_up(states, count);
}

/* "1,030 goroutines: 1,024 chan receive, 6 IO wait". */
static void put_summary(
	struct page *page, const struct process *process, const struct goroutine_groups *groups)
{
	struct word_count *states cleanup_free =
		reallocate(NULL, groups->count + groups->on_thread_count + 1, sizeof(*states));
	size_t count = count_states(groups, states);
	struct text item cleanup_text = {0};

	goroutine_count_append(&item, process->goroutine_count);
	page_put(page, STYLE_STRONG, item.bytes);
	for (size_t i = 0; i < count && i <= STATES_SHOWN; i++) {
		page_put(page, STYLE_PLAIN, i ? "," : ":");
		text_clear(&item);
		if (i == STATES_SHOWN) {
			text_append(&item, "…");
		} else {
			count_append(&item, states[i].count);
			text_append(&item, " ");
			text_append_escaped(&item, states[i].word, strlen(states[i].word));
		}
		page_wrap(page, LABEL_COLUMN, STYLE_PLAIN, item.bytes);
	}
	page_end(page);
}

/* Where the stacks of those are that stand in no group. */
static void put_on_threads(struct page *page, const struct goroutine_groups *groups)
{
	struct text item cleanup_text = {0};

	if (!groups->on_thread_count)
		return;
	page_pad(page, LABEL_COLUMN, 0);
	page_put(page, STYLE_DIM, "on the threads above:");
	for (size_t i = 0; i < groups->on_thread_count; i++) {
		const struct goroutine *goroutine = groups->on_threads[i];

		text_clear(&item);
		text_append_format(&item, "%" PRIu64, goroutine->id);
		if (goroutine->tid)
			text_append_format(&item, " (thread %d)", goroutine->tid);
		if (i + 1 < groups->on_thread_count)
			text_append(&item, ",");
		page_wrap(page, 2 * LABEL_COLUMN, STYLE_DIM, item.bytes);
	}
	page_end(page);
}

void goroutines_put(
	struct page *page, const struct process *process, const struct render_options *options)
{
	struct arena *scratch cleanup_arena = arena_create();
	struct goroutine_groups groups =
		group_goroutines(process, options->grouping != GROUP_NEVER, scratch);

	if (options->partial && !groups.count)
		return; /* the threads that were asked for have said all */
	page_end(page);
	put_summary(page, process, &groups);
	put_on_threads(page, &groups);
	if (process->goroutines_left_out) {
		page_pad(page, LABEL_COLUMN, 0);
		page_format(page, STYLE_DIM,
			"%zu more of the runtime's own: --runtime-frames shows them",
			process->goroutines_left_out);
		page_end(page);
	}
	for (size_t i = 0; i < groups.count; i++) {
		page_end(page);
		put_group(page, process, &groups.items[i], options);
	}
}
