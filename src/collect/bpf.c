// SPDX-License-Identifier: Apache-2.0
/*
 * The way that stops nothing and is the fastest as well: a BPF program reads each thread's
 * registers and kernel stack from the kernel's own structs, and the user stacks are copied
 * meanwhile.
 *
 * A thread that sleeps holds still, registers and stack. That it slept from before its registers
 * were read until after its stack was copied is proved by a second pass: the count of its context
 * switches is the same, and it was on no CPU at either time. Those that went on are looked at
 * again; those that run each time are stopped for the copy, if that is allowed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arch/arch.h"
#include "collect/live.h"
#include "collect/stack_copy.h"
#include "collect/task_iterator.h"
#include "collect/ways.h"
#include "util/memory.h"
#include "util/hash.h"

#define ATTEMPTS 3

/*
 * A kernel stack by its raw addresses. The kernel's own words for them are read once, as
 * /proc/TID/stack of one thread that stands there; they are good if that thread then proves to
 * have held still.
 */
struct raw_stack {
	struct kernel_stack *stack; /* NULL: not proved yet */
	struct task *speaker;       /* whose words `spoken` are, in this attempt */
	struct kernel_stack *spoken;
	int error;
	UT_hash_handle hh; /* by the addresses */
};

struct passes {
	struct session session;
	struct task_iterator *iterator;
	struct raw_stack
		*raw_stacks; /* of the whole look: the kernel's addresses are the same for all */
	struct text before, after;        /* the records of two passes */
	const struct task_record **index; /* heap: of one pass, by tid */
	size_t index_count, index_capacity;
};

/* What a pass told of a thread, and what was copied then. */
struct sighting {
	struct task *task;
	const struct task_record *record;
	struct raw_stack *raw_stack;
	struct stack_copy copy;
};

static int by_tid(const void *one, const void *other)
{
	const struct task_record *a = *(const struct task_record *const *)one,
				 *b = *(const struct task_record *const *)other;

	return (a->tid > b->tid) - (a->tid < b->tid);
}

static struct error take_pass(struct passes *passes, pid_t pid, struct text *records)
{
	struct error error = task_iterator_pass(passes->iterator, pid, records);

	passes->index_count = 0;
	for (const struct task_record *record = NULL;
		!failed(error) && (record = task_record_next(records, record));) {
		array_reserve(passes->index, passes->index_count, passes->index_capacity);
		passes->index[passes->index_count++] = record;
	}
	if (passes->index_count)
		qsort(passes->index, passes->index_count, sizeof(*passes->index), by_tid);
	return error;
}

/* The thread's record of the pass that was taken last; NULL: it was not there. */
static const struct task_record *find_record(const struct passes *passes, pid_t tid)
{
	const struct task_record key = {.tid = (__u32)tid}, *wanted = &key;
	const struct task_record **found = NULL;

	if (passes->index_count)
		found = bsearch(&wanted, passes->index, passes->index_count, sizeof(*passes->index),
			by_tid);
	return found ? *found : NULL;
}

/* The letter of /proc/PID/stat: fs/proc/array.c, task_state_array; include/linux/sched.h,
 * task_state_index(). */
