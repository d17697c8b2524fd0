// SPDX-License-Identifier: Apache-2.0
#include "top/links.h"

#include <stdlib.h>
#include <string.h>

#include "render/chain_text.h"
#include "top/rows.h"
#include "util/memory.h"

#define DEPTH_MAX 16
#define LINKS_MAX 500 /* of each way */
#define INDENT 3

/* One way along the waits. */
struct walk {
	struct page *page;
	const struct look *look;
	struct somebody path[DEPTH_MAX]; /* from where it began to where it is */
	size_t depth;
	size_t links;
};

/* By their ids: a process may have been looked at twice, for itself and for who waits for it. */
static bool is_same(struct somebody a, struct somebody b)
{
	return a.process->pid == b.process->pid && !a.thread == !b.thread &&
	       (!a.thread || a.thread->tid == b.thread->tid);
}

static bool is_on_path(const struct walk *walk, struct somebody who)
{
	for (size_t i = 0; i < walk->depth; i++) {
		if (is_same(walk->path[i], who))
			return true;
	}
	return false;
}

static void put_somebody(struct page *page, struct somebody who)
{
	if (who.thread) {
		page_format(page, STYLE_PLAIN, "thread %d \"", who.thread->tid);
		page_put_raw(page, STYLE_STRONG, who.thread->comm ? who.thread->comm : "?");
		page_put(page, STYLE_PLAIN, "\" of ");
	}
	page_put_raw(page, STYLE_STRONG, who.process->comm ? who.process->comm : "?");
	page_format(page, STYLE_PLAIN, " (pid %d)", who.process->pid);
}

/* What the thread is at, on a line of its own. */
static void put_plight(struct page *page, const struct thread *thread, size_t indent)
{
	struct text words cleanup_text = {0};

	if (thread->wait)
		text_append(&words, thread->wait->sentence);
	else
		text_append_format(&words, "state %c", thread->state ? thread->state : '?');
	page_pad(page, indent, 0);
	page_put(page, thread->state == 'R' ? STYLE_RUNNING : STYLE_WAITING, words.bytes);
	if (thread->state != 'R' && thread->blocked_ns >= 0) {
		text_clear(&words);
		text_append_duration(&words, thread->blocked_ns);
		page_format(page, STYLE_DIM, "   for %s", words.bytes);
	}
	page_end(page);
}

/* Of a process as a whole: how its threads fare. */
static void put_process_plight(struct page *page, const struct process *process, size_t indent)
{
	size_t counts[PAINS] = {0};
	const char *comma = "";

	for (size_t i = 0; i < process->thread_count; i++)
		counts[thread_pain(process, &process->threads[i])]++;
	page_pad(page, indent, 0);
	page_format(page, STYLE_DIM, "%zu threads: ", process->thread_count);
	for (int i = 0; i < PAINS; i++) {
		if (!counts[i])
			continue;
		page_format(page, STYLE_DIM, "%s%zu %s", comma, counts[i], pain_name((enum pain)i));
		comma = ", ";
	}
	page_end(page);
}

/* The thread itself where the process has no other. */
static struct somebody only_thread(struct somebody who)
{
	if (who.process && !who.thread && who.process->thread_count == 1)
		who.thread = &who.process->threads[0];
	return who;
}

static void put_onward(struct walk *walk, struct somebody who);

