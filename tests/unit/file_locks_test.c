// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "collect/file_locks.h"

static struct file_lock_lines parse(const char *content)
{
	struct file_lock_lines lines = {0};

	file_locks_parse(content, strlen(content), &lines);
	return lines;
}

static const char of_the_machine[] = "1: POSIX  ADVISORY  WRITE 3568 fe:00:2531452 0 EOF\n"
				     "2: FLOCK  ADVISORY  WRITE 3517 fe:00:2531448 0 EOF\n"
				     "2: -> FLOCK  ADVISORY  READ 3518 fe:00:2531448 0 EOF\n"
				     "2:    -> FLOCK  ADVISORY  WRITE 3519 fe:00:2531448 0 EOF\n"
				     "3: LEASE  ACTIVE    READ 3000 fe:00:7 0 EOF\n"
				     "4: OFDLCK ADVISORY  READ -1 00:06:1028 10 29\n"
				     "5: POSIX  *NOINODE* WRITE 2 <none>:0 0 EOF\n"
				     "6: nonsense";

static void what_the_machine_lists(void **state)
{
	struct file_lock_lines lines = parse(of_the_machine);

	(void)state;
	assert_int_equal(lines.count, 5);
	assert_int_equal(lines.items[0].kind, FILE_LOCK_POSIX);
	assert_true(lines.items[0].exclusive);
	assert_false(lines.items[0].blocked);
	assert_int_equal(lines.items[0].pid, 3568);
	assert_true(lines.items[0].device == makedev(0xfe, 0));
	assert_int_equal(lines.items[0].inode, 2531452);
	assert_int_equal(lines.items[0].first, 0);
	assert_true(lines.items[0].last == INT64_MAX);
	assert_true(lines.items[2].blocked);
	assert_false(lines.items[2].exclusive);
	assert_true(lines.items[3].blocked);
	assert_int_equal(lines.items[4].kind, FILE_LOCK_DESCRIPTION);
	assert_int_equal(lines.items[4].pid, -1);
	assert_int_equal(lines.items[4].first, 10);
	assert_int_equal(lines.items[4].last, 29);
	free(lines.items);
}

static void what_a_descriptor_has(void **state)
{
	struct file_lock_lines lines =
		parse("pos:\t0\nflags:\t0100002\nmnt_id:\t27\nino:\t5\n"
		      "lock:\t1: FLOCK  ADVISORY  WRITE 10681 fe:00:10971451 0 EOF\n");

	(void)state;
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.items[0].pid, 10681);
	free(lines.items);
}

static void malformed_lines_are_no_locks(void **state)
{
	static const char *const contents[] = {
		"",
		"1",
		"1: FLOCK",
		"1: FLOCK ADVISORY WRITE 9999999999999 fe:00:1 0 EOF",
		"1: FLOCK ADVISORY WRITE 9 fe:00:1 0",
		"1: FLOCK ADVISORY WRITE 9 fe:00:1 0 END",
		"1: FLOCK ADVISORY WRITE 9 fffffffff:00:1 0 EOF",
		"1: FLOCKS ADVISORY WRITE 9 fe:00:1 0 EOF",
		"1: FLOCK ADVISORY UNLCK 9 fe:00:1 0 EOF",
		"x: FLOCK ADVISORY WRITE 9 fe:00:1 0 EOF",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		assert_int_equal(parse(contents[i]).count, 0);
}

static const struct file_lock reader = {
	.kind = FILE_LOCK_FLOCK, .inode = 2531448, .last = INT64_MAX};

static void a_request_is_found_by_who_asks(void **state)
{
	struct file_lock_lines lines = parse(of_the_machine);
	struct file_lock wanted = reader;

	(void)state;
	wanted.device = makedev(0xfe, 0);
	assert_ptr_equal(file_locks_find_request(&lines, 3518, &wanted), &lines.items[2]);
	assert_null(file_locks_find_request(&lines, 3517, &wanted)); /* has it */
	assert_null(file_locks_find_request(&lines, 3519, &wanted)); /* asks for another kind */
	wanted.exclusive = true;
	assert_ptr_equal(file_locks_find_request(&lines, 3519, &wanted), &lines.items[3]);
	wanted.inode++;
	assert_null(file_locks_find_request(&lines, 3519, &wanted));
	free(lines.items);
}

static void another_device_will_do_if_it_is_one(void **state)
{
	struct file_lock_lines lines = parse("1: -> FLOCK  ADVISORY  READ 7 00:20:5 0 EOF\n"
					     "2: -> FLOCK  ADVISORY  READ 8 00:20:6 0 EOF\n"
					     "3: -> FLOCK  ADVISORY  READ 8 00:21:6 0 EOF\n");
	struct file_lock wanted = reader;

	(void)state;
	wanted.device = makedev(0, 0x30);
	wanted.inode = 5;
	assert_ptr_equal(file_locks_find_request(&lines, 7, &wanted), &lines.items[0]);
	wanted.inode = 6;
	assert_null(file_locks_find_request(&lines, 8, &wanted));
	free(lines.items);
}

static void what_blocks_what(void **state)
{
	struct file_lock_line request = {.kind = FILE_LOCK_POSIX,
		.blocked = true,
		.pid = 7,
		.inode = 5,
		.first = 100,
		.last = 159};
	struct file_lock_line held = {.kind = FILE_LOCK_POSIX,
		.exclusive = true,
		.pid = 8,
		.inode = 5,
		.first = 150,
		.last = INT64_MAX};

	(void)state;
	assert_true(file_lock_blocks(&held, &request, 7));
	held.exclusive = false; /* two readers */
	assert_false(file_lock_blocks(&held, &request, 7));
	request.exclusive = true;
	assert_true(file_lock_blocks(&held, &request, 7));
	held.first = 160;
	assert_false(file_lock_blocks(&held, &request, 7));
	held.first = 159;
	held.pid = 7; /* its own */
	assert_false(file_lock_blocks(&held, &request, 7));
	held.kind = FILE_LOCK_DESCRIPTION;
	assert_true(file_lock_blocks(&held, &request, 7));
	held.kind = FILE_LOCK_FLOCK;
	assert_false(file_lock_blocks(&held, &request, 7));
	held.kind = FILE_LOCK_POSIX;
	held.pid = 8;
	held.blocked = true;
	assert_false(file_lock_blocks(&held, &request, 7));
	held.blocked = false;
	held.inode++;
	assert_false(file_lock_blocks(&held, &request, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_machine_lists),
		cmocka_unit_test(what_a_descriptor_has),
		cmocka_unit_test(malformed_lines_are_no_locks),
		cmocka_unit_test(a_request_is_found_by_who_asks),
		cmocka_unit_test(another_device_will_do_if_it_is_one),
		cmocka_unit_test(what_blocks_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
