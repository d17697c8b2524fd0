// SPDX-License-Identifier: Apache-2.0
#include "top/pages.h"

#include <stdlib.h>
#include <string.h>

#include "explain/group.h"
#include "render/goroutine_text.h"
#include "render/text.h"
#include "top/links.h"
#include "top/holder.h"
#include "top/keys.h"
#include "util/memory.h"

/* How wide pages are at least: what does not fit is scrolled to. */
#define PAGE_WIDTH_MIN 60
#define PAGE_LINES_MAX 100000

static struct render_options options_of(const struct top *top)
{
	struct render_options options = top->options->render;

	options.width = top->width < PAGE_WIDTH_MIN ? PAGE_WIDTH_MIN : top->width;
	options.color = true; /* the styles are told by what a terminal would be sent */
	return options;
}

static bool group_has(const struct thread_group *group, pid_t tid)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->threads[i]->tid == tid)
			return true;
	}
	return false;
}

static void put_groups(
	struct page *page, const struct top *top, const struct process *process, pid_t tid)
{
	struct arena *scratch cleanup_arena = arena_create();
	struct thread_groups groups = group_threads(process, true, scratch);
	struct render_options options = options_of(top);
	bool any = false;

	for (size_t i = 0; i < groups.count; i++) {
		if (tid && !group_has(&groups.items[i], tid))
			continue;
		if (any)
			page_end(page);
		any = true;
		thread_group_put(page, process, &groups.items[i], &options);
	}
}

static bool put_stack(struct page *page, const struct top *top)
{
	struct somebody who = somebody_find(top->look, top->page_pid, top->page_tid);
	struct render_options options = options_of(top);

	if (top->page_rows == ROWS_PROCESSES && who.process) {
		put_groups(page, top, who.process, 0);
		return true;
	}
	if (!who.thread)
		return false;
	if (top->page_rows == ROWS_STACKS) {
		put_groups(page, top, who.process, who.thread->tid);
		return true;
	}
	struct thread_group alone = {&who.thread, 1, true};
	thread_group_put(page, who.process, &alone, &options);
	return true;
}

static bool put_goroutines(struct page *page, const struct top *top)
{
	struct somebody who = somebody_find(top->look, top->page_pid, 0);
	struct render_options options = options_of(top);

	if (!who.process)
		return false;
	if (who.process->goroutine_count) {
		goroutines_put(page, who.process, &options);
		return true;
	}
	for_each_gap (gap, &who.process->gaps) {
		page_put(page, STYLE_GAP, gap->reason);
		page_end(page);
	}
	page_put(page, STYLE_DIM,
		"It has no goroutines that are known: it is no Go program, or "
		"they are not looked for.");
	page_end(page);
	return true;
}

static bool put_chain(struct page *page, const struct top *top)
{
	struct somebody who = somebody_find(top->look, top->page_pid, top->page_tid);

	if (!who.thread)
		return false;
	links_put(page, top->look, who);
	return true;
}

static bool put_help(struct page *page, const struct top *top)
{
	(void)top;
	for (size_t i = 0; i < key_count; i++) {
		if (!keys[i].summary)
			continue;
		page_pad(page, 2, 0);
		page_put(page, STYLE_STRONG, keys[i].shown);
		page_pad(page, 16, 2);
		page_put(page, STYLE_PLAIN, keys[i].summary);
		page_end(page);
	}
	page_end(page);
	page_put(page, STYLE_PLAIN,
		"In the first place of a row: + was not there at the look before, * waits for");
	page_end(page);
	page_put(page, STYLE_PLAIN,
		"something else, or elsewhere, than it did then. The cells that changed are bold,");
	page_end(page);
	page_put(page, STYLE_PLAIN, "the time where the thread has run in between.");
	page_end(page);
	page_end(page);
	page_put(page, STYLE_PLAIN,
		"First stand the deadlocked, those that run, the uninterruptible, those whom "
		"somebody");
	page_end(page);
	page_put(page, STYLE_PLAIN,
		"holds up, others that wait, each the longest first; last those that rest.");
	page_end(page);
	return true;
}

const struct page_kind page_stack = {"stack", put_stack, false, false};
const struct page_kind page_goroutines = {"goroutines", put_goroutines, true, false};
const struct page_kind page_chain = {"who waits on whom", put_chain, false, false};
const struct page_kind page_help = {"keys", put_help, false, true};

static void find_lines(struct top *top)
{
	const char *line = top->page_text.bytes;

	top->page_line_count = 0;
	while (line && *line && top->page_line_count < PAGE_LINES_MAX) {
		const char *end = strchr(line, '\n');

		array_reserve(top->page_lines, top->page_line_count, top->page_line_capacity);
		top->page_lines[top->page_line_count++] = (size_t)(line - top->page_text.bytes);
		line = end ? end + 1 : NULL;
	}
}

void page_scroll_to(struct top *top, size_t line)
{
	size_t height = top_body_height(top);
	size_t last = top->page_line_count > height ? top->page_line_count - height : 0;

	top->page_first = line < last ? line : last;
}

void page_refresh(struct top *top)
{
	struct page page cleanup_page = {.color = true, .width = options_of(top).width};
	char *bytes = NULL;
	size_t length = 0;
	bool is_there = false;

	if (!top->look && !top->page->of_nothing)
		return;
	page.out = open_memstream(&bytes, &length);
	if (!page.out)
		out_of_memory();
	is_there = top->page->put(&page, top);
	if (fclose(page.out))
		out_of_memory();
	top->page_ended = !is_there;
	if (is_there) {
		text_clear(&top->page_text);
		text_append_bytes(&top->page_text, bytes, length);
		find_lines(top);
	}
	free(bytes);
	page_scroll_to(top, top->page_first);
}

void page_open(struct top *top, const struct page_kind *kind)
{
	const struct row *row = top_selected(top);

	if (top->mode == MODE_ROWS) {
		if (!row && !kind->of_nothing)
			return;
		top->page_rows = top->settings.kind;
		top->page_pid = row ? row->process->pid : 0;
		top->page_tid = row ? row->thread->tid : 0;
	}
	top->mode = MODE_PAGE;
	top->page = kind;
	top->page_first = 0;
	top->page_column = 0;
	text_clear(&top->page_text);
	find_lines(top);
	page_refresh(top);
}
