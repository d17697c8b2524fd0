// SPDX-License-Identifier: Apache-2.0
/* Text: a look as people read it. Always UTF-8, whatever the locale says. */
#include "render/text.h"

#include <stdlib.h>
#include <string.h>

#include "render/chain_text.h"
#include "render/goroutine_text.h"
#include "render/group_text.h"
#include "render/info_text.h"
#include "render/stack_text.h"
#include "util/memory.h"

#define COMMAND_COLUMNS_MIN 16 /* of the command line in a header, however narrow the page */
#define IDS_COLUMNS_MAX 40     /* thread ids that stand in the line of their group */
#define NAMES_SHOWN 3

/* The first @columns or so of the command line, raw: it is cut on the page for good. */
static void append_command(struct text *text, const struct process *process, size_t columns)
{
	for (size_t i = 0; i < process->cmdline_count && text->length <= 4 * columns; i++) {
		size_t length = strnlen(process->cmdline[i], 4 * columns + 1);

		text_append(text, i ? " " : "");
		text_append_bytes(text, process->cmdline[i], length);
	}
}

static void append_facts(
	struct text *text, const struct process *process, const struct render_options *options)
{
	text_append_format(
		text, "%zu thread%s", process->thread_count, process->thread_count == 1 ? "" : "s");
	if (process->goroutines) {
		text_append(text, ", ");
		goroutine_count_append(text, process->goroutine_count);
	}
	text_append(text, options->partial ? " shown" : "");
	if (process->is_32_bit)
		text_append(text, ", 32-bit");
	if (process->runtime) {
		text_append(text, ", ");
		text_append_escaped(text, process->runtime, strlen(process->runtime));
	}
	if (process->running_ns >= 0) {
		text_append(text, ", started ");
		text_append_age(text, process->running_ns);
		text_append(text, " ago");
	}
}

static void put_header(
	struct page *page, const struct process *process, const struct render_options *options)
{
	struct text facts cleanup_text = {0};
	struct text command cleanup_text = {0};
	size_t columns = COMMAND_COLUMNS_MIN;

	append_facts(&facts, process, options);
	page_put_raw(page, STYLE_STRONG, process->comm ? process->comm : "?");
	page_format(page, STYLE_STRONG, " (pid %d)", process->pid);
	page_pad(page, 0, 2);

	size_t facts_columns = text_columns(facts.bytes);
	size_t taken = page->column + 3 + facts_columns;
	if (page->width > taken + columns)
		columns = page->width - taken;
	append_command(&command, process, columns);
	if (process->is_kernel)
		page_put(page, STYLE_DIM, "kernel thread");
	else if (command.length)
		page_put_raw_cut(page, STYLE_PLAIN, command.bytes, columns);
	page_pad(page, page->width > facts_columns ? page->width - facts_columns : 0, 3);
	page_put(page, STYLE_DIM, facts.bytes);
	page_end(page);
}

static void put_process_gaps(struct page *page, const struct process *process)
{
	for_each_gap (gap, &process->gaps) {
		page_pad(page, LABEL_COLUMN, 0);
		page_format(page, STYLE_GAP, "not all is shown: %s", gap->reason);
		page_end(page);
	}
}

/* How long the threads of a group have been blocked, the shortest and the longest. */
static void append_blocked(struct text *text, const struct thread_group *group)
{
	struct text shortest cleanup_text = {0}, longest cleanup_text = {0};
	int64_t least = -1, most = -1;

	for (size_t i = 0; i < group->count; i++) {
		int64_t blocked = group->threads[i]->blocked_ns;

		if (blocked >= 0 && (least < 0 || blocked < least))
			least = blocked;
		if (blocked > most)
			most = blocked;
	}
	if (most < 0)
		return;
	text_append_duration(&shortest, least);
	text_append_duration(&longest, most);
	text_append_format(text, " for %s", shortest.bytes);
	if (strcmp(shortest.bytes, longest.bytes))
		text_append_format(text, " to %s", longest.bytes);
}

/* The states of fs/proc/array.c, task_state_array. */
static void put_state(
	struct page *page, const struct process *process, const struct thread_group *group)
{
	const struct thread *thread = group->threads[0];
	struct text words cleanup_text = {0};
	enum style style = STYLE_WAITING;

