// SPDX-License-Identifier: Apache-2.0
/*
 * The walk on stacks written by hand, in a made-up process: code that no file stands behind,
 * a stack, and what holds the rest together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/stack_memory.h"
#include "unwind/unwind.h"
#include "util/memory.h"

#define CODE 0x10000
#define DATA 0x40000
#define STACK 0x70000
#define SIZE 0x1000

enum { RBP = 6, RSP = 7, RIP = 16 };

/* A call of five bytes ends at each of these. */
#define RETURN_1 (CODE + 0x105)
#define RETURN_2 (CODE + 0x205)
#define RETURN_3 (CODE + 0x305)

struct world {
	struct memory memory;
	uint8_t code[SIZE];
	uint64_t stack[SIZE / 8];
	struct arena *arena;
	struct process process;
	struct thread thread;
	struct images *images;
	struct modules *modules;
	struct registers registers;
};

static size_t read_world(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct world *world = (const struct world *)memory;

	if (address >= CODE && address < CODE + SIZE && length <= CODE + SIZE - address)
		memcpy(to, world->code + (address - CODE), length);
	else if (address >= STACK && address < STACK + SIZE && length <= STACK + SIZE - address)
		memcpy(to, (const uint8_t *)world->stack + (address - STACK), length);
	else
		return 0;
	return length;
}

static int set_up(void **state)
{
	static const struct mapping mappings[] = {
		{.start = CODE,
			.end = CODE + SIZE,
			.readable = true,
			.executable = true,
			.path = ""},
		{.start = DATA, .end = DATA + SIZE, .readable = true, .writable = true, .path = ""},
		{.start = STACK,
			.end = STACK + SIZE,
			.readable = true,
			.writable = true,
			.path = "[stack]"},
	};
	struct world *world = allocate_zeroed(1, sizeof(*world));

	world->memory.read = read_world;
	world->arena = arena_create();
	world->process.mappings.items = (struct mapping *)mappings;
	world->process.mappings.count = array_length(mappings);
	world->process.memory = &world->memory;
	world->process.threads = &world->thread;
	world->process.thread_count = 1;
	world->images = images_create(world->arena);
	world->modules = modules_create(world->images, &world->process, world->arena);
	memset(world->code, 0x90, sizeof(world->code));
	for (size_t at = 0x100; at < 0x400; at += 0x100)
		world->code[at] = 0xe8;
	register_set(&world->registers, RSP, STACK);
	register_set(&world->registers, RIP, CODE + 0x10);
	register_set(&world->registers, RBP, STACK + 0x20);
	/* The innermost function's frame, and its caller's. */
	world->stack[4] = STACK + 0x60;
	world->stack[5] = RETURN_1;
	world->stack[12] = 0;
	world->stack[13] = RETURN_2;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	modules_destroy(world->modules);
	images_destroy(world->images);
	arena_destroy(world->arena);
	free(world);
	return 0;
}

static const struct user_stack *unwind(struct world *world, size_t max_frames)
{
	return unwind_stack(&arch_x86_64, world->modules, &world->registers, &world->memory,
		max_frames, world->arena);
}

static void frame_pointers_to_the_outermost(void **state)
{
	const struct user_stack *stack = unwind(*state, 256);

	assert_int_equal(stack->address_count, 3);
	assert_int_equal(stack->addresses[0].value, CODE + 0x10);
	assert_false(stack->addresses[0].is_return);
	assert_int_equal(code_lookup(stack->addresses[1]), RETURN_1 - 1);
	assert_int_equal(stack->addresses[2].value, RETURN_2);
	assert_int_equal(stack->end, STACK_COMPLETE);
	/* Where the innermost function had come to is not known: its first step is a guess. */
	assert_true(stack->uncertain[1]);
	assert_false(stack->uncertain[2]);
}

static void as_many_frames_as_asked_for(void **state)
{
	assert_int_equal(unwind(*state, 2)->address_count, 2);
	assert_int_equal(unwind(*state, 2)->end, STACK_LIMIT);
	/* All that there are is not a limit. */
	assert_int_equal(unwind(*state, 3)->end, STACK_COMPLETE);
}

static void frame_pointer_that_points_nowhere(void **state)
{
	struct world *world = *state;
	static const uint64_t wrong[] = {STACK + 0x21, STACK - 0x20, DATA, UINT64_MAX - 7, 8};

	for (size_t i = 0; i < array_length(wrong); i++) {
		register_set(&world->registers, RBP, wrong[i]);
		const struct user_stack *stack = unwind(world, 256);
		assert_int_equal(stack->address_count, 1);
		assert_int_equal(stack->end, STACK_NO_UNWIND_INFO);
		assert_non_null(stack->end_detail);
	}
}

static void return_address_in_data(void **state)
{
	struct world *world = *state;

	world->stack[13] = DATA + 0x10;
	const struct user_stack *stack = unwind(world, 256);
	assert_int_equal(stack->address_count, 2);
	assert_int_equal(stack->end, STACK_NO_UNWIND_INFO);
}

