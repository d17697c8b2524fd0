// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/settled.h"

#include <string.h>

#include "runtimes/go/globals.h"
#include "runtimes/go/processors.h"
#include "runtimes/go/wait_pieces.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define BATCH 2048

uint64_t go_settling_mark(const struct go_layout *layout, const uint8_t *part)
{
	const uint64_t factor = 0x9e3779b97f4a7c15;
	const unsigned first = layout->g.m;
	const uint16_t words[] = {layout->g.m, layout->g.sched_sp, layout->g.sched_pc,
		layout->g.syscallsp, layout->g.syscallpc, layout->g.goid};
	uint64_t mark = go_u32(part, layout->g.atomicstatus - first);

	mark = mark << 8 | part[layout->g.waitreason - first];
	/* Counts how often it was scheduled, src/runtime/proc.go, casgstatus(). */
	if (layout->g.tracking_seq != GO_ABSENT)
		mark = mark << 8 | part[layout->g.tracking_seq - first];
	for (size_t i = 0; i < array_length(words); i++) {
		mark = (mark ^ go_u64(part, words[i] - first)) * factor;
		mark ^= mark >> 32;
	}
	return mark | 1;
}

void go_settling_add(struct go_settling *settling, const struct goroutine *goroutine)
{
	if (settling->why || goroutine->is_system)
		return;
	if (goroutine->wait_reason ? strcmp(goroutine->wait_reason, "sleep") == 0
				   : strcmp(goroutine->status, "syscall") != 0)
		settling->why =
			goroutine->wait_reason ? "a goroutine sleeps" : "a goroutine is at work";
}

/*
 * Whether each thread is with a goroutine or rests as one of the scheduler's. One of C's own that
 * calls Go could let a goroutine go on.
 */
static bool knows_threads(const struct process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];
		bool ended = thread->vanished || thread->state == 'Z' || thread->state == 'X';

		if (!ended && !thread->role && !thread->goroutine)
			return false;
	}
	return process->thread_count;
}

/* Whether the list of goroutines is still the same. */
static bool same_list(const struct go_process *go, const uint64_t *pointers, size_t count)
{
	uint64_t slice[2];
	uint64_t *now cleanup_free = allocate(count * WORD + 1);
	struct memory_range range = {.length = count * WORD, .to = now};

	if (!memory_read_now(go->memory, go->allgs_slice, slice, sizeof(slice)) ||
		slice[1] != count)
		return false;
	range.address = slice[0];
	memory_read_many(go->memory, &range, 1);
	return range.got == range.length && memcmp(now, pointers, range.length) == 0;
}

/* Whether all goroutines are as they were, those that have ended too: their structs are used anew.
 */
static bool same_goroutines(
	const struct go_process *go, const uint64_t *marks, const uint64_t *pointers, size_t count)
{
	struct go_pieces pieces = {.memory = go->memory};
	bool same = true;

	for (size_t start = 0; start < count && same; start += BATCH) {
		size_t batch = count - start < BATCH ? count - start : BATCH;

		for (size_t i = 0; i < batch; i++)
			go_pieces_add(
				&pieces, pointers[start + i] + go->layout->g.m, GO_SETTLING_SIZE);
		go_pieces_read(&pieces);
		for (size_t i = 0; i < batch && same; i++) {
			const uint8_t *part = go_pieces_get(&pieces, i);

			same = part && go_settling_mark(go->layout, part) == marks[start + i];
		}
		go_pieces_clear(&pieces);
	}
	go_pieces_deinit(&pieces);
	return same;
}

void go_settling_finish(
	struct go_settling *settling, struct go_process *go, const uint64_t *pointers, size_t count)
{
	struct process *process = go->process;

	if (!settling->why && go->uncertain)
		settling->why = "this version of Go is not known";
	if (!settling->why && !knows_threads(process))
		settling->why = "a thread is there that Go's runtime may not know";
	/*
	 * Between the two looks at all goroutines: at that moment none was at work, and where no
	 * thread has a processor and no timer is pending, only a goroutine that is in a call or
	 * waits for a descriptor can come to be.
	 */
	if (!settling->why)
		settling->why = go_processors_busy(go);
	if (!settling->why && (!same_list(go, pointers, count) ||
				      !same_goroutines(go, settling->marks, pointers, count)))
		settling->why = "a goroutine has moved";
	process->tasks_closed = !settling->why;
	process->tasks_open = settling->why;
}