	switch (thread->state) {
	case 'R':
		style = STYLE_RUNNING;
		text_append(&words, "running");
		if (thread->cpu >= 0 && group->count == 1)
			text_append_format(&words, " on CPU %d", thread->cpu);
		break;
	case 'S':
		text_append(&words, "sleeping");
		break;
	case 'D':
		style = STYLE_ALARM;
		text_append(&words, "uninterruptible (D)");
		break;
	case 'T':
		style = STYLE_ALARM;
		text_append(&words, "stopped");
		break;
	case 't':
		style = STYLE_ALARM;
		text_append(&words, "stopped by its tracer");
		if (process->tracer)
			text_append_format(&words, " (pid %d)", process->tracer);
		break;
	case 'Z':
		style = STYLE_ALARM;
		text_append(&words, "zombie (ended, not waited for)");
		break;
	case 'X':
		text_append(&words, "dead");
		break;
	case 'I':
		style = STYLE_DIM;
		text_append(&words, "idle");
		break;
	case 'P':
		style = STYLE_DIM;
		text_append(&words, "parked");
		break;
	default:
		text_append(&words, "in an unknown state");
	}
	if (thread->state != 'R')
		append_blocked(&words, group);
	if (thread->vanished)
		text_append(&words, ", ended during the look");
	page_put(page, style, words.bytes);
	if (thread->holds_up && group->count == 1)
		page_format(page, STYLE_ALARM, "   holds up %zu", thread->holds_up);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The different names of a group's threads, the first few of them. */
static void put_names(struct page *page, const struct thread_group *group)
{
	const char **names cleanup_free = reallocate(NULL, group->count, sizeof(*names));
	size_t count = 0, shown = 0;

	for (size_t i = 0; i < group->count; i++) {
		const char *name = group->threads[i]->comm ? group->threads[i]->comm : "?";

		if (!count || strcmp(names[count - 1], name))
			names[count++] = name;
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		if (i && strcmp(names[i], names[i - 1]) == 0)
			continue;
		if (shown++ == NAMES_SHOWN) {
			page_put(page, STYLE_DIM, " …");
			break;
		}
		page_put(page, STYLE_PLAIN, shown > 1 ? ", \"" : "\"");
		page_put_raw(page, STYLE_STRONG, names[i]);
		page_put(page, STYLE_PLAIN, "\"");
	}
}

/* Different sentences of one group: the most frequent, each with whose it is. */
static void put_waits(
	struct page *page, const struct process *process, const struct thread_group *group)
{
	struct shared_wait *waits cleanup_free = reallocate(NULL, group->count, sizeof(*waits));
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		if (group->threads[i]->wait)
			waits[count++] = (struct shared_wait){
				group->threads[i]->wait, (uint64_t)group->threads[i]->tid, 1};
	}
	waits_put(page, process, waits, count, "thread");
}

/* Whether the first thread's syscall is but an example of those of its group. */
static bool syscalls_differ(const struct thread_group *group)
{
	const struct syscall_call *first = group->threads[0]->syscall;

	for (size_t i = 1; first && i < group->count; i++) {
		const struct syscall_call *call = group->threads[i]->syscall;

		if (!call || strcmp(call->text, first->text))
			return true;
	}
	return false;
}

/* Whether the goroutines that a group's threads run were started by different ones. */
static bool creators_differ(const struct process *process, const struct thread_group *group)
{
	const struct goroutine *first = goroutine_of(process, group->threads[0]);

	for (size_t i = 1; first && i < group->count; i++) {
		const struct goroutine *goroutine = goroutine_of(process, group->threads[i]);

		if (!goroutine || goroutine->creator_id != first->creator_id)
			return true;
	}
	return false;
}

/* The kernel's function that the thread sleeps in; NULL: not known. */
static const char *kernel_word(const struct thread *thread)
{
	const struct kernel_stack *stack = thread->kernel_stack;

	return stack && stack->count ? stack->frames[0].symbol : NULL;
}

static const char *syscall_word(const struct thread *thread)
{
	return thread->syscall ? thread->syscall->name : NULL;
}

