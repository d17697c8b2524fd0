// SPDX-License-Identifier: Apache-2.0
#include "golden.h"
#include "render_fixture.h"

static void show_golden(const char *name, struct look *look, const struct render_options *options)
{
	char *output = rendered(&renderer_text, look, options);

	assert_golden(name, output);
	free(output);
	look_destroy(look);
}

static void server_blocked_in_accept(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_server(look);
	show_golden("text-server.txt", look, &all_options);
}

static void addresses_of_the_kernel_are_shown_when_asked_for(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.addresses = true;
	add_server(look);
	show_golden("text-addresses.txt", look, &options);
}

static void colors_name_functions_and_states(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.color = true;
	add_server(look);
	show_golden("text-color.txt", look, &options);
}

static void nothing_but_the_sentence_when_stacks_are_left_out(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.kernel = options.user = options.lines = false;
	options.partial = true;
	add_server(look);
	show_golden("text-no-stacks.txt", look, &options);
}

static void process_info_stands_below_the_header(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.process_info = true;
	options.width = 80;
	add_info(look, add_server(look));
	show_golden("text-info.txt", look, &options);
}

static void what_is_missing_is_said_in_its_place(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 4242, "accept", 1);
	struct thread *thread = &process->threads[0];

	(void)state;
	thread->wchan = "inet_csk_accept";
	gaps_add(&process->gaps, look->arena, STAGE_PROCESS, "traced by gdb (pid 77)");
	gaps_add(&thread->gaps, look->arena, STAGE_KERNEL_STACK,
		"needs CAP_SYS_ADMIN: run with sudo");
	gaps_add(&thread->gaps, look->arena, STAGE_SYSCALL, "needs CAP_SYS_PTRACE: run with sudo");
	gaps_add(&thread->gaps, look->arena, STAGE_USER_STACK,
		"needs CAP_SYS_PTRACE: run with sudo");
	show_golden("text-gaps.txt", look, &all_options);
}

static void stacks_that_are_cut_off_say_why(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 50, "ends", 5);

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		process->threads[i].state = "RDTtZ"[i];
		process->threads[i].cpu = 1;
		set_user_stack(look, &process->threads[i], server_frames, i == 4 ? 0 : i + 1);
	}
	process->tracer = 77;
	process->threads[0].blocked_ns = -1;
	process->threads[0].user_stack->end = STACK_LIMIT;
	process->threads[1].user_stack->end = STACK_NO_UNWIND_INFO;
	process->threads[1].user_stack->end_detail = "no unwind information in libx.so";
	process->threads[2].user_stack->end = STACK_UNREADABLE;
	process->threads[3].user_stack->end = STACK_NO_UNWIND_INFO;
	gaps_add(&process->threads[3].gaps, look->arena, STAGE_USER_STACK, "no module at 0x1234");
	process->threads[4].user_stack->end = STACK_UNREADABLE;
	show_golden("text-ends.txt", look, &all_options);
}

static void equal_frames_in_a_row_are_counted(void **state)
{
	struct frame frames[10];
	struct look *look = look_create();
	struct process *process = add_process(look, 60, "deep", 1);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		frames[i] = server_frames[i == 0 ? 0 : i == 9 ? 5 : 2];
	set_user_stack(look, &process->threads[0], frames, 10);
	show_golden("text-recursion.txt", look, &all_options);
}

/* Ten workers: seven wait for the same, three each for something else. */
static struct process *add_workers(struct look *look)
{
	struct process *process = add_process(look, 4242, "worker", 10);

	for (size_t i = 0; i < 10; i++) {
		struct thread *thread = &process->threads[i];

		thread->blocked_ns = (int64_t)(i + 3) * NS_PER_SECOND;
		set_user_stack(look, thread, server_frames, SERVER_FRAME_COUNT);
		set_accept_call(look, thread);
		set_wait(look, thread, "futex", "condition variable 0x7f01", true);
	}
	return process;
}

static void identical_stacks_stand_once(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_workers(look);
	show_golden("text-group.txt", look, &all_options);
}

