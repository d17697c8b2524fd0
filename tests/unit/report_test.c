// SPDX-License-Identifier: Apache-2.0
#include "goroutine_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/report.h"

/* What report_gaps() says on standard error; the caller frees it. */
static char *reported(const struct look *look, bool all, bool *any)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);

	assert_non_null(file);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	*any = report_gaps(look, all);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);

	long length = ftell(file);
	char *said = calloc(1, (size_t)length + 1);
	rewind(file);
	assert_int_equal(fread(said, 1, (size_t)length, file), length);
	fclose(file);
	return said;
}

static void assert_reported(struct look *look, bool any_expected, const char *expected)
{
	bool any;
	char *said = reported(look, false, &any);

	assert_string_equal(said, expected);
	assert_int_equal(any, any_expected);
	free(said);
	look_destroy(look);
}

static void nothing_to_report(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_server(look);
	assert_reported(look, false, "");
}

static void equal_gaps_of_threads_are_one_line(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 4242, "accept", 12);

	(void)state;
	for (size_t i = 0; i < 12; i++)
		gaps_add(&process->threads[i].gaps, look->arena, STAGE_KERNEL_STACK,
			"needs CAP_SYS_ADMIN: run with sudo");
	gaps_add(&process->threads[3].gaps, look->arena, STAGE_SYSCALL,
		"needs CAP_SYS_ADMIN: run with sudo");
	gaps_add(&process->gaps, look->arena, STAGE_PROCESS, "traced by gdb (pid 77)");
	gaps_add(&look->gaps, look->arena, STAGE_PROCESS, "nosuch: no process has that name");
	assert_reported(look, true,
		"whystuck: nosuch: no process has that name\n"
		"whystuck: 4242 accept: process: traced by gdb (pid 77)\n"
		"whystuck: 4242 accept: kernel_stack: needs CAP_SYS_ADMIN: run with sudo (12 "
		"threads)\n"
		"whystuck: 4242 accept: syscall: needs CAP_SYS_ADMIN: run with sudo (thread "
		"4245)\n");
}

static void gaps_of_goroutines_are_counted_apart(void **state)
{
	struct look *look = look_create();
	struct process *process = add_go_server(look);

	(void)state;
	for (size_t i = 1; i < 5; i++)
		gaps_add(&process->goroutines[i].gaps, look->arena, STAGE_USER_STACK, "it moved");
	gaps_add(&process->goroutines[7].gaps, look->arena, STAGE_GOROUTINE, "it is new");
	gaps_add(&process->threads[0].gaps, look->arena, STAGE_USER_STACK, "it moved");
	assert_reported(look, true,
		"whystuck: 4242 server: user_stack: it moved (thread 4242)\n"
		"whystuck: 4242 server: user_stack: it moved (4 goroutines)\n"
		"whystuck: 4242 server: goroutine: it is new (goroutine 20)\n");
}

static void names_are_escaped(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 5, "a\033[2J\n%s", 1);

	(void)state;
	gaps_add(&process->threads[0].gaps, look->arena, STAGE_WAIT, "100%% unknown");
	assert_reported(look, true, "whystuck: 5 a\\x1b[2J\\n%s: wait: 100% unknown\n");
}

static size_t count_lines(const char *said)
{
	size_t count = 0;

	for (; *said; said++)
		count += *said == '\n';
	return count;
}

static void a_reason_for_each_thread_floods_nobody(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 5, "flood", 5000);
	bool any;

	(void)state;
	for (size_t i = 0; i < 5000; i++)
		gaps_add(&process->threads[i].gaps, look->arena, STAGE_USER_STACK, "no module %zu",
			i);

	char *said = reported(look, false, &any);
	assert_true(any);
	assert_int_equal(count_lines(said), 21);
	assert_non_null(
		strstr(said, "5 flood: 4980 things more could not be shown: -v lists them\n"));
	free(said);
	said = reported(look, true, &any);
	assert_int_equal(count_lines(said), 5000);
	free(said);
	look_destroy(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_report),
		cmocka_unit_test(equal_gaps_of_threads_are_one_line),
		cmocka_unit_test(gaps_of_goroutines_are_counted_apart),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(a_reason_for_each_thread_floods_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
