// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <pthread.h>

#include "collect/targets.h"
#include "target.h"

static bool has(const struct pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->count; i++) {
		if (pids->items[i] == pid)
			return true;
	}
	return false;
}

/* Whether @target names @pid. */
static bool names(const char *target, pid_t pid)
{
	struct pids pids = {0};
	struct error error = targets_resolve(target, NULL, &pids);
	bool named = !failed(error) && has(&pids, pid);

	assert_true(failed(error) == (pids.count == 0));
	pids_deinit(&pids);
	return named;
}

static bool id_names(pid_t id, pid_t pid)
{
	char target[16];

	snprintf(target, sizeof(target), "%d", id);
	return names(target, pid);
}

static const char *new_comm;

static void rename_and_wait(const struct target *target)
{
	prctl(PR_SET_NAME, new_comm);
	target_ready(target);
	for (;;)
		pause();
}

static void by_id(void **state)
{
	struct target target = target_start(rename_and_wait);

	(void)state;
	assert_true(id_names(target.pid, target.pid));
	target_end(&target);
	assert_false(id_names(target.pid, target.pid));
}

static void by_comm(void **state)
{
	new_comm = "why odd) R 1 (";
	struct target target = target_start(rename_and_wait);

	(void)state;
	assert_true(names("why odd) R 1 (", target.pid));
	assert_false(names("why odd", target.pid));
	assert_false(names("odd", target.pid));
	target_end(&target);
	assert_false(names("why odd) R 1 (", target.pid));
}

/* Its own file's name, as argv[0] and exe have it. */
static void by_the_name_of_its_program(void **state)
{
	new_comm = "another";
	struct target target = target_start(rename_and_wait);
	char exe[PATH_MAX] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_true(names(strrchr(exe, '/') + 1, target.pid));
	assert_true(names("another", target.pid));
	target_end(&target);
}

static void execute_as(const struct target *target)
{
	static const char *const arguments[] = {"/x/a-name-that-is-longer-than-a-comm", NULL};

	dup2(target->ready, 3);
	execv("/proc/self/exe", (char *const *)arguments);
	_exit(1);
}

static void by_argument_zero(void **state)
{
	struct target target = target_start(execute_as);

	(void)state;
	assert_true(names("a-name-that-is-longer-than-a-comm", target.pid));
	assert_true(names("/x/a-name-that-is-longer-than-a-comm", target.pid));
	assert_false(names("a-name-that-is-longer-than-a-com", target.pid));
	target_end(&target);
}

static void *report_and_wait(void *argument)
{
	pid_t tid = gettid();

	if (write(*(int *)argument, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
	return NULL;
}

static int tids[2];

static void start_a_thread(const struct target *target)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, report_and_wait, &tids[1]) != 0)
		_exit(1);
	target_ready(target);
	for (;;)
		pause();
}

static void thread_id_names_its_process(void **state)
{
	pid_t tid;

	(void)state;
	assert_int_equal(pipe(tids), 0);
	struct target target = target_start(start_a_thread);
	assert_int_equal(read(tids[0], &tid, sizeof(tid)), sizeof(tid));
	assert_int_not_equal(tid, target.pid);
	assert_true(id_names(tid, target.pid));
	target_end(&target);
	close(tids[0]);
	close(tids[1]);
}

static void nobody_by_that_name_or_id(void **state)
{
	static const char *const targets[] = {"0", "-1", "99999999999999999999", "4294967297",
		"no such name anywhere", "", "/", "1x"};
	struct pids pids = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		assert_true(failed(targets_resolve(targets[i], NULL, &pids)));
		assert_int_equal(pids.count, 0);
	}
}

static void never_itself(void **state)
{
	struct pids pids = {0};
	struct error error;
	char id[16];

	(void)state;
	snprintf(id, sizeof(id), "%d", getpid());
	error = targets_resolve(id, NULL, &pids);
	assert_string_equal(error.reason, "that is this very process");
	assert_false(failed(targets_all(&pids)));
	assert_true(pids.count > 0);
	assert_false(has(&pids, getpid()));
	pids_deinit(&pids);
}

static void all_processes_each_once(void **state)
{
	new_comm = "one of all";
	struct target target = target_start(rename_and_wait);
	struct pids pids = {0};

	(void)state;
	assert_false(failed(targets_all(&pids)));
	size_t count = pids.count;
	assert_true(has(&pids, target.pid));
	assert_false(failed(targets_resolve("one of all", NULL, &pids)));
	assert_int_equal(pids.count, count);
	for (size_t i = 1; i < pids.count; i++)
		assert_true(pids.items[i] > pids.items[i - 1]);
	pids_deinit(&pids);
	target_end(&target);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_id),
		cmocka_unit_test(by_comm),
		cmocka_unit_test(by_the_name_of_its_program),
		cmocka_unit_test(by_argument_zero),
		cmocka_unit_test(thread_id_names_its_process),
		cmocka_unit_test(nobody_by_that_name_or_id),
		cmocka_unit_test(never_itself),
		cmocka_unit_test(all_processes_each_once),
	};

	new_comm = "whystuck test";
	if (count > 0 && arguments[0][0] == '/' && arguments[0][1] == 'x') {
		/* Executed by execute_as(). */
		if (write(3, "", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
