// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "collect/fdinfo.h"

static struct fdinfo parse(struct arena *arena, const char *content)
{
	struct fdinfo info;

	fdinfo_parse(content, strlen(content), arena, &info);
	return info;
}

static void plain_file(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct fdinfo info =
		parse(arena, "pos:\t89\nflags:\t0100001\nmnt_id:\t27\nino:\t10952840\n");

	(void)state;
	assert_int_equal(info.position, 89);
	assert_int_equal(info.flags, 0100001);
	assert_int_equal(info.mount, 27);
	assert_false(info.has_pid);
	assert_int_equal(info.clock, -1);
}

static void eventfd_counts_in_hexadecimal(void **state)
{
	struct arena *arena cleanup_arena = arena_create();

	(void)state;
	assert_int_equal(parse(arena, "eventfd-count:               1f\n").counter, 31);
	assert_true(parse(arena, "eventfd-count: fffffffffffffffe\n").counter == UINT64_MAX - 1);
}

static void what_files_have_in_common(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct fdinfo info = parse(arena, "eventfd-count: 0\neventfd-id: 12\n");

	(void)state;
	assert_int_equal(info.eventfd_id, 12);
	assert_int_equal(info.tty_index, -1);
	assert_int_equal(info.fuse_connection, -1);
	assert_int_equal(parse(arena, "tty-index:\t0\n").tty_index, 0);
	assert_int_equal(parse(arena, "fuse_connection:\t39\n").fuse_connection, 39);
	assert_int_equal(parse(arena, "tty-index:\t-3\neventfd-id: x\n").tty_index, -1);
}

static void timer_armed_with_interval(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct fdinfo info = parse(arena, "clockid: 1\nticks: 3\nsettime flags: 00\n"
					  "it_value: (2, 100000000)\nit_interval: (5, 0)\n");

	(void)state;
	assert_int_equal(info.clock, 1);
	assert_int_equal(info.ticks, 3);
	assert_int_equal(info.value_ns, 2100000000LL);
	assert_int_equal(info.interval_ns, 5000000000LL);
}

static void timer_that_never_fires_overflows_nothing(void **state)
{
	struct arena *arena cleanup_arena = arena_create();

	(void)state;
	assert_true(parse(arena, "it_value: (18446744073709551615, 999999999)\n").value_ns ==
		    INT64_MAX);
	assert_true(parse(arena, "it_value: (9223372036, 999999999)\n").value_ns == INT64_MAX);
	assert_int_equal(parse(arena, "it_value: (1\n").value_ns, 0);
}

static void signal_set(void **state)
{
	struct arena *arena cleanup_arena = arena_create();

	(void)state;
	assert_int_equal(parse(arena, "sigmask:\t0000000000004002\n").signals,
		1U << (SIGINT - 1) | 1U << (SIGTERM - 1));
}

static void pidfd_of_an_ended_process(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct fdinfo info = parse(arena, "Pid:\t-1\nNSpid:\t-1\n");

	(void)state;
	assert_true(info.has_pid);
	assert_int_equal(info.pid, -1);
}

static void epoll_lists_what_it_watches_by_number(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct fdinfo info = parse(arena,
		"pos:\t0\n"
		"tfd:        6 events:       1f data:     7f6600000006  pos:0 ino:54df sdev:f\n"
		"tfd:  1048575 events: 80000001 data:                0  pos:0 ino:2 sdev:f\n"
		"tfd: nonsense\n"
		"tfd:        7 events:        4 data:                0");

	(void)state;
	assert_int_equal(info.watched_count, 3);
	assert_int_equal(info.watched[0].fd, 6);
	assert_int_equal(info.watched[0].events, 0x1f);
	assert_int_equal(info.watched[0].inode, 0x54df);
	assert_int_equal(info.watched[1].fd, 7);
	assert_int_equal(info.watched[1].inode, 0);
	assert_int_equal(info.watched[2].fd, 1048575);
	assert_true(info.watched[2].events == (EPOLLET | EPOLLIN));
}

static void long_and_empty_content(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	char content[1000];
	struct fdinfo info;

	(void)state;
	memset(content, '9', sizeof(content));
	memcpy(content, "pos:\t", 5);
	memcpy(content + 990, "\npos:\t7", 7);
	fdinfo_parse(content, 997, arena, &info);
	assert_int_equal(info.position, 7);
	fdinfo_parse(NULL, 0, arena, &info);
	assert_int_equal(info.watched_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_file),
		cmocka_unit_test(eventfd_counts_in_hexadecimal),
		cmocka_unit_test(what_files_have_in_common),
		cmocka_unit_test(timer_armed_with_interval),
		cmocka_unit_test(timer_that_never_fires_overflows_nothing),
		cmocka_unit_test(signal_set),
		cmocka_unit_test(pidfd_of_an_ended_process),
		cmocka_unit_test(epoll_lists_what_it_watches_by_number),
		cmocka_unit_test(long_and_empty_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
