// SPDX-License-Identifier: Apache-2.0
/* Who the holders of waits are, and whether they still are. */
#include <stdlib.h>
#include <time.h>

#include "explain/graph_nodes.h"
#include "util/clock.h"
#include "util/memory.h"

static bool rests(const struct thread *thread)
{
	return thread->role || (thread->state != 'R' && thread->state != 'D' &&
				       (!thread->wait || thread->wait->idle));
}

/* Of a process the thread that it hangs on: the only one, or the only one that does not rest. */
static const struct thread *deciding_thread(const struct process *process)
{
	const struct thread *only = NULL, *busy = NULL;
	size_t alive = 0, busy_count = 0;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];

		if (!thread_is_alive(thread))
			continue;
		alive++;
		only = thread;
		if (!rests(thread)) {
			busy_count++;
			busy = thread;
		}
	}
	return alive == 1 ? only : busy_count == 1 ? busy : NULL;
}

/* Whether both processes map the word at @address of @waiter from the same place of one file. */
static bool shares_word(const struct process *waiter, uint64_t address, const struct process *other)
{
	const struct mapping *mine = mappings_find(&waiter->mappings, address);

	if (!mine || !mine->shared || !mine->inode)
		return false;
	uint64_t offset = address - mine->start + mine->offset;
	for (size_t i = 0; i < other->mappings.count; i++) {
		const struct mapping *theirs = &other->mappings.items[i];

		if (theirs->shared && theirs->device == mine->device &&
			theirs->inode == mine->inode && theirs->offset <= offset &&
			offset - theirs->offset < theirs->end - theirs->start)
			return true;
	}
	return false;
}

/* Ties a holder to what was looked at; false: it can't be that one. */
static bool tie(const struct graph *graph, const struct process *waiter, struct holder *holder)
{
	if (holder->unseen)
		return true;
	const struct graph_process *found = graph_process_find(graph, holder->pid);
	if (!found)
		return holder->pid;
	const struct process *process = found->process;

	holder->process = process;
	if (holder->tid)
		holder->thread = thread_find(process, holder->tid);
	else if (holder->goroutine)
		holder->task = goroutine_find(process, holder->goroutine);
	else if (process->pid != waiter->pid)
		holder->thread = deciding_thread(process);
	graph->look->goroutines_tied |= holder->task != NULL;
	if (holder->tid && holder->thread && !thread_is_alive(holder->thread) &&
		holder->proof.address)
		return false;
	return process->pid == waiter->pid || !holder->proof.address ||
	       shares_word(waiter, holder->proof.address, process);
}

/* Leaves out the holders for which @keep is false, which it may change; false: none was. */
static bool leave_out(struct wait *wait, const bool *keep)
{
	size_t kept = 0, count = wait->holder_count;

	for (size_t i = 0; i < count; i++) {
		if (keep[i])
			wait->holders[kept++] = wait->holders[i];
	}
	wait->holder_count = kept;
	if (kept < count)
		wait->holders_complete = false;
	return kept < count;
}

static void tie_holders(const struct graph *graph, const struct process *process, struct wait *wait)
{
	bool *keep cleanup_free = allocate_zeroed(wait->holder_count + 1, sizeof(*keep));

	for (size_t i = 0; i < wait->holder_count; i++) {
		keep[i] = wait->holders[i].process || tie(graph, process, &wait->holders[i]);
		wait->owner_ended |= !keep[i] && wait->holders[i].proof.address;
	}
	leave_out(wait, keep);
}

static void list_wait(struct wait_list *list, const struct process *process, struct wait *wait)
{
	if (!wait || !wait->holder_count ||
		(wait->holder_count == 1 && holder_is_any_other(process, &wait->holders[0])))
		return;
	array_reserve(list->items, list->count, list->capacity);
	list->items[list->count++] = wait;
}

struct wait_list graph_list_waits(const struct process *process)
{
	struct wait_list list = {0};

	for (size_t i = 0; i < process->thread_count; i++)
		list_wait(&list, process, process->threads[i].wait);
	for (size_t i = 0; i < process->goroutine_count; i++) {
		struct goroutine *goroutine = &process->goroutines[i];

		if (!goroutine->tid) /* else it has its thread's */
			list_wait(&list, process, goroutine->wait);
	}
	return list;
}

