// SPDX-License-Identifier: Apache-2.0
#include "golden.h"
#include "goroutine_fixture.h"

static const struct frame go_sweeper =
	GO_FRAME("runtime.bgsweep", 0x40b010, "mgcsweep.go", 280, true);
static const struct frame *sweeper_frames[] = {&go_park, &go_sweeper, &go_exit};
static struct user_stack sweeper_stack = {.frames = sweeper_frames, .frame_count = 3};

static void show_golden(const char *name, struct look *look, const struct render_options *options)
{
	char *output = rendered(&renderer_text, look, options);

	assert_golden(name, output);
	free(output);
	look_destroy(look);
}

static void server_with_idle_workers(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_go_server(look);
	show_golden("goroutines.txt", look, &all_options);
}

static void apart_each_stands_alone(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	options.grouping = GROUP_NEVER;
	process->goroutine_count = 4;
	process->goroutines[2].uncertain = true;
	show_golden("goroutines-apart.txt", look, &options);
}

static void the_runtimes_own_when_asked_for(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	options.runtime_frames = true;
	process->goroutines_left_out = 0;
	process->goroutines[1] = waiting_goroutine(4, &sweeper_stack, "GC sweep wait", -1);
	process->goroutines[1].is_system = true;
	show_golden("goroutines-runtime.txt", look, &options);
}

static void different_waits_are_examples_and_holders_are_named(void **state)
{
	struct holder holders[] = {{.pid = 4242, .goroutine = 20, .text = "may hold it"},
		{.pid = 7, .goroutine = 3, .text = "the other end"}};
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	for (size_t i = 1; i <= 6; i++) {
		process->goroutines[i].wait = make_wait(look, "channel-receive",
			arena_printf(
				look->arena, "a value on channel 0xc00010%d", i < 4 ? 0 : (int)i));
		process->goroutines[i].creator_id = i;
	}
	process->goroutines[7].wait = process->goroutines[8].wait =
		make_wait(look, "socket-read", "data on TCP 127.0.0.1:8080 from 10.0.0.1:555");
	process->goroutines[7].wait->holders = holders;
	process->goroutines[7].wait->holder_count = 2;
	show_golden("goroutines-waits.txt", look, &all_options);
}

static void threads_that_run_goroutines_in_one_place(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct thread *thread = &process->threads[i];
		struct goroutine *goroutine = &process->goroutines[i + 1];

		thread->user_stack = &main_stack;
		thread->role = NULL;
		set_call(look, thread, "read");
		thread->goroutine = goroutine->id;
		goroutine->tid = thread->tid;
		goroutine->status = "syscall";
		goroutine->wait_reason = NULL;
		goroutine->stack = &main_stack;
		goroutine->creator_id = i + 1;
	}
	process->threads[3].state = 'R';
	show_golden("goroutines-on-threads.txt", look, &all_options);
}

static void what_is_missing_is_said(void **state)
{
	static struct user_stack cut = {
		.frames = worker_frames, .frame_count = 3, .end = STACK_UNREADABLE};
	static struct user_stack limited = {
		.frames = serve_frames, .frame_count = 2, .end = STACK_LIMIT};
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutines[1].stack = NULL;
	gaps_add(&process->goroutines[1].gaps, look->arena, STAGE_USER_STACK,
		"it moved during the look");
	process->goroutines[2].stack = &cut;
	process->goroutines[3].stack = &limited;
	gaps_add(
		&process->goroutines[3].gaps, look->arena, STAGE_WAIT, "its channel is unreadable");
	process->goroutines[4].creator = NULL;
	process->goroutine_count = 5;
	show_golden("goroutines-gaps.txt", look, &all_options);
}

static void scattered_ids_are_cut_to_the_page(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutine_count = 1026;
	process->goroutines = arena_new(look->arena, struct goroutine, 1026);
	for (size_t i = 0; i < 1026; i++)
		process->goroutines[i] = waiting_goroutine(
			1000000 + 3 * i, &worker_stack, "chan receive", 90 * NS_PER_SECOND);
	process->threads[0].goroutine = 0;
	show_golden("goroutines-ids.txt", look, &all_options);
}

