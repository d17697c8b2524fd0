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
#include "collect/sysv.h"
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

static const char mounts[] =
	"21 1 254:0 / / rw,relatime - ext4 /dev/vda1 rw\n"
	"60 21 0:50 / /srv/a\\040b rw shared:3 - nfs4 10.0.0.7:/x rw,vers=4.2,addr=10.0.0.7,x=1\n"
	"61 21 0:39 / /srv/f rw,nosuid - fuse.sshfs me@host: rw,user_id=0\n"
	"62 61 0:40 / /srv/f rw - tmpfs none rw\n"
	"nonsense\n"
	"63 21 0:41 / /srv/f";

static void assert_on(const char *path, const char *type)
{
	struct mount_facts facts;

	assert_true(mountinfo_find_path(mounts, strlen(mounts), path, &facts));
	assert_int_equal(facts.type_length, strlen(type));
	assert_memory_equal(facts.type, type, strlen(type));
}

static void which_file_system_a_path_lies_on(void **state)
{
	struct mount_facts facts;

	(void)state;
	assert_on("/", "ext4");
	assert_on("/srv/a", "ext4");
	assert_on("/srv/a b", "nfs4");
	assert_on("/srv/a b/c", "nfs4");
	assert_on("/srv/a bc", "ext4");
	assert_on("/srv/f/x", "tmpfs"); /* it covers what was mounted before */
	assert_false(mountinfo_find_path(mounts, strlen(mounts), "srv", &facts));
	assert_false(mountinfo_find_path(NULL, 0, "/", &facts));
	assert_true(mountinfo_find_device(mounts, strlen(mounts), makedev(0, 39), &facts));
	assert_memory_equal(facts.type, "fuse.sshfs", 10);
	assert_false(mountinfo_find_device(mounts, strlen(mounts), makedev(0, 41), &facts));
}

static void the_address_of_a_server(void **state)
{
	struct mount_facts facts;
	const char *value;

	(void)state;
	assert_true(mountinfo_find_path(mounts, strlen(mounts), "/srv/a b", &facts));
	assert_int_equal(mountinfo_option(facts.options, facts.options_length, "addr", &value), 8);
	assert_memory_equal(value, "10.0.0.7", 8);
	assert_int_equal(mountinfo_option(facts.options, facts.options_length, "x", &value), 1);
	assert_int_equal(
		mountinfo_option(facts.options, facts.options_length, "vers=4", &value), 0);
	assert_int_equal(mountinfo_option(NULL, 0, "addr", &value), 0);
	assert_int_equal(mountinfo_option("addr=", 5, "addr", &value), 0);
}

static void users_of_a_queue(void **state)
{
	static const char content[] =
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid\n"
		"         0          7   600          64          1  4243     0     0\n"
		"        -5          8   666          64          1     9    10     0\n"
		"         0          9   600          64          1  4243\n";
	struct sysv_queue queue;

	(void)state;
	assert_true(sysv_parse_queue(content, strlen(content), 7, &queue));
	assert_int_equal(queue.sender, 4243);
	assert_int_equal(queue.receiver, 0);
	assert_true(sysv_parse_queue(content, strlen(content), 8, &queue));
	assert_int_equal(queue.receiver, 10);
	assert_false(sysv_parse_queue(content, strlen(content), 9, &queue));
	assert_false(sysv_parse_queue(content, strlen(content), 600, &queue));
	assert_false(sysv_parse_queue(NULL, 0, 7, &queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_a_pipe_but_not_ourselves),
		cmocka_unit_test(names_are_remembered),
		cmocka_unit_test(terminals),
		cmocka_unit_test(file_systems_in_mountinfo),
		cmocka_unit_test(which_file_system_a_path_lies_on),
		cmocka_unit_test(the_address_of_a_server),
		cmocka_unit_test(users_of_a_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
