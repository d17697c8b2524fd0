// SPDX-License-Identifier: Apache-2.0
#include "render/chain_text.h"

#include <inttypes.h>
#include <string.h>

#include "model/chain.h"
#include "render/stack_text.h"

#define HOPS_SHOWN 12
#define HOLDERS_SHOWN 6
#define MEMBERS_SHOWN 16
#define DEADLOCKS_SHOWN 16

/* Whether @sentence names the process already, as words of ours do: "cat (pid 7)". */
static bool names_process(const char *sentence, pid_t pid)
{
	char words[sizeof("(pid )") + 11];

	snprintf(words, sizeof(words), "(pid %d)", pid);
	return sentence && strstr(sentence, words);
}

static void put_process_name(struct page *page, const struct process *process)
{
	page_put_raw(page, STYLE_STRONG, process->comm ? process->comm : "?");
	page_format(page, STYLE_PLAIN, " (pid %d)", process->pid);
}

static void put_thread(struct page *page, const struct thread *thread, const char *comm)
{
	page_format(page, STYLE_PLAIN, "thread %d", thread->tid);
	if (thread->comm && comm && strcmp(thread->comm, comm)) {
		page_put(page, STYLE_PLAIN, " \"");
		page_put_raw(page, STYLE_STRONG, thread->comm);
		page_put(page, STYLE_PLAIN, "\"");
	}
}

/* Who it is: "thread 44 "log"", "postgres (pid 77)", "thread 12 of nginx (pid 9)". */
static void put_holder(struct page *page, const struct process *here, const struct holder *holder)
{
	const struct process *process = holder->process;
	bool elsewhere = holder->pid != here->pid;

	if (holder->goroutine)
		page_format(page, STYLE_PLAIN, "goroutine %" PRIu64, holder->goroutine);
	else if (holder->thread && (!elsewhere || process->thread_count > 1))
		put_thread(page, holder->thread, elsewhere ? NULL : here->comm);
	else if (holder->tid && (!elsewhere || !process))
		page_format(page, STYLE_PLAIN, "thread %d", holder->tid);
	else if (process)
		put_process_name(page, process);
	else
		page_format(page, STYLE_PLAIN, "pid %d", holder->pid);
	if (elsewhere && process &&
		(holder->goroutine || (holder->thread && process->thread_count > 1))) {
		page_put(page, STYLE_PLAIN, " of ");
		put_process_name(page, process);
	} else if (elsewhere && !process && (holder->goroutine || holder->tid)) {
		page_format(page, STYLE_PLAIN, " of pid %d", holder->pid);
	}
	page_put(page, STYLE_PLAIN, holder->uncertain ? "?" : "");
}

/* What the last one of a chain does. */
static void put_end(struct page *page, const struct holder *last, bool deadlock)
{
	const struct wait *wait = holder_wait(last);

	if (deadlock)
		page_put(page, STYLE_ALARM, ": a deadlock");
	else if (last->task && !wait)
		page_format(page, STYLE_PLAIN, ", which is %s", last->task->status);
	else if (wait)
		page_format(page, STYLE_PLAIN, ", which %s", wait->sentence);
	else if (last->process && !last->thread)
		page_format(
			page, STYLE_DIM, ", a process of %zu threads", last->process->thread_count);
}

static void put_chain(struct page *page, const struct process *process, const struct wait *wait)
{
	struct chain chain = {.wait = wait};
	const struct process *here = process;
	const struct holder *last = NULL;
	size_t hops = 0;

	label_put(page, "on");
	for (const struct holder *holder; (holder = chain_next(&chain));) {
		if (++hops > HOPS_SHOWN) {
			page_put(page, STYLE_DIM, " → …");
			break;
		}
		page_put(page, STYLE_PLAIN, hops > 1 ? " → " : "");
		last = holder;
		if (holder->unseen) {
			page_put(page, STYLE_PLAIN, holder->text);
			break;
		}
		put_holder(page, here, holder);
		page_format(page, STYLE_DIM, " (%s)", holder->text);
		here = holder->process ? holder->process : here;
	}
	if (hops <= HOPS_SHOWN && !last->unseen)
		put_end(page, last, chain.returns && wait->deadlock);
	page_end(page);
}

/* Whether the chain tells more than the sentence does. */
static bool tells_more(const struct wait *wait, const char *call)
{
	const struct holder *holder = wait->followed;
	bool named = !holder->unseen && (names_process(wait->sentence, holder->pid) ||
						names_process(call, holder->pid));

	return !holder->unseen && (!named || holder_wait(holder));
}

/* Several that it may be on. */
static void put_holders(
	struct page *page, const struct process *process, const struct wait *wait, const char *call)
{
	const char *label = "on";
	size_t shown = 0;

	for (size_t i = 0; i < wait->holder_count; i++) {
		const struct holder *holder = &wait->holders[i];
		bool is_task = holder->pid == process->pid && (holder->goroutine || holder->tid);

		if (holder->unseen ||
			(!is_task && (holder->pid == process->pid ||
					     names_process(wait->sentence, holder->pid) ||
					     names_process(call, holder->pid))))
			continue;
		label_put(page, label);
		label = "";
		if (shown++ == HOLDERS_SHOWN) {
			page_format(page, STYLE_DIM, "… %zu more", wait->holder_count - i);
			page_end(page);
			return;
		}
		put_holder(page, process, holder);
		page_format(page, STYLE_DIM, " (%s)", holder->text);
		page_end(page);
	}
}