static char state_letter(const struct task_record *record)
{
	static const char letters[] = "RSDTtXZP";
	enum {
		REPORTED = 0x7f,
		UNINTERRUPTIBLE = 0x2,
		IDLE = 0x402,
		RTLOCK = 0x1000,
		FROZEN = 0x8000
	};
	unsigned state = (record->state | record->exit_state) & REPORTED;

	if ((record->state & IDLE) == IDLE)
		return 'I';
	if (record->state & (RTLOCK | FROZEN))
		state = UNINTERRUPTIBLE;
	return letters[state ? 32 - __builtin_clz(state) : 0];
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

static void take_facts(struct passes *passes, struct task *task, const struct task_record *record)
{
	struct thread *thread = &task->thread;

	thread->state = state_letter(record);
	thread->cpu = (int)record->cpu;
	task->is_kernel = record->flags & PROC_FLAG_KERNEL_THREAD;
	if (!thread->comm || strncmp(thread->comm, record->comm, sizeof(record->comm)) != 0)
		thread->comm = arena_strndup(
			passes->session.look->arena, record->comm, sizeof(record->comm));
	thread->registers = (struct registers){0};
	thread->entry = (struct syscall_entry){.known = task->is_kernel};
	thread->kernel_stack = NULL;
	thread->wchan = NULL;
	task->outcome = record->on_cpu ? TASK_RUNS : TASK_MOVING;
	if (task_has_user_stack(task) && !record->on_cpu && !decode_registers(record, thread))
		task->outcome = TASK_NOT_NATIVE;
}

/* The words for a record's kernel stack: known, or asked for now. */
static struct raw_stack *name_kernel_stack(struct passes *passes, struct live *live,
	struct task *task, const struct task_record *record)
{
	struct arena *arena = passes->session.look->arena;
	size_t size = task_record_frame_count(record) * sizeof(record->frames[0]);
	struct raw_stack *raw = NULL;

	HASH_FIND(hh, passes->raw_stacks, record->frames, size, raw);
	if (!raw) {
		void *addresses = arena_copy(arena, record->frames, size);

		raw = arena_new(arena, struct raw_stack, 1);
		HASH_ADD_KEYPTR(hh, passes->raw_stacks, addresses, size, raw);
	}
	if (!raw->stack && !raw->speaker) {
		raw->speaker = task;
		raw->error = task_read_kernel_stack(&live->reader, task->thread.tid, &raw->spoken);
	}
	return raw;
}

/* Looks at the tasks while they sleep, first half: facts, words for kernel stacks, copies of user
 * stacks. */
static size_t sight(struct passes *passes, struct live *live, struct task **tasks, size_t count,
	struct sighting *sightings)
{
	const struct look_request *request = passes->session.request;
	size_t sighted = 0;

	for (size_t i = 0; i < count; i++) {
		const struct task_record *record = find_record(passes, tasks[i]->thread.tid);

		if (!record) {
			tasks[i]->thread.vanished = true;
			continue;
		}
		take_facts(passes, tasks[i], record);
		struct sighting sighting = {.task = tasks[i], .record = record};
		if (request->kernel_stacks && !record->on_cpu && !task_is_dead(tasks[i]))
			sighting.raw_stack = name_kernel_stack(passes, live, tasks[i], record);
		if (request->user_stacks && tasks[i]->thread.registers.known)
			sighting.copy = (struct stack_copy){
				.sp = tasks[i]->thread.registers.value[arch_native->sp],
				.limit = STACK_LIMIT_BLOCKED,
			};
		sightings[sighted++] = sighting;
	}
	return sighted;
}

static void copy_stacks(struct live *live, struct sighting *sightings, size_t count)
{
	struct stack_copy *copies cleanup_free = allocate_zeroed(count, sizeof(*copies));
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++) {
		if (sightings[i].copy.limit)
			copies[wanted++] = sightings[i].copy;
	}
	live_copy_stacks(live, copies, wanted, false);
	wanted = 0;
	for (size_t i = 0; i < count; i++) {
		if (sightings[i].copy.limit)
			sightings[i].copy = copies[wanted++];
	}
}

/* Whether the thread slept from the first pass to the second. */
static bool slept(const struct task_record *before, const struct task_record *after)
{
	return after && !before->on_cpu && !after->on_cpu && before->switches == after->switches &&
	       before->exec_start_ns == after->exec_start_ns;
}