/* Frame pointers that lead round in a circle. */
static void frames_that_go_down(void **state)
{
	struct world *world = *state;

	world->stack[12] = STACK + 0x20;
	const struct user_stack *stack = unwind(world, 256);
	assert_int_equal(stack->address_count, 3);
	assert_int_equal(stack->end, STACK_NO_UNWIND_INFO);
}

static void register_that_only_a_stop_shows(void **state)
{
	struct world *world = *state;

	world->registers.known &= ~(UINT64_C(1) << RBP);
	const struct user_stack *stack = unwind(world, 256);
	assert_int_equal(stack->end, STACK_UNREADABLE);
	assert_string_equal(stack->end_detail, "needs rbp, which only a stop shows");
	world->registers.known = 0;
	assert_int_equal(unwind(world, 256)->address_count, 0);
	assert_int_equal(unwind(world, 256)->end, STACK_UNREADABLE);
}

/* The innermost function returns at once: its caller's frame pointer is not its own. */
static void before_a_frame_is_made(void **state)
{
	struct world *world = *state;

	world->code[0x10] = 0x55; /* push %rbp; then nothing until ret */
	world->code[0x11] = 0x5d; /* pop %rbp */
	world->code[0x12] = 0xc3;
	world->stack[0] = RETURN_3;
	const struct user_stack *stack = unwind(world, 256);
	assert_int_equal(stack->address_count, 4);
	assert_int_equal(stack->addresses[1].value, RETURN_3);
	assert_int_equal(stack->addresses[2].value, RETURN_1);
	assert_int_equal(stack->end, STACK_COMPLETE);
}

static void call_through_a_bad_pointer(void **state)
{
	struct world *world = *state;

	register_set(&world->registers, RIP, 0);
	world->stack[0] = RETURN_3;
	const struct user_stack *stack = unwind(world, 256);
	assert_int_equal(stack->addresses[0].value, 0);
	assert_int_equal(stack->addresses[1].value, RETURN_3);
	assert_true(stack->uncertain[1]);
	assert_int_equal(stack->address_count, 4);
	/* What lies there is no return address. */
	world->stack[0] = CODE + 0x20;
	stack = unwind(world, 256);
	assert_int_equal(stack->address_count, 1);
	assert_int_equal(stack->end, STACK_NO_UNWIND_INFO);
}

/* A handler returns to a trampoline that no call frame information covers. */
static void signal_trampoline(void **state)
{
	static const uint8_t trampoline[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	struct world *world = *state;

	memcpy(world->code + 0x800, trampoline, sizeof(trampoline));
	register_set(&world->registers, RIP, CODE + 0x800);
	register_set(&world->registers, RSP, STACK + 0x800);
	uint64_t *context = &world->stack[(0x800 + 40) / 8];
	context[10] = STACK + 0x20; /* rbp */
	context[15] = STACK;        /* rsp: it goes down, as from an alternate stack */
	context[16] = CODE + 0x30;  /* rip */
	const struct user_stack *stack = unwind(world, 256);
	assert_int_equal(stack->address_count, 4);
	assert_true(stack->signal_frame[0]);
	assert_int_equal(stack->addresses[1].value, CODE + 0x30);
	assert_false(stack->addresses[1].is_return);
	assert_int_equal(stack->addresses[2].value, RETURN_1);
	assert_int_equal(stack->end, STACK_COMPLETE);
}

/* Only the first part of the stack was copied, and the thread has run since. */
static void copy_that_is_too_short(void **state)
{
	struct world *world = *state;
	uint64_t copy[8];

	memcpy(copy, world->stack, sizeof(copy));
	memset(world->stack, 0x55, sizeof(world->stack));
	world->thread.registers = world->registers;
	world->thread.stack_start = STACK;
	world->thread.stack_bytes = (const uint8_t *)copy;
	world->thread.stack_length = sizeof(copy);
	unwind_process(&world->process, world->modules, 256, world->arena);
	const struct user_stack *stack = world->thread.user_stack;
	assert_int_equal(stack->address_count, 2);
	assert_int_equal(stack->end, STACK_UNREADABLE);
	assert_string_equal(stack->end_detail, "memory at 0x70060 can't be read");
}

static void thread_that_held_still(void **state)
{
	struct world *world = *state;
	uint64_t copy[8];

	memcpy(copy, world->stack, sizeof(copy));
	world->thread.registers = world->registers;
	world->thread.stack_start = STACK;
	world->thread.stack_bytes = (const uint8_t *)copy;
	world->thread.stack_length = sizeof(copy);
	world->thread.held_still = true;
	unwind_process(&world->process, world->modules, 256, world->arena);
	assert_int_equal(world->thread.user_stack->address_count, 3);
	assert_int_equal(world->thread.user_stack->end, STACK_COMPLETE);
}

#define walk_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		walk_test(frame_pointers_to_the_outermost),
		walk_test(as_many_frames_as_asked_for),
		walk_test(frame_pointer_that_points_nowhere),
		walk_test(return_address_in_data),
		walk_test(frames_that_go_down),
		walk_test(register_that_only_a_stop_shows),
		walk_test(before_a_frame_is_made),
		walk_test(call_through_a_bad_pointer),
		walk_test(signal_trampoline),
		walk_test(copy_that_is_too_short),
		walk_test(thread_that_held_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