/* How many threads of the group have which word: "5 in futex, 1 in epoll_wait". */
static void put_counts(struct page *page, const char *label, const struct thread_group *group,
	const char *(*word_of)(const struct thread *thread))
{
	struct word_count *words cleanup_free = reallocate(NULL, group->count, sizeof(*words));
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		const char *word = word_of(group->threads[i]);

		if (word)
			words[count++] = (struct word_count){word, 1};
	}
	count = words_add_up(words, count);
	if (!count)
		return;
	label_put(page, label);
	for (size_t i = 0; i < count; i++)
		page_format(page, STYLE_PLAIN, "%s%zu in %s", i ? ", " : "", words[i].count,
			words[i].word);
	page_end(page);
}

/* Of threads that rest, with which their runtime does nothing, the innermost of each half. */
static void put_resting(struct page *page, const struct thread_group *group)
{
	const struct thread *thread = group->threads[0];

	if (group->count > 1) {
		put_counts(page, "kernel", group, kernel_word);
		put_counts(page, "syscall", group, syscall_word);
		return;
	}
	if (kernel_word(thread)) {
		label_put(page, "kernel");
		page_put(page, STYLE_PLAIN, kernel_word(thread));
		page_end(page);
	}
	if (thread->syscall) {
		label_put(page, "syscall");
		page_put(page, STYLE_PLAIN, thread->syscall->text);
		page_end(page);
	}
}

/* What the runtime does with the threads, beside their state: in @page's line. */
static void put_role(
	struct page *page, const struct process *process, const struct thread_group *group)
{
	const struct thread *thread = group->threads[0];

	if (thread->goroutine) {
		page_pad(page, 0, 3);
		goroutines_of_threads_put(page, process, group);
	} else if (thread->role) {
		page_pad(page, 0, 3);
		page_format(page, STYLE_DIM, "%s%s", thread->role, group->count > 1 ? "s" : "");
	}
}

void thread_group_put(struct page *page, const struct process *process,
	const struct thread_group *group, const struct render_options *options)
{
	const struct thread *thread = group->threads[0];
	uint64_t *ids cleanup_free = reallocate(NULL, group->count, sizeof(*ids));
	struct text line cleanup_text = {0};
	bool ids_fit = true;

	for (size_t i = 0; i < group->count; i++)
		ids[i] = (uint64_t)group->threads[i]->tid;
	if (group->count == 1) {
		page_format(page, STYLE_PLAIN, "thread %d ", thread->tid);
	} else {
		ids_fit = ids_append(&line, ids, group->count, IDS_COLUMNS_MAX);
		page_format(page, STYLE_PLAIN, "%zu threads ", group->count);
		if (ids_fit)
			page_format(page, STYLE_DIM, "(ids %s) ", line.bytes);
	}
	put_names(page, group);
	page_pad(page, 0, 3);
	put_state(page, process, group);
	put_role(page, process, group);
	page_end(page);
	if (!ids_fit)
		ids_put(page, "threads", ids, group->count);
	if (thread_rests_in_role(thread) && !options->runtime_frames) {
		put_resting(page, group);
		return;
	}
	if (!group->same_wait) {
		put_waits(page, process, group);
	} else if (thread->wait) {
		page_pad(page, LABEL_COLUMN, 0);
		page_put(page, STYLE_STRONG, thread->wait->sentence);
		page_end(page);
		chain_put(page, process, thread->wait,
			thread->syscall ? thread->syscall->text : NULL);
	}
	struct examples examples = {
		.syscall = syscalls_differ(group),
		.creator = creators_differ(process, group),
	};
	stack_text_put(page, process, thread, examples, options);
}

static void put_process(
	struct page *page, const struct process *process, const struct render_options *options)
{
	struct arena *scratch cleanup_arena = arena_create();

	put_header(page, process, options);
	put_process_gaps(page, process);
	if (options->process_info)
		info_text_put(page, process);

	struct thread_groups groups =
		group_threads(process, options->grouping != GROUP_NEVER, scratch);
	for (size_t i = 0; i < groups.count; i++) {
		page_end(page);
		thread_group_put(page, process, &groups.items[i], options);
	}
	if (process->goroutines)
		goroutines_put(page, process, options);
}

static void render(const struct look *look, const struct render_options *options, FILE *out)
{
	struct page page cleanup_page = {
		.out = out,
		.color = options->color,
		.width = options->width,
	};

	deadlocks_put(&page, look);
	for (size_t i = 0; i < look->process_count; i++) {
		if (i)
			page_end(&page);
		put_process(&page, look->processes[i], options);
	}
}

const struct renderer renderer_text = {
	.name = "text",
	.summary = "for people (default)",
	.render = render,
};