static void put_holder(struct walk *walk, struct somebody who, const struct holder *holder)
{
	struct somebody next = only_thread(somebody_of_holder(walk->look, who.process, holder));
	size_t indent = walk->depth * INDENT;
	struct text name cleanup_text = {0};

	page_pad(walk->page, indent, 0);
	page_put(walk->page, STYLE_DIM, holder->sureness == SURE_OWNS ? "on " : "perhaps on ");
	if (next.process) {
		put_somebody(walk->page, next);
		if (holder->uncertain)
			page_put(walk->page, STYLE_ALARM, " ?");
	} else {
		holder_append(&name, walk->look, who.process, holder);
		page_put(walk->page, STYLE_PLAIN, name.bytes);
	}
	if (holder->text && (!name.bytes || strcmp(name.bytes, holder->text)))
		page_format(walk->page, STYLE_DIM, ": %s", holder->text);
	if (next.process && is_on_path(walk, next)) {
		page_put(walk->page, STYLE_ALARM, "   which is in this chain already: a ring");
		page_end(walk->page);
		return;
	}
	page_end(walk->page);
	if (next.thread)
		put_onward(walk, next);
	else if (next.process && next.process->pid != who.process->pid)
		put_process_plight(walk->page, next.process, indent + INDENT);
}

/* What the thread of @who waits for, and on whom, one step further in. */
static void put_onward(struct walk *walk, struct somebody who)
{
	const struct wait *wait = who.thread->wait;

	put_plight(walk->page, who.thread, walk->depth * INDENT + INDENT);
	if (!wait || walk->depth == DEPTH_MAX)
		return;
	walk->path[walk->depth++] = who;
	for (size_t i = 0; i < wait->holder_count && walk->links < LINKS_MAX; i++) {
		walk->links++;
		put_holder(walk, who, &wait->holders[i]);
	}
	walk->depth--;
}

/* A wait of somebody on somebody. */
struct link {
	struct somebody waiter, holder;
};

struct links {
	struct link *items; /* heap */
	size_t count, capacity;
};

static void add_links(struct links *links, const struct look *look, const struct process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct wait *wait = process->threads[i].wait;

		for (size_t j = 0; wait && j < wait->holder_count; j++) {
			struct somebody holder =
				somebody_of_holder(look, process, &wait->holders[j]);

			if (!holder.process ||
				(!holder.thread && holder.process->pid == process->pid))
				continue;
			array_reserve(links->items, links->count, links->capacity);
			links->items[links->count++] =
				(struct link){{process, &process->threads[i]}, holder};
		}
	}
}

/* Every wait in the look on whom the look has too. */
static struct links find_links(const struct look *look)
{
	struct links links = {0};

	for (size_t i = 0; i < look->process_count; i++)
		add_links(&links, look, look->processes[i]);
	for (size_t i = 0; i < look->related_count; i++)
		add_links(&links, look, look->related[i]);
	return links;
}

static void put_waiters(struct walk *walk, const struct links *links, struct somebody who)
{
	if (walk->depth == DEPTH_MAX)
		return;
	walk->path[walk->depth++] = who;
	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->items[i];
		bool is_on_it = link->holder.thread ? is_same(link->holder, who)
						    : link->holder.process->pid == who.process->pid;

		if (!is_on_it || is_on_path(walk, link->waiter))
			continue;
		if (walk->links++ >= LINKS_MAX)
			break;
		page_pad(walk->page, walk->depth * INDENT, 0);
		put_somebody(walk->page, link->waiter);
		page_end(walk->page);
		put_plight(walk->page, link->waiter.thread, walk->depth * INDENT + INDENT);
		put_waiters(walk, links, link->waiter);
	}
	walk->depth--;
}

void links_put(struct page *page, const struct look *look, struct somebody who)
{
	struct walk onward = {.page = page, .look = look}, back = {.page = page, .look = look};
	struct links links = find_links(look);

	put_somebody(page, who);
	page_end(page);
	put_onward(&onward, who);
	page_end(page);
	deadlocks_put(page, look);
	page_put(page, STYLE_STRONG, "on it wait");
	page_end(page);
	put_waiters(&back, &links, who);
	if (!back.links) {
		page_pad(page, INDENT, 0);
		page_put(page, STYLE_DIM, "none of those that are looked at, as far as is known");
		page_end(page);
	} else if (back.links > LINKS_MAX) {
		page_pad(page, INDENT, 0);
		page_put(page, STYLE_DIM, "and more");
		page_end(page);
	}
	free(links.items);
}