static void accept_sighting(struct session *session, const struct sighting *sighting)
{
	struct task *task = sighting->task;
	struct thread *thread = &task->thread;

	task->settled = true;
	thread->blocked_ns = thread->state == 'R'
				     ? -1
				     : scheduler_clock_since(session->clock, thread->cpu,
					       (int64_t)sighting->record->exec_start_ns);
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

/* The words of its speaker, who has proved to stand there. */
static void believe(
	const struct passes *passes, struct raw_stack *raw, const struct task_record *record)
{
	raw->stack = raw->spoken;
	if (raw->stack && passes->session.request->kernel_addresses)
		raw->stack = kernel_stack_with_addresses(raw->spoken, record->frames,
			task_record_frame_count(record), passes->session.look->arena);
}

/* Second half: what proves to have slept is accepted, the rest is kept at the front of @tasks;
 * their number. */
static size_t judge(
	struct passes *passes, struct sighting *sightings, size_t count, struct task **tasks)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct raw_stack *raw = sightings[i].raw_stack;

		if (raw && raw->speaker == sightings[i].task &&
			slept(sightings[i].record,
				find_record(passes, sightings[i].task->thread.tid)))
			believe(passes, raw, sightings[i].record);
	}
	for (size_t i = 0; i < count; i++) {
		struct task *task = sightings[i].task;
		struct raw_stack *raw = sightings[i].raw_stack;
		bool named = !raw || raw->stack || raw->error;

		if (task_is_dead(task) || (named && slept(sightings[i].record,
							    find_record(passes, task->thread.tid))))
			accept_sighting(&passes->session, &sightings[i]);
		else
			tasks[left++] = task;
	}
	for (size_t i = 0; i < count; i++) {
		if (sightings[i].raw_stack)
			sightings[i].raw_stack->speaker = NULL;
	}
	return left;
}

static void forget_registers(struct thread *thread)
{
	thread->registers = (struct registers){0};
	thread->entry = (struct syscall_entry){0};
	thread->blocked_ns = -1;
}

/* Looks at the process in passes; what runs or moved each time is left at the front of @tasks;
 * their number. */
static size_t look_in_passes(
	struct passes *passes, struct live *live, struct task **tasks, size_t count)
{
	struct sighting *sightings cleanup_free = allocate_zeroed(count, sizeof(*sightings));
	pid_t pid = live->process->pid;

	for (int attempt = 0; attempt < ATTEMPTS && count; attempt++) {
		if (failed(take_pass(passes, pid, &passes->before)))
			break;
		size_t sighted = sight(passes, live, tasks, count, sightings);
		copy_stacks(live, sightings, sighted);
		if (failed(take_pass(passes, pid, &passes->after)))
			break;
		count = judge(passes, sightings, sighted, tasks);
	}
	for (size_t i = 0; i < count; i++)
		forget_registers(&tasks[i]->thread);
	return count;
}

static void look_at(struct passes *passes, pid_t pid)
{
	struct live live;

	for (int attempt = 1; live_begin(&live, &passes->session, pid); attempt++) {
		struct task **tasks cleanup_free = allocate_zeroed(live.count, sizeof(*tasks));

		for (size_t i = 0; i < live.count; i++)
			tasks[i] = &live.tasks[i];
		size_t left = look_in_passes(passes, &live, tasks, live.count);
		if (left && passes->session.request->stop == STOP_AUTO)
			live_stop_and_copy(&live, tasks, left);
		if (live_end(&live, attempt == LIVE_ATTEMPTS))
			return;
	}
}

/* The records have the ids of the initial pid namespace: PROC_PID_INIT_INO,
 * include/linux/proc_ns.h. */
static bool has_initial_pids(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == 0xeffffffc;
}

static struct error collect_bpf(const struct look_request *request, struct look *look)
{
	struct passes passes = {0};

	if (request->stop == STOP_ALWAYS)
		return error_because("each thread shall be stopped");
	if (request->without_bpf)
		return error_because("the look is small");
	if (!has_initial_pids())
		return error_because("this is not the initial pid namespace");
	struct error error = task_iterator_create(&passes.iterator);
	if (failed(error))
		return error;
	session_init(&passes.session, request, look);
	for (size_t i = 0; i < request->pid_count; i++)
		look_at(&passes, request->pids[i]);
	session_deinit(&passes.session);
	HASH_CLEAR(hh, passes.raw_stacks);
	text_deinit(&passes.before);
	text_deinit(&passes.after);
	free(passes.index);
	task_iterator_destroy(passes.iterator);
	return NO_ERROR;
}

const struct collector collector_bpf = {
	.name = "bpf",
	.collect = collect_bpf,
	.release = live_release,
};
