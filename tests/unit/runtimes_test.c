// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtimes/runtimes.h"

#define FRAMES 4

/* A stack whose frames have these symbols, the innermost first. */
struct sample {
	struct frame frames[FRAMES];
	const struct frame *pointers[FRAMES];
	struct user_stack stack, *stacks[1];
	struct process process;
};

static struct process *fill(struct sample *sample, const char *const symbols[FRAMES])
{
	*sample = (struct sample){0};
	for (size_t i = 0; i < FRAMES; i++) {
		sample->frames[i].symbol = symbols[i];
		sample->pointers[i] = &sample->frames[i];
	}
	sample->stack = (struct user_stack){.frames = sample->pointers,
		.frame_count = FRAMES,
		.end = STACK_NO_UNWIND_INFO,
		.end_detail = "left over"};
	sample->stacks[0] = &sample->stack;
	sample->process = (struct process){.user_stacks = sample->stacks, .user_stack_count = 1};
	return &sample->process;
}

static void go_scheduler_stack_ends_at_mcall(void **state)
{
	struct sample sample;

	(void)state;
	runtimes_end_stacks(fill(&sample, (const char *[FRAMES]){"runtime.schedule",
						  "runtime.park_m", "runtime.mcall", "leftover"}));
	assert_int_equal(sample.stack.frame_count, 3);
	assert_int_equal(sample.stack.end, STACK_COMPLETE);
	assert_null(sample.stack.end_detail);
}

static void go_assembly_has_a_suffix(void **state)
{
	struct sample sample;

	(void)state;
	runtimes_end_stacks(fill(&sample, (const char *[FRAMES]){"runtime.mstart0",
						  "runtime.mstart.abi0", "leftover", NULL}));
	assert_int_equal(sample.stack.frame_count, 2);
	assert_int_equal(sample.stack.end, STACK_COMPLETE);
}

static void go_stack_goes_on_elsewhere_beyond_systemstack(void **state)
{
	struct sample sample;

	(void)state;
	runtimes_end_stacks(fill(&sample, (const char *[FRAMES]){"runtime.gcStart.func2",
						  "runtime.systemstack.abi0", "leftover", NULL}));
	assert_int_equal(sample.stack.frame_count, 2);
	assert_int_equal(sample.stack.end, STACK_NO_UNWIND_INFO);
	assert_non_null(sample.stack.end_detail);
}

static void other_names_are_left_alone(void **state)
{
	struct sample sample;

	(void)state;
	runtimes_end_stacks(fill(&sample,
		(const char *[FRAMES]){"read", "runtime.mcallback", "runtime.mstart1", NULL}));
	assert_int_equal(sample.stack.frame_count, FRAMES);
	assert_string_equal(sample.stack.end_detail, "left over");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(go_scheduler_stack_ends_at_mcall),
		cmocka_unit_test(go_assembly_has_a_suffix),
		cmocka_unit_test(go_stack_goes_on_elsewhere_beyond_systemstack),
		cmocka_unit_test(other_names_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
