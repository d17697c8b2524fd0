// SPDX-License-Identifier: Apache-2.0
#include "collect/sighting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "util/hash.h"
#include "util/memory.h"

/* So many threads of one kernel stack are asked for its words once their first speaker went on. */
#define SPEAKERS 3

/*
 * A kernel stack by its raw addresses. The words are those of /proc/TID/stack of one thread that
 * stands there; they are good if that thread then proves to have held still.
 */
struct raw_stack {
	struct kernel_stack *stack; /* NULL: not proved yet */
	struct task *speaker;       /* whose words `spoken` are, in this attempt */
	struct kernel_stack *spoken;
	int error;
	int speakers;      /* that were asked after the first */
	UT_hash_handle hh; /* by the addresses */
};

struct raw_stacks {
	struct raw_stack *known; /* in the look's arena */
};

struct raw_stacks *raw_stacks_create(void)
{
	return allocate_zeroed(1, sizeof(struct raw_stacks));
}

void raw_stacks_destroy(struct raw_stacks *stacks)
{
	HASH_CLEAR(hh, stacks->known);
	free(stacks);
}

static bool decode_registers(const struct task_record *record, struct thread *thread)
{
	_Alignas(16) uint8_t regset[512] = {0};
	struct syscall_entry *entry = &thread->entry;

	memcpy(regset, record->registers, sizeof(record->registers));
	if (!arch_native->decode_prstatus(
		    regset, arch_native->regset_size, &thread->registers, entry))
		return false;
	if (!entry->known) { /* aarch64: the arguments are in x0 to x5 until the call returns */
		entry->known = true;
		entry->number = (long)record->syscall;
		for (unsigned i = 0; i < SYSCALL_ARGUMENTS; i++)
			entry->arguments[i] = thread->registers.value[i];
	}
	entry->in_syscall = entry->number >= 0;
	return true;
}

static void take_facts(struct sighting *sighting)
{
	const struct task_record *record = sighting->record;
	struct task *task = sighting_task(sighting);
	struct thread *thread = &task->thread;

	thread->state = TASK_STATE_LETTERS[record->mark.state];
	thread->cpu = (int)record->cpu;
	task->is_kernel = record->flags & PROC_FLAG_KERNEL_THREAD;
	if (!thread->comm || strncmp(thread->comm, record->comm, sizeof(record->comm)) != 0)
		thread->comm = arena_strndup(
			sighting->live->session->look->arena, record->comm, sizeof(record->comm));
	thread->registers = (struct registers){0};
	thread->entry = (struct syscall_entry){.known = task->is_kernel};
	thread->kernel_stack = NULL;
	thread->wchan = NULL;
	task->outcome = record->mark.on_cpu ? TASK_RUNS : TASK_MOVING;
	if (task_has_user_stack(task) && !record->mark.on_cpu && !decode_registers(record, thread))
		task->outcome = TASK_NOT_NATIVE;
}

static void ask(struct raw_stack *raw, const struct sighting *sighting)
{
	struct live *live = sighting->live;

	raw->speaker = sighting_task(sighting);
	raw->error = task_read_kernel_stack(&live->reader, raw->speaker->thread.tid, &raw->spoken);
	/* It has just ended: another may tell. */
	if (raw->error == ESRCH || raw->error == ENOENT) {
		raw->error = 0;
		raw->speaker = NULL;
	}
}

/* The words for a record's kernel stack: known, or asked for now. */
static struct raw_stack *name_kernel_stack(
	struct raw_stacks *stacks, const struct sighting *sighting)
{
	struct arena *arena = sighting->live->session->look->arena;
	const struct task_record *record = sighting->record;
	size_t size = task_record_frame_count(record) * sizeof(record->frames[0]);
	struct raw_stack *raw = NULL;

	HASH_FIND(hh, stacks->known, record->frames, size, raw);
	if (!raw) {
		void *addresses = arena_copy(arena, record->frames, size);

		raw = arena_new(arena, struct raw_stack, 1);
		HASH_ADD_KEYPTR(hh, stacks->known, addresses, size, raw);
	}
	if (!raw->stack && !raw->speaker)
		ask(raw, sighting);
	return raw;
}

