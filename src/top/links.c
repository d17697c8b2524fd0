// SPDX-License-Identifier: Apache-2.0
#include "top/links.h"

#include <stdlib.h>
#include <string.h>

#include "top/rows.h"
#include "util/memory.h"

#define DEPTH_MAX 16
#define LINKS_MAX 500 /* of each way */
#define INDENT 3

/* One way along the waits. */
struct walk {
	struct page *page;
	const struct look *look;
	struct party path[DEPTH_MAX]; /* from where it began to where it is */
	size_t depth;
	size_t links;
};

static bool is_same(struct party a, struct party b)
{
	return a.process == b.process && a.thread == b.thread;
}

static bool is_on_path(const struct walk *walk, struct party party)
{
	for (size_t i = 0; i < walk->depth; i++) {
		if (is_same(walk->path[i], party))
			return true;
	}
	return false;
}

static void put_party(struct page *page, struct party party)
{
	if (party.thread) {
		page_format(page, STYLE_PLAIN, "thread %d \"", party.thread->tid);
		page_put_raw(page, STYLE_STRONG, party.thread->comm ? party.thread->comm : "?");
		page_put(page, STYLE_PLAIN, "\" of ");
	}
	page_put_raw(page, STYLE_STRONG, party.process->comm ? party.process->comm : "?");
	page_format(page, STYLE_PLAIN, " (pid %d)", party.process->pid);
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
	static const char *const words[PAINS] = {
		[PAIN_RUNNING] = "running",
		[PAIN_UNINTERRUPTIBLE] = "uninterruptible",
		[PAIN_HELD] = "held up by somebody",
		[PAIN_WAITING] = "waiting",
		[PAIN_RESTING] = "resting",
	};
	size_t counts[PAINS] = {0};
	const char *comma = "";

	for (size_t i = 0; i < process->thread_count; i++)
		counts[thread_pain(process, &process->threads[i])]++;
	page_pad(page, indent, 0);
	page_format(page, STYLE_DIM, "%zu threads: ", process->thread_count);
	for (int i = 0; i < PAINS; i++) {
		if (!counts[i])
			continue;
		page_format(page, STYLE_DIM, "%s%zu %s", comma, counts[i], words[i]);
		comma = ", ";
	}
	page_end(page);
}

/* The thread itself where the process has no other. */
static struct party only_thread(struct party party)
{
	if (party.process && !party.thread && party.process->thread_count == 1)
		party.thread = &party.process->threads[0];
	return party;
}

static void put_onward(struct walk *walk, struct party party);

static void put_holder(struct walk *walk, struct party party, const struct holder *holder)
{
	struct party next = only_thread(holder_party(walk->look, party.process, holder));
	size_t indent = walk->depth * INDENT;
	struct text name cleanup_text = {0};

	page_pad(walk->page, indent, 0);
	page_put(walk->page, STYLE_DIM, holder->sureness == SURE_OWNS ? "on " : "perhaps on ");
	if (next.process) {
		put_party(walk->page, next);
		if (holder->uncertain)
			page_put(walk->page, STYLE_ALARM, " ?");
	} else {
		holder_append(&name, walk->look, party.process, holder);
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
	else if (next.process && next.process != party.process)
		put_process_plight(walk->page, next.process, indent + INDENT);
}

/* What the thread of @party waits for, and on whom, one step further in. */
static void put_onward(struct walk *walk, struct party party)
{
	const struct wait *wait = party.thread->wait;

	put_plight(walk->page, party.thread, walk->depth * INDENT + INDENT);
	if (!wait || walk->depth == DEPTH_MAX)
		return;
	walk->path[walk->depth++] = party;
	for (size_t i = 0; i < wait->holder_count && walk->links < LINKS_MAX; i++) {
		walk->links++;
		put_holder(walk, party, &wait->holders[i]);
	}
	walk->depth--;
}

/* A wait of somebody on somebody. */
struct link {
	struct party waiter, holder;
};

struct links {
	struct link *items; /* heap */
	size_t count, capacity;
};

/* Every wait in the look on whom the look has too. */
static struct links find_links(const struct look *look)
{
	struct links links = {0};

	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			const struct wait *wait = process->threads[j].wait;

			for (size_t k = 0; wait && k < wait->holder_count; k++) {
				struct party holder =
					holder_party(look, process, &wait->holders[k]);

				if (!holder.process ||
					(!holder.thread && holder.process == process))
					continue;
				array_reserve(links.items, links.count, links.capacity);
				links.items[links.count++] =
					(struct link){{process, &process->threads[j]}, holder};
			}
		}
	}
	return links;
}

static void put_waiters(struct walk *walk, const struct links *links, struct party party)
{
	if (walk->depth == DEPTH_MAX)
		return;
	walk->path[walk->depth++] = party;
	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->items[i];
		bool is_on_party = link->holder.thread ? is_same(link->holder, party)
						       : link->holder.process == party.process;

		if (!is_on_party || is_on_path(walk, link->waiter))
			continue;
		if (walk->links++ >= LINKS_MAX)
			break;
		page_pad(walk->page, walk->depth * INDENT, 0);
		put_party(walk->page, link->waiter);
		page_end(walk->page);
		put_plight(walk->page, link->waiter.thread, walk->depth * INDENT + INDENT);
		put_waiters(walk, links, link->waiter);
	}
	walk->depth--;
}

void links_put(struct page *page, const struct look *look, struct party party)
{
	struct walk onward = {.page = page, .look = look}, back = {.page = page, .look = look};
	struct links links = find_links(look);

	put_party(page, party);
	page_end(page);
	put_onward(&onward, party);
	page_end(page);
	page_put(page, STYLE_STRONG, "on it wait");
	page_end(page);
	put_waiters(&back, &links, party);
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