static void none_but_the_runtimes_own(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutine_count = 0;
	process->thread_count = 1;
	show_golden("goroutines-none.txt", look, &all_options);
}

static void a_thread_that_was_asked_for_says_all(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	options.partial = true;
	process->thread_count = process->goroutine_count = 1;
	show_golden("goroutines-partial.txt", look, &options);
}

static void hostile_words_reach_no_terminal(void **state)
{
	struct frame frame = {.symbol = HOSTILE, .file = HOSTILE, .line = 1};
	const struct frame *frames[] = {&frame};
	struct user_stack stack = {.frames = frames, .frame_count = 1};
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		process->goroutines[i] = waiting_goroutine(i + 1, &stack, HOSTILE, INT64_MAX);
		process->goroutines[i].start = process->goroutines[i].creator = &frame;
		process->goroutines[i].creator_id = UINT64_MAX;
	}
	for (size_t i = 0; renderers[i]; i++) {
		char *output = rendered(renderers[i], look, &all_options);

		for (const unsigned char *at = (const unsigned char *)output; *at; at++)
			assert_true(*at == '\n' || (*at >= ' ' && *at != 0x7f));
		assert_null(strstr(output, "\u202e"));
		assert_null(strstr(output, "\xc2\x9b"));
		free(output);
	}
	look_destroy(look);
}

static void json_has_each_goroutine(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutine_count = 3;
	process->goroutines[1].start = &go_worker;
	process->goroutines[2].stack = NULL;
	process->goroutines[2].uncertain = true;
	process->goroutines[2].wait = make_wait(look, "channel-receive", "a value");
	gaps_add(&process->goroutines[2].gaps, look->arena, STAGE_GOROUTINE, "it moved");

	char *output = rendered(&renderer_json, look, &all_options);
	assert_golden("goroutines.json", output);
	free(output);
	look_destroy(look);
}

static void folded_counts_each_goroutine_once(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_go_server(look);
	assert_folded(look, &all_options,
		"server;main.main;syscall.Syscall 1\n"
		"server;main.worker 6\n"
		"server;net/http.(*conn).serve 2\n"
		"server;runtime.findRunnable 4\n");
}

static void folded_has_hidden_frames_when_asked_for(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.runtime_frames = true;
	add_go_server(look)->goroutine_count = 3;
	assert_folded(look, &options,
		"server;runtime.findRunnable 4\n"
		"server;runtime.goexit;main.main;syscall.Syscall;runtime.entersyscall 1\n"
		"server;runtime.goexit;main.worker;runtime.chanrecv1;runtime.gopark 2\n");
}

static void a_stack_of_nothing_but_hidden_frames_is_shown(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	process->goroutines[1].stack = &sweeper_stack;
	process->goroutine_count = 2;
	process->thread_count = 1;
	assert_folded(look, &all_options,
		"server;main.main;syscall.Syscall 1\n"
		"server;runtime.goexit;runtime.bgsweep;runtime.gopark 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_with_idle_workers),
		cmocka_unit_test(apart_each_stands_alone),
		cmocka_unit_test(the_runtimes_own_when_asked_for),
		cmocka_unit_test(different_waits_are_examples_and_holders_are_named),
		cmocka_unit_test(threads_that_run_goroutines_in_one_place),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(scattered_ids_are_cut_to_the_page),
		cmocka_unit_test(none_but_the_runtimes_own),
		cmocka_unit_test(a_thread_that_was_asked_for_says_all),
		cmocka_unit_test(hostile_words_reach_no_terminal),
		cmocka_unit_test(json_has_each_goroutine),
		cmocka_unit_test(folded_counts_each_goroutine_once),
		cmocka_unit_test(folded_has_hidden_frames_when_asked_for),
		cmocka_unit_test(a_stack_of_nothing_but_hidden_frames_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