static void whom_it_waits_on_is_named_once(void **state)
{
	struct holder holders[] = {
		{.pid = 7, .text = "the other end of the pipe"},
		{.pid = 70, .tid = 71, .text = "holds the lock"},
	};
	struct look *look = look_create();
	struct process *process = add_process(look, 4242, "reader", 1);

	(void)state;
	set_wait(look, &process->threads[0], "pipe-read", "data from pipe:[100] ← cat (pid 7)",
		false);
	process->threads[0].wait->holders = holders;
	process->threads[0].wait->holder_count = 2;
	show_golden("text-holders.txt", look, &all_options);
}

static void ungrouped_when_told(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.grouping = GROUP_NEVER;
	options.kernel = options.user = false;
	add_workers(look);
	show_golden("text-no-group.txt", look, &options);
}

static void different_waits_of_a_group_are_examples(void **state)
{
	struct look *look = look_create();
	struct process *process = add_workers(look);

	(void)state;
	for (size_t i = 0; i < 6; i++)
		set_wait(look, &process->threads[i], "futex",
			arena_printf(look->arena, "condition variable 0x7f%zu", 10 + i), true);
	process->threads[1].comm = "boss";
	process->threads[3].syscall->text = "accept(4<TCP 127.0.0.1:8081>, NULL, NULL)";
	show_golden("text-group-waits.txt", look, &all_options);
}

static void many_scattered_ids_are_wrapped_and_cut(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();
	struct process *process = add_process(look, 1000, "pool", 60);

	(void)state;
	options.width = 60;
	for (size_t i = 0; i < 60; i++) {
		process->threads[i].tid = 1000 + (pid_t)(i * 2 - i % 3 / 2);
		process->threads[i].comm = arena_printf(look->arena, "pool-%zu", i);
		set_user_stack(look, &process->threads[i], server_frames, SERVER_FRAME_COUNT);
	}
	show_golden("text-ids.txt", look, &options);
}

static void long_command_lines_are_cut_to_the_page(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 4242, "long", 1);
	char command[5000];

	(void)state;
	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	process->cmdline[0] = arena_strdup(look->arena, command);
	process->is_32_bit = true;
	process = add_process(look, 2, "kthreadd", 1);
	process->is_kernel = true;
	process->cmdline_count = 0;
	process->running_ns = 3 * 86400 * NS_PER_SECOND;
	show_golden("text-long.txt", look, &all_options);
}

static void hostile_names_reach_no_terminal(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.process_info = true;
	add_hostile(look);

	char *output = rendered(&renderer_text, look, &options);
	for (const unsigned char *at = (const unsigned char *)output; *at; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at != 0x7f));
	assert_null(strstr(output, "\u202e"));
	assert_null(strstr(output, "\xc2\x9b"));
	assert_null(strstr(output, "\xff"));
	assert_non_null(strstr(output, "a\\x1b[31m\\n\\t"));
	free(output);
	show_golden("text-hostile.txt", look, &options);
}

static void write_errors_stay_in_the_stream(void **state)
{
	struct look *look = look_create();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	add_server(look);
	for (size_t i = 0; renderers[i]; i++) {
		renderers[i]->render(look, &all_options, full);
		assert_true(ferror(full));
		clearerr(full);
	}
	fclose(full);
	look_destroy(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_blocked_in_accept),
		cmocka_unit_test(addresses_of_the_kernel_are_shown_when_asked_for),
		cmocka_unit_test(colors_name_functions_and_states),
		cmocka_unit_test(nothing_but_the_sentence_when_stacks_are_left_out),
		cmocka_unit_test(process_info_stands_below_the_header),
		cmocka_unit_test(what_is_missing_is_said_in_its_place),
		cmocka_unit_test(stacks_that_are_cut_off_say_why),
		cmocka_unit_test(equal_frames_in_a_row_are_counted),
		cmocka_unit_test(identical_stacks_stand_once),
		cmocka_unit_test(whom_it_waits_on_is_named_once),
		cmocka_unit_test(ungrouped_when_told),
		cmocka_unit_test(different_waits_of_a_group_are_examples),
		cmocka_unit_test(many_scattered_ids_are_wrapped_and_cut),
		cmocka_unit_test(long_command_lines_are_cut_to_the_page),
		cmocka_unit_test(hostile_names_reach_no_terminal),
		cmocka_unit_test(write_errors_stay_in_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