static void copy_stacks(struct sighting *sightings, size_t count)
{
	struct stack_copy *copies cleanup_free = allocate_zeroed(count, sizeof(*copies));
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++) {
		if (sightings[i].copy.limit)
			copies[wanted++] = sightings[i].copy;
	}
	if (!wanted)
		return;
	live_copy_stacks(sightings->live, copies, wanted, false);
	wanted = 0;
	for (size_t i = 0; i < count; i++) {
		if (sightings[i].copy.limit)
			sightings[i].copy = copies[wanted++];
	}
}

static void take(struct sighting *sighting, struct raw_stacks *stacks)
{
	const struct look_request *request = sighting->live->session->request;
	struct task *task = sighting_task(sighting);

	sighting->raw_stack = NULL;
	sighting->copy = (struct stack_copy){0};
	if (!sighting->record) {
		task->thread.vanished = true;
		return;
	}
	take_facts(sighting);
	if (request->kernel_stacks && !sighting->record->mark.on_cpu && !task_is_dead(task))
		sighting->raw_stack = name_kernel_stack(stacks, sighting);
	if (request->user_stacks && task->thread.registers.known)
		sighting->copy = (struct stack_copy){
			.sp = task->thread.registers.value[arch_native->sp],
			.limit = STACK_LIMIT_BLOCKED,
			.thread_pointer = sighting->record->thread_pointer,
		};
}

void sightings_take(struct sighting *sightings, size_t count, struct raw_stacks *stacks)
{
	for (size_t i = 0; i < count; i++)
		take(&sightings[i], stacks);
	if (count)
		copy_stacks(sightings, count);
}

static int by_tid(const void *one, const void *other)
{
	const struct task_mark *a = one, *b = other;

	return (a->tid > b->tid) - (a->tid < b->tid);
}

/* Marks that are looked for by and large in their order. */
struct mark_finder {
	const struct task_mark *marks;
	size_t count, next;
};

static struct mark_finder mark_finder(const struct task_records *records)
{
	struct mark_finder finder = {0};
	struct task_mark *marks = (struct task_mark *)records->bytes;
	size_t i = 1;

	finder.count = records->length / sizeof(*marks);
	finder.marks = marks;
	while (i < finder.count && marks[i - 1].tid < marks[i].tid)
		i++;
	if (i < finder.count)
		qsort(marks, finder.count, sizeof(*marks), by_tid);
	return finder;
}

static const struct task_mark *find_mark(struct mark_finder *finder, __u32 tid)
{
	const struct task_mark key = {.tid = tid}, *found = NULL;

	if (finder->next < finder->count && finder->marks[finder->next].tid == tid)
		found = &finder->marks[finder->next];
	else if (finder->count)
		found = bsearch(&key, finder->marks, finder->count, sizeof(key), by_tid);
	if (found)
		finder->next = (size_t)(found - finder->marks) + 1;
	return found;
}

/* Whether the thread slept from the first pass to the second, and is still the same. */
static bool slept(const struct sighting *sighting, struct mark_finder *finder)
{
	const struct task_mark *before = sighting->record ? &sighting->record->mark : NULL;
	const struct task_mark *after = before ? find_mark(finder, before->tid) : NULL;

	return after && !before->on_cpu && !after->on_cpu && before->pid == after->pid &&
	       before->start_ns == after->start_ns && before->switches == after->switches &&
	       before->exec_start_ns == after->exec_start_ns;
}

static void take_kernel_lock(const struct task_blocker *blocker, struct kernel_lock *lock)
{
	static const enum kernel_lock_kind kinds[] = {
		[TASK_BLOCKER_MUTEX] = KERNEL_LOCK_MUTEX,
		[TASK_BLOCKER_SEMAPHORE] = KERNEL_LOCK_SEMAPHORE,
		[TASK_BLOCKER_READ] = KERNEL_LOCK_READ,
		[TASK_BLOCKER_WRITE] = KERNEL_LOCK_WRITE,
	};

	*lock = (struct kernel_lock){0};
	if (blocker->kind >= array_length(kinds))
		return;
	*lock = (struct kernel_lock){
		.kind = kinds[blocker->kind],
		.pid = (pid_t)blocker->pid,
		.tid = (pid_t)blocker->tid,
		.is_read = blocker->is_read,
	};
}