static bool has_proof(const struct wait *wait)
{
	for (size_t i = 0; i < wait->holder_count; i++) {
		if (wait->holders[i].proof.address)
			return true;
	}
	return false;
}

static int compare_pointers(const void *one, const void *other)
{
	uintptr_t a = (uintptr_t) * (struct wait *const *)one;
	uintptr_t b = (uintptr_t) * (struct wait *const *)other;

	return (a > b) - (a < b);
}

/* Keeps those that have a proof, each once; the number of their holders. */
static size_t keep_proved(struct wait_list *list)
{
	size_t kept = 0, holders = 0;

	if (list->count)
		qsort(list->items, list->count, sizeof(struct wait *), compare_pointers);
	for (size_t i = 0; i < list->count; i++) {
		struct wait *wait = list->items[i];

		if (!has_proof(wait) || (kept && list->items[kept - 1] == wait))
			continue;
		list->items[kept++] = wait;
		holders += wait->holder_count;
	}
	list->count = kept;
	return holders;
}

/* Reads the proofs of a process's waits as they are now; who is not named any more is left out. */
static void check_proofs(const struct process *process, struct wait_list *list)
{
	size_t count = keep_proved(list), at = 0;

	if (!count)
		return;
	struct memory_range *ranges cleanup_free = allocate_zeroed(count, sizeof(*ranges));
	uint32_t *values cleanup_free = allocate_zeroed(count, sizeof(*values));
	bool *keep cleanup_free = allocate_zeroed(count, sizeof(*keep));
	for (size_t i = 0; i < list->count; i++) {
		for (size_t j = 0; j < list->items[i]->holder_count; j++, at++)
			ranges[at] = (struct memory_range){
				.address = list->items[i]->holders[j].proof.address,
				.length = sizeof(*values),
				.to = &values[at],
			};
	}
	memory_read_many(process->memory, ranges, count);
	at = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct wait *wait = list->items[i];

		for (size_t j = 0; j < wait->holder_count; j++, at++) {
			const struct proof *proof = &wait->holders[j].proof;

			keep[j] = !proof->address ||
				  (ranges[at].got == sizeof(*values) &&
					  (values[at] & proof->mask) == proof->value);
		}
		if (leave_out(wait, keep))
			wait->changed = true;
	}
}

bool graph_holds_still(const struct process *process, const struct thread *thread)
{
	return !process->still_there ||
	       (thread->ran_at_ns >= 0 && process->still_there(process, thread));
}

/*
 * Before memory is read for who owns what: those that were stopped have to go back into their calls
 * first. Where one does not, or where it is not known when it ran, nothing is proved by it.
 */
static void settle_threads(const struct process *process)
{
	static const struct timespec pause = {.tv_nsec = NS_PER_MS};
	int tries = 50; /* of the process */

	for (size_t i = 0; i < process->thread_count; i++) {
		struct thread *thread = &process->threads[i];

		if (!process->settle || !thread->wait || !thread->wait->holder_count ||
			(!thread->stopped_ns && thread->ran_at_ns >= 0))
			continue;
		thread->ran_at_ns = -1;
		while (!process->settle(process, thread) && thread->stopped_ns && tries > 0) {
			tries--;
			nanosleep(&pause, NULL);
		}
	}
}

/* A thread that was stopped may have taken meanwhile what it waited for. */
static void check_self_held(const struct process *process, const struct thread *thread)
{
	struct wait *wait = thread->wait;
	bool *keep cleanup_free = allocate_zeroed(wait->holder_count + 1, sizeof(*keep));

	for (size_t i = 0; i < wait->holder_count; i++)
		keep[i] = wait->holders[i].thread != thread || graph_holds_still(process, thread);
	if (leave_out(wait, keep))
		wait->changed = true;
}

void graph_tie(const struct graph *graph, const struct process *process)
{
	struct wait_list list = graph_list_waits(process);

	for (size_t i = 0; i < list.count; i++)
		tie_holders(graph, process, list.items[i]);
	free(list.items);
	settle_threads(process);
}

void graph_check(const struct process *process)
{
	struct wait_list list = graph_list_waits(process);

	check_proofs(process, &list);
	free(list.items);
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];

		if (thread->stopped_ns && thread->wait && thread->wait->holder_count)
			check_self_held(process, thread);
	}
}
