// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/threads.h"

#include <stdlib.h>

#include "arch/arch.h"
#include "runtimes/go/functions.h"
#include "runtimes/go/globals.h"
#include "runtimes/go/places.h"
#include "util/memory.h"

#define NOT_FOUND SIZE_MAX

/* The number of the address in the table, which is not added; NOT_FOUND: it is not there. */
static size_t find(const struct address_table *table, uint64_t address, size_t limit)
{
	size_t number;

	/* A new one would get the number behind the last. */
	address_table_add((struct address_table *)table, address, 0, &number);
	return number < limit ? number : NOT_FOUND;
}

/* The thread's id as its process knows it. */
static pid_t own_id(const struct thread *thread)
{
	return thread->namespace_tid ? thread->namespace_tid : thread->tid;
}

static uint64_t stack_pointer(const struct thread *thread)
{
	return thread->registers.value[arch_native->sp];
}

static int by_stack_pointer(const void *left, const void *right)
{
	uint64_t a = stack_pointer(*(struct thread *const *)left);
	uint64_t b = stack_pointer(*(struct thread *const *)right);

	return (a > b) - (a < b);
}

/* The threads whose registers are known, by rising stack pointer. */
static void sort_threads(struct go_threads *threads)
{
	struct process *process = threads->go->process;

	threads->sorted = allocate_zeroed(process->thread_count, sizeof(struct thread *));
	for (size_t i = 0; i < process->thread_count; i++) {
		struct thread *thread = &process->threads[i];

		if (register_known(&thread->registers, arch_native->sp) && thread->user_stack)
			threads->sorted[threads->sorted_count++] = thread;
	}
	if (threads->sorted_count)
		qsort(threads->sorted, threads->sorted_count, sizeof(*threads->sorted),
			by_stack_pointer);
}

/* The thread that was on the goroutine's stack when it was looked at, or NULL. */
static struct thread *thread_on_stack(const struct go_threads *threads, const struct go_raw *raw)
{
	const struct go_layout *layout = threads->go->layout;
	uint64_t stack_low = go_u64(raw->bytes, layout->g.stack_lo);
	size_t low = 0, high = threads->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stack_pointer(threads->sorted[middle]) < stack_low)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == threads->sorted_count ||
		stack_pointer(threads->sorted[low]) >= go_u64(raw->bytes, layout->g.stack_hi))
		return NULL;
	return threads->sorted[low];
}

void go_threads_init(struct go_threads *threads, struct go_process *go)
{
	const struct process *process = go->process;
	size_t number;

	*threads = (struct go_threads){.go = go};
	sort_threads(threads);
	for (size_t i = 0; i < go->machine_count; i++)
		address_table_add(&threads->machines, go->machines[i].address, 0, &number);
	for (size_t i = 0; i < process->thread_count; i++)
		address_table_add(
			&threads->tids, (uint64_t)own_id(&process->threads[i]), 0, &number);
}

void go_threads_deinit(struct go_threads *threads)
{
	address_table_deinit(&threads->machines);
	address_table_deinit(&threads->tids);
	free(threads->sorted);
}

/* The thread that the runtime knows by its struct m at @address; NULL: it was not looked at. */
static struct thread *thread_of(const struct go_threads *threads, uint64_t address)
{
	const struct process *process = threads->go->process;
	size_t number = find(&threads->machines, address, threads->go->machine_count);
	struct go_machine machine;

	if (number != NOT_FOUND)
		machine = threads->go->machines[number];
	/* It is newer than the list that was read. */
	else if (!address || !go_machine_read(threads->go, address, &machine))
		return NULL;
	number = find(&threads->tids, machine.procid, process->thread_count);
	return number == NOT_FOUND ? NULL : &process->threads[number];
}

static uint64_t function_at(struct go_process *go, struct code_address address)
{
	const struct go_place *place = go_place_find(go, NULL, address);

	return place->module ? place->function.entry : 0;
}

/* How many addresses of the goroutine's stack are on the thread's in one piece: up to where C
 * called it. */
static size_t common_length(struct go_process *go, const struct user_stack *stack)
{
	for (size_t i = 0; i < stack->address_count; i++) {
		const struct go_place *place = go_place_find(go, NULL, stack->addresses[i]);

		if (place->module && place->function.kind == GO_CGOCALLBACK)
			return i + 1;
	}
	return stack->address_count;
}

/*
 * Where in the thread's stack the goroutine's own begins, which is there from where its call out of
 * Go was announced (proc.go, entersyscall()): in the same function, but not at the same address.
 * That it is there shows that the thread was in that call when it was looked at.
 */
static size_t find_call(
	struct go_process *go, const struct user_stack *stack, const struct user_stack *own)
{
	if (!stack || !own || !own->address_count)
		return NOT_FOUND;
	size_t length = common_length(go, own);
	uint64_t function = function_at(go, own->addresses[0]);
	for (size_t first = 0; function && first + length <= stack->address_count; first++) {
		size_t i = 1;

		while (i < length && stack->addresses[first + i].value == own->addresses[i].value)
			i++;
		if (i == length && function_at(go, stack->addresses[first]) == function)
			return first;
	}
	return NOT_FOUND;
}

