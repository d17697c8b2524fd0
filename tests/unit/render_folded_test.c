// SPDX-License-Identifier: Apache-2.0
#include "render_fixture.h"

static void outermost_frame_stands_first_and_kernel_last(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_server(look);
	assert_folded(look, &all_options,
		"accept;main;[accept];<signal handler called>;server_accept;wait_for_client_[i];"
		"accept;entry_SYSCALL_64_after_hwframe_[k];nfs_wait_[k];inet_accept_[k];"
		"inet_csk_accept_[k] 1\n");
}

static void sides_are_left_out_when_told(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.user = false;
	add_server(look)->threads[0].kernel_stack->count = 1;
	assert_folded(look, &options, "accept;inet_csk_accept_[k] 1\n");
}

static void equal_stacks_are_summed_over_processes_and_sorted(void **state)
{
	struct look *look = look_create();
	struct process *processes[3];

	(void)state;
	processes[0] = add_process(look, 10, "b", 3);
	processes[1] = add_process(look, 20, "b", 2);
	processes[2] = add_process(look, 30, "a", 1);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < processes[i]->thread_count; j++)
			set_user_stack(look, &processes[i]->threads[j], server_frames, 1);
	}
	set_user_stack(look, &processes[1]->threads[1], &server_frames[2], 1);
	assert_folded(look, &all_options, "a;accept 1\nb;accept 4\nb;server_accept 1\n");
}

static void stack_without_its_root_says_so(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 10, "p", 2);

	(void)state;
	set_user_stack(look, &process->threads[0], server_frames, 1);
	process->threads[0].user_stack->end = STACK_LIMIT;
	assert_folded(look, &all_options, "p 1\np;[incomplete];accept 1\n");
}

static void names_break_no_line(void **state)
{
	struct frame frames[] = {{.symbol = "f;g\nh 7", .kind = "native"}, {.kind = "native"}};
	struct look *look = look_create();
	struct process *process = add_process(look, 10, "p;q\033\n", 1);

	(void)state;
	set_user_stack(look, &process->threads[0], frames, 2);
	assert_folded(look, &all_options, "p:q\\x1b\\n;[unknown];f:g\\nh 7 1\n");
}

static void nothing_of_nothing(void **state)
{
	(void)state;
	assert_folded(look_create(), &all_options, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outermost_frame_stands_first_and_kernel_last),
		cmocka_unit_test(sides_are_left_out_when_told),
		cmocka_unit_test(equal_stacks_are_summed_over_processes_and_sorted),
		cmocka_unit_test(stack_without_its_root_says_so),
		cmocka_unit_test(names_break_no_line),
		cmocka_unit_test(nothing_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