void chain_put(
	struct page *page, const struct process *process, const struct wait *wait, const char *call)
{
	if (wait->followed) {
		if (tells_more(wait, call))
			put_chain(page, process, wait);
		return;
	}
	put_holders(page, process, wait, call);
	if (!wait->holder_count && (wait->changed || wait->owner_ended)) {
		label_put(page, "on");
		page_put(page, wait->changed ? STYLE_DIM : STYLE_ALARM,
			wait->changed ? "not known: who holds it changed meanwhile"
				      : "nobody: its owner has ended");
		page_end(page);
	}
}

/* The processes that the members are of, as long as there are few. */
static bool in_one_process(const struct deadlock *deadlock)
{
	for (size_t i = 1; i < deadlock->count; i++) {
		if (deadlock->members[i].process != deadlock->members[0].process)
			return false;
	}
	return true;
}

static const char *noun(const struct deadlock *deadlock)
{
	size_t goroutines = 0;

	for (size_t i = 0; i < deadlock->count; i++)
		goroutines += !deadlock->members[i].thread;
	return goroutines == deadlock->count ? "goroutine" : goroutines ? "task" : "thread";
}

static void put_member(struct page *page, const struct deadlock *deadlock,
	const struct deadlock_member *member, size_t alike)
{
	page_pad(page, LABEL_COLUMN, 0);
	if (member->thread)
		put_thread(page, member->thread, member->process->comm);
	else
		page_format(page, STYLE_PLAIN, "goroutine %" PRIu64, member->goroutine->id);
	if (!in_one_process(deadlock)) {
		page_put(page, STYLE_PLAIN, " of ");
		put_process_name(page, member->process);
	}
	page_format(page, STYLE_PLAIN, " %s", member->text);
	if (alike > 1)
		page_format(page, STYLE_DIM, "   (and %zu more like it)", alike - 1);
	page_end(page);
}

/* Members that say the same are shown once, a ring's never do. */
static void put_members(struct page *page, const struct deadlock *deadlock)
{
	size_t shown = 0, told = 0;

	for (size_t i = 0; i < deadlock->count && shown < MEMBERS_SHOWN; i++) {
		const struct deadlock_member *member = &deadlock->members[i];
		size_t alike = 0;
		bool is_told = false;

		for (size_t j = 0; j < deadlock->count && !is_told; j++) {
			if (strcmp(deadlock->members[j].text, member->text) != 0)
				continue;
			is_told = j < i;
			alike++;
		}
		if (is_told)
			continue;
		put_member(page, deadlock, member, alike);
		shown++;
		told += alike;
	}
	if (told == deadlock->count)
		return;
	page_pad(page, LABEL_COLUMN, 0);
	page_format(page, STYLE_DIM, "… %zu more", deadlock->count - told);
	page_end(page);
}

static void put_deadlock(struct page *page, const struct deadlock *deadlock)
{
	page_put(page, STYLE_ALARM, deadlock->certain ? "deadlock" : "possible deadlock");
	page_format(page, STYLE_STRONG, ": %zu %s%s", deadlock->count, noun(deadlock),
		deadlock->count == 1 ? "" : "s");
	if (in_one_process(deadlock)) {
		page_put(page, STYLE_PLAIN, " of ");
		put_process_name(page, deadlock->members[0].process);
	}
	page_put(page, STYLE_STRONG,
		deadlock->count == 1 ? " waits for itself" : " wait for each other");
	if (deadlock->behind)
		page_format(page, STYLE_PLAIN, "; %zu more behind them", deadlock->behind);
	if (deadlock->guessed)
		page_put(page, STYLE_DIM, "   (who has the locks is a guess)");
	else if (!deadlock->certain)
		page_put(page, STYLE_DIM, "   (none but a signal could end that)");
	page_end(page);
	put_members(page, deadlock);
	page_end(page);
}

static void put_blocker(struct page *page, const struct look *look, const struct blocker *blocker)
{
	const struct process *process = blocker->process;
	const struct wait *wait = blocker->thread->wait;

	page_format(page, STYLE_STRONG, "%zu wait for ", blocker->holds_up);
	if (process->thread_count > 1) {
		put_thread(page, blocker->thread, process->comm);
		page_put(page, STYLE_PLAIN, look->process_count > 1 ? " of " : "");
	}
	if (process->thread_count == 1 || look->process_count > 1 || process != look->processes[0])
		put_process_name(page, process);
	if (wait)
		page_format(page, STYLE_PLAIN, ", which %s", wait->sentence);
	page_end(page);
}

bool deadlocks_put(struct page *page, const struct look *look)
{
	for (size_t i = 0; i < look->deadlock_count && i < DEADLOCKS_SHOWN; i++)
		put_deadlock(page, look->deadlocks[i]);
	if (look->deadlock_count > DEADLOCKS_SHOWN) {
		page_format(page, STYLE_ALARM, "… %zu more deadlocks",
			look->deadlock_count - DEADLOCKS_SHOWN);
		page_put(page, STYLE_DIM, ": -f json has all of them");
		page_end(page);
		page_end(page);
	}
	for (size_t i = 0; i < look->blocker_count; i++)
		put_blocker(page, look, &look->blockers[i]);
	if (look->blocker_count)
		page_end(page);
	return look->deadlock_count || look->blocker_count;
}