static void join_call(
	struct go_threads *threads, struct thread *thread, struct goroutine *goroutine)
{
	size_t first = find_call(threads->go, thread->user_stack, goroutine->stack);

	if (first != NOT_FOUND)
		go_hide_frames(threads->go, thread->user_stack, first);
	if (first != NOT_FOUND || thread->held_still)
		thread->goroutine = goroutine->id;
}

/* Whether the stack's outermost function is the one that the goroutine began with. */
static bool began_with(struct go_process *go, const struct user_stack *stack, uint64_t start)
{
	if (stack->end != STACK_COMPLETE || stack->address_count < 2)
		return stack->end != STACK_COMPLETE;
	return function_at(go, stack->addresses[stack->address_count - 2]) == start;
}

/* A goroutine that runs has its registers in its thread: was the thread at it when it was looked
 * at? */
static void join_running(struct go_threads *threads, const struct go_raw *raw,
	struct thread *thread, struct goroutine *goroutine)
{
	struct go_process *go = threads->go;
	const struct go_layout *layout = go->layout;

	if (!register_known(&thread->registers, arch_native->sp) || !thread->user_stack) {
		gaps_add(&goroutine->gaps, go->arena, STAGE_USER_STACK,
			"it runs, and its thread was not stopped (--stop)");
		return;
	}
	uint64_t sp = stack_pointer(thread);
	bool on_its_stack = sp >= go_u64(raw->bytes, layout->g.stack_lo) &&
			    sp < go_u64(raw->bytes, layout->g.stack_hi);
	bool is_its_own = began_with(go, thread->user_stack, go_u64(raw->bytes, layout->g.startpc));
	bool is_whole = thread->user_stack->end == STACK_COMPLETE;
	/* In gogo() it has come to its stack, but not to its own code yet. */
	bool is_coming = thread->user_stack->end == STACK_NO_UNWIND_INFO &&
			 thread->user_stack->address_count == 1;
	if (is_its_own && !is_coming && (on_its_stack || is_whole || thread->held_still)) {
		thread->goroutine = goroutine->id;
		goroutine->stack = thread->user_stack;
		go_hide_frames(go, thread->user_stack, 0);
		return;
	}
	gaps_add(&goroutine->gaps, go->arena, STAGE_USER_STACK,
		"it runs, and its thread was elsewhere when it was looked at");
}

struct thread *go_free_thread(const struct go_threads *threads, uint64_t machine)
{
	struct thread *thread = thread_of(threads, machine);

	return thread && !thread->goroutine ? thread : NULL;
}

bool go_join_again(
	struct go_threads *threads, const struct go_raw *raw, struct goroutine *goroutine)
{
	const struct gaps gaps = goroutine->gaps;
	struct thread *thread = thread_on_stack(threads, raw);

	if (!thread)
		thread = go_free_thread(threads, raw->machine);
	if (!thread || thread->goroutine)
		return false;
	goroutine->gaps = (struct gaps){0};
	join_running(threads, raw, thread, goroutine);
	if (!goroutine->stack) {
		goroutine->gaps = gaps;
		return false;
	}
	goroutine->tid = thread->tid;
	goroutine->status = "running";
	goroutine->wait_reason = NULL;
	goroutine->wait_ns = -1;
	goroutine->wait = NULL;
	return true;
}

void go_join(struct go_threads *threads, const struct go_raw *raw, struct goroutine *goroutine)
{
	struct thread *thread = thread_of(threads, raw->machine);
	struct thread *before = NULL;
	bool runs = raw->status == GO_RUNNING;

	/* One that computes is taken from its thread every 10 ms, and maybe to another one since.
	 */
	if (runs)
		before = thread_on_stack(threads, raw);
	if (before && !before->goroutine)
		thread = before;
	if (thread)
		goroutine->tid = thread->tid;
	if (thread && runs)
		join_running(threads, raw, thread, goroutine);
	else if (thread && raw->status == GO_SYSCALL)
		join_call(threads, thread, goroutine);
	else if (runs)
		gaps_add(&goroutine->gaps, threads->go->arena, STAGE_USER_STACK,
			"it runs, and its thread was not looked at");
	else if (!goroutine->stack)
		gaps_add(&goroutine->gaps, threads->go->arena, STAGE_USER_STACK,
			raw->sp ? "there are more different stacks than are kept"
				: "its stack pointer is not on its stack");
}

void go_thread_roles(struct go_threads *threads)
{
	struct go_process *go = threads->go;

	for (size_t i = 0; i < go->machine_count; i++) {
		struct thread *thread = thread_of(threads, go->machines[i].address);
		const struct user_stack *stack = thread ? thread->user_stack : NULL;

		if (!stack || thread->goroutine)
			continue;
		const char **names cleanup_free =
			allocate_zeroed(stack->frame_count + 1, sizeof(*names));
		size_t count = 0;
		for (size_t j = 0; j < stack->frame_count; j++) {
			if (stack->frames[j]->symbol)
				names[count++] = stack->frames[j]->symbol;
		}
		thread->role = go_thread_role(names, count);
	}
}
