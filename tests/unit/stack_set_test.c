// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unwind/stack_set.h"

#define DEPTH 3

/* A stack as the unwinder has it in the making. */
struct sample {
	struct code_address addresses[DEPTH];
	bool signal_frame[DEPTH], uncertain[DEPTH];
	struct user_stack stack;
};

static struct user_stack *fill(struct sample *sample, uint64_t innermost)
{
	*sample =
		(struct sample){.addresses = {{innermost, false}, {0x2000, true}, {0x3000, true}}};
	sample->stack = (struct user_stack){
		.addresses = sample->addresses,
		.signal_frame = sample->signal_frame,
		.uncertain = sample->uncertain,
		.address_count = DEPTH,
	};
	return &sample->stack;
}

static void stacks_that_are_alike_are_kept_once(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct stack_set set = {.arena = arena};
	struct sample sample;
	(void)state;

	struct user_stack *first = stack_set_add(&set, fill(&sample, 0x1000));
	sample.addresses[0].value = 0; /* a copy was taken */
	assert_int_equal(first->addresses[0].value, 0x1000);
	assert_ptr_equal(stack_set_add(&set, fill(&sample, 0x1000)), first);
	assert_ptr_not_equal(stack_set_add(&set, fill(&sample, 0x1001)), first);
	assert_int_equal(set.count, 2);
	stack_set_deinit(&set);
}

static void what_differs_in_a_mark_or_in_its_end_is_kept_apart(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct stack_set set = {.arena = arena};
	struct sample sample;
	char detail[] = "memory at 0x10 can't be read", same[sizeof(detail)];
	(void)state;

	stack_set_add(&set, fill(&sample, 0x1000));
	fill(&sample, 0x1000)->address_count--;
	stack_set_add(&set, &sample.stack);
	fill(&sample, 0x1000);
	sample.addresses[1].is_return = false;
	stack_set_add(&set, &sample.stack);
	fill(&sample, 0x1000);
	sample.signal_frame[2] = true;
	stack_set_add(&set, &sample.stack);
	fill(&sample, 0x1000);
	sample.uncertain[0] = true;
	stack_set_add(&set, &sample.stack);
	fill(&sample, 0x1000)->end = STACK_LIMIT;
	stack_set_add(&set, &sample.stack);
	assert_int_equal(set.count, 6);

	fill(&sample, 0x1000)->end = STACK_UNREADABLE;
	stack_set_add(&set, &sample.stack);
	sample.stack.end_detail = detail;
	stack_set_add(&set, &sample.stack);
	assert_int_equal(set.count, 8);
	memcpy(same, detail, sizeof(detail));
	sample.stack.end_detail = same;
	stack_set_add(&set, &sample.stack);
	assert_int_equal(set.count, 8);
	stack_set_deinit(&set);
}

static void a_set_grows_and_finds_all_again(void **state)
{
	enum { COUNT = 1000 };
	struct arena *arena cleanup_arena = arena_create();
	struct stack_set set = {.arena = arena};
	struct sample sample;
	(void)state;

	for (uint64_t i = 0; i < COUNT; i++)
		stack_set_add(&set, fill(&sample, i));
	assert_int_equal(set.count, COUNT);
	for (uint64_t i = 0; i < COUNT; i++)
		assert_ptr_equal(stack_set_add(&set, fill(&sample, i)), set.items[i]);
	assert_int_equal(set.count, COUNT);
	stack_set_deinit(&set);
}

static void an_empty_stack_is_one_as_well(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct stack_set set = {.arena = arena};
	const struct user_stack nothing = {.end = STACK_UNREADABLE};
	(void)state;

	assert_ptr_equal(stack_set_add(&set, &nothing), stack_set_add(&set, &nothing));
	assert_int_equal(set.items[0]->address_count, 0);
	stack_set_deinit(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_that_are_alike_are_kept_once),
		cmocka_unit_test(what_differs_in_a_mark_or_in_its_end_is_kept_apart),
		cmocka_unit_test(a_set_grows_and_finds_all_again),
		cmocka_unit_test(an_empty_stack_is_one_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
