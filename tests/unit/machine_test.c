// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "collect/machine.h"
#include "collect/mountinfo.h"
#include "maker.h"

static void keep_writing_end(int *fds, const void *argument)
{
	const int *ends = argument;

	close(ends[0]);
	fds[0] = ends[1];
	fds[1] = fcntl(ends[1], F_DUPFD, ends[1] + 1);
}

static void who_has_a_pipe_but_not_ourselves(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct stat status;
	int ends[2];

	(void)state;
	assert_return_code(pipe(ends), errno);
	assert_return_code(fstat(ends[0], &status), errno);
	struct target target cleanup_target = target_start("holder", keep_writing_end, ends);
	struct machine *machine = machine_create(arena);
	struct open_files files = machine_find(machine, status.st_dev, status.st_ino, PEER_ANY);

	assert_int_equal(files.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(files.items[i].pid, target.pid);
		assert_int_equal(files.items[i].fd, target.fds[i]);
		assert_false(files.items[i].readable);
		assert_true(files.items[i].writable);
	}
	assert_int_equal(machine_find(machine, status.st_dev, status.st_ino, PEER_WRITES).count, 2);
	assert_int_equal(machine_find(machine, status.st_dev, status.st_ino, PEER_READS).count, 0);
	assert_int_equal(machine_find(machine, status.st_dev, 0, PEER_ANY).count, 0);
	machine_destroy(machine);
	close(ends[0]);
	close(ends[1]);
}

static void make_nothing(int *fds, const void *argument)
{
	(void)fds;
	(void)argument;
}

static void names_are_remembered(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct machine *machine = machine_create(arena);
	struct target target = target_start("a) \n(b", make_nothing, NULL);
	const char *name = machine_command(machine, target.pid);

	(void)state;
	assert_string_equal(name, "a) \n(b");
	target_end(&target);
	assert_ptr_equal(machine_command(machine, target.pid), name);
	struct machine *later = machine_create(arena);
	assert_string_equal(machine_command(later, target.pid), "?");
	machine_destroy(later);
	machine_destroy(machine);
}

static void terminals(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct machine *machine = machine_create(arena);

	(void)state;
	assert_true(machine_is_tty(machine, makedev(136, 3)));
	assert_true(machine_is_tty(machine, makedev(137, 0)));
	assert_true(machine_is_tty(machine, makedev(5, 0)));
	assert_false(machine_is_tty(machine, makedev(1, 3)));
	machine_destroy(machine);
}

static void file_systems_in_mountinfo(void **state)
{
	static const char content[] =
		"25 28 0:20 / /dev/mqueue rw,nosuid - mqueue mqueue rw\n"
		"26 28 0:21 / /tmp/a\\040-\\040mqueue rw shared:1 - tmpfs tmpfs rw\n"
		"27 28 0:22 / /x rw - mqueuex x rw\n"
		"28 1 0:23";
	size_t length = sizeof(content) - 1;

	(void)state;
	assert_true(mountinfo_is(content, length, makedev(0, 20), "mqueue"));
	assert_false(mountinfo_is(content, length, makedev(0, 21), "mqueue"));
	assert_false(mountinfo_is(content, length, makedev(0, 22), "mqueue"));
	assert_true(mountinfo_has(content, length, 28));
	assert_false(mountinfo_has(content, length, 20));
	assert_false(mountinfo_has(NULL, 0, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_a_pipe_but_not_ourselves),
		cmocka_unit_test(names_are_remembered),
		cmocka_unit_test(terminals),
		cmocka_unit_test(file_systems_in_mountinfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