static void accept_sighting(const struct sighting *sighting)
{
	struct session *session = sighting->live->session;
	struct task *task = sighting_task(sighting);
	struct thread *thread = &task->thread;

	task->settled = true;
	if (!sighting->record)
		return;
	thread->ran_at_ns = (int64_t)sighting->record->mark.exec_start_ns;
	thread->blocked_ns = thread->state == 'R'
				     ? -1
				     : scheduler_clock_since(session->clock, thread->cpu,
					       (int64_t)sighting->record->mark.exec_start_ns);
	take_kernel_lock(&sighting->record->blocker, &thread->kernel_lock);
	if (sighting->raw_stack) {
		task->stack_error = sighting->raw_stack->error;
		thread->kernel_stack = sighting->raw_stack->stack;
		if (thread->state != 'R' && thread->kernel_stack && thread->kernel_stack->count)
			thread->wchan = thread->kernel_stack->frames[0].symbol;
	}
	if (task->outcome == TASK_NOT_NATIVE || !task_has_user_stack(task))
		return;
	task->outcome = TASK_COPIED;
	task->error = sighting->copy.error;
	thread->stack_start = sighting->copy.start;
	thread->stack_bytes = sighting->copy.bytes;
	thread->stack_length = sighting->copy.length;
	thread->held_still = true;
}

/* The words of a speaker who has proved to stand there, with the addresses if they are asked for.
 */
static void believe(const struct sighting *sighting)
{
	const struct session *session = sighting->live->session;
	struct raw_stack *raw = sighting->raw_stack;

	raw->stack = raw->spoken;
	if (raw->stack && session->request->kernel_addresses)
		raw->stack = kernel_stack_with_addresses(raw->spoken, sighting->record->frames,
			task_record_frame_count(sighting->record), session->look->arena);
}

static bool is_named(const struct raw_stack *raw)
{
	return !raw || raw->stack || raw->error;
}

/*
 * Words from a thread that slept, in place of the first speaker's, who went on: good if it still
 * has not run.
 */
static void ask_anew(struct task_iterator *iterator, const struct sighting *sighting)
{
	static const struct task_filter brief = {.states = UINT32_MAX, .brief = true};
	const struct task_mark *before = &sighting->record->mark;
	struct raw_stack *raw = sighting->raw_stack;
	struct task_records marks = {0};
	struct task_walk walk = {(pid_t)before->pid, (pid_t)before->pid, (pid_t)before->tid};

	if (raw->speakers++ >= SPEAKERS)
		return;
	ask(raw, sighting);
	if (raw->speaker && !raw->error &&
		!failed(task_iterator_pass(iterator, walk, &brief, &marks))) {
		struct mark_finder finder = mark_finder(&marks);

		if (slept(sighting, &finder))
			believe(sighting);
	}
	task_records_deinit(&marks);
}

size_t sightings_judge(struct sighting *sightings, size_t count, const struct task_records *marks,
	struct raw_stacks *stacks, struct task_iterator *iterator)
{
	struct mark_finder finder = mark_finder(marks);
	bool *still cleanup_free = allocate_zeroed(count, sizeof(*still));
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct raw_stack *raw = sightings[i].raw_stack;

		still[i] = slept(&sightings[i], &finder);
		if (still[i] && raw && !raw->stack && raw->speaker == sighting_task(&sightings[i]))
			believe(&sightings[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (still[i] && !is_named(sightings[i].raw_stack))
			ask_anew(iterator, &sightings[i]);
		if (task_is_dead(sighting_task(&sightings[i])) ||
			(still[i] && is_named(sightings[i].raw_stack)))
			accept_sighting(&sightings[i]);
		else
			sightings[left++] = sightings[i];
	}
	for (struct raw_stack *raw = stacks->known; raw; raw = raw->hh.next) {
		raw->speaker = NULL;
		raw->speakers = 0;
	}
	return left;
}

void sighting_forget(struct sighting *sighting)
{
	struct thread *thread = &sighting_task(sighting)->thread;

	thread->registers = (struct registers){0};
	thread->entry = (struct syscall_entry){0};
	thread->kernel_lock = (struct kernel_lock){0};
	thread->blocked_ns = -1;
	thread->ran_at_ns = -1;
}
