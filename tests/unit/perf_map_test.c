// SPDX-License-Identifier: Apache-2.0
#include "elf/root.h"
#include "compile_fixture.h"

#include <sys/stat.h>

#include "symbolize/perf_map.h"

static const uint64_t addresses[] = {0x1000, 0x1008, 0x2000, 0x2fff, 0x3000, 0x7f0000000000};
#define COUNT array_length(addresses)

static void parse(const char *content, size_t piece, struct symbol *symbols, struct arena *arena)
{
	struct perf_map map;
	size_t length = strlen(content);

	perf_map_init(&map, addresses, COUNT);
	for (size_t at = 0; at < length; at += piece)
		perf_map_feed(&map, content + at, length - at < piece ? length - at : piece);
	perf_map_finish(&map, symbols, arena);
}

static void assert_names(const char *content, const char *const names[COUNT])
{
	static const size_t pieces[] = {1, 2, 7, 1 << 20};

	for (size_t i = 0; i < array_length(pieces); i++) {
		struct arena *arena cleanup_arena = arena_create();
		struct symbol symbols[COUNT];

		parse(content, pieces[i], symbols, arena);
		for (size_t j = 0; j < COUNT; j++) {
			if (names[j])
				assert_string_equal(symbols[j].name, names[j]);
			else
				assert_null(symbols[j].name);
		}
	}
}

static void lines_name_the_addresses_that_they_cover(void **state)
{
	(void)state;
	assert_names("1000 8 first\n"
		     "0x2000 0x1000 LazyCompile:~second /a b/c.js:1:2\n"
		     "7f0000000000 1 _ZN2ns5thirdEv\n",
		(const char *const[COUNT]){"first", NULL, "LazyCompile:~second /a b/c.js:1:2",
			"LazyCompile:~second /a b/c.js:1:2", NULL, "ns::third"});
}

static void the_last_line_needs_no_newline(void **state)
{
	(void)state;
	assert_names("1000 10 first", (const char *const[COUNT]){"first", "first"});
}

static void a_later_line_overrules_an_earlier_one_where_they_overlap(void **state)
{
	(void)state;
	assert_names("1000 10 old\n2000 1000 moved\n1008 8 new\n",
		(const char *const[COUNT]){"old", "new", "moved", "moved"});
}

static void the_start_is_that_of_the_line(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct symbol symbols[COUNT];
	(void)state;

	parse("ff0 100 early\n", 64, symbols, arena);
	assert_int_equal(symbols[1].start, 0xff0);
}

static void lines_that_are_none_are_passed_over(void **state)
{
	(void)state;
	assert_names(
		"\n\n1000\n1000 8\n1000 8 \nxyz 8 a\n1000 g b\n-1000 8 c\n1000  \n"
		"10000000000001000 8 too_long\n1000 ffffffffffffffff wraps\n0x 8 d\n1000\t8\te\n"
		"3000 1 good\n1000 0 empty\n",
		(const char *const[COUNT]){NULL, NULL, NULL, NULL, "good"});
}

static void a_line_of_a_megabyte_is_cut(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct symbol symbols[COUNT];
	struct text content cleanup_text = {0};
	(void)state;

	text_append(&content, "1000 8 ");
	while (content.length < 1 << 20)
		text_append(&content, "long");
	text_append(&content, "\n3000 8 next\n");
	parse(content.bytes, 1000, symbols, arena);
	assert_true(strlen(symbols[0].name) < 5000);
	assert_string_equal(symbols[0].name + strlen(symbols[0].name) - strlen("…"), "…");
	assert_string_equal(symbols[4].name, "next");
}

/* Each line covers all addresses: what would be squared must stay linear. */
static void a_million_overlapping_lines_take_no_minutes(void **state)
{
	const size_t count = 20000;
	uint64_t *many = allocate(count * sizeof(*many));
	struct symbol *symbols = allocate(count * sizeof(*symbols));
	struct arena *arena cleanup_arena = arena_create();
	struct perf_map map;
	(void)state;

	for (size_t i = 0; i < count; i++)
		many[i] = 0x1000 + i;
	perf_map_init(&map, many, count);
	alarm(60);
	for (int i = 0; i < 1000000; i++) {
		char line[64];

		perf_map_feed(
			&map, line, (size_t)snprintf(line, sizeof(line), "0 100000 n%d\n", i));
	}
	perf_map_finish(&map, symbols, arena);
	alarm(0);
	assert_string_equal(symbols[0].name, "n999999");
	assert_string_equal(symbols[count - 1].name, "n999999");
	free(many);
	free(symbols);
}

/* The names that a process with this root gets from its map; gaps are counted. */
static size_t find(const struct folder *folder, uid_t uid, const char **name, struct arena *arena)
{
	struct process process = {.pid = 999999, .namespace_pid = 7, .uid = uid};
	struct symbol symbols[COUNT];
	size_t gaps = 0;

	struct root root = {
		.directory = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC), .sought = true};
	perf_map_find(&process, &root, addresses, COUNT, symbols, arena);
	root_deinit(&root);
	*name = symbols[0].name;
	for_each_gap (gap, &process.gaps) {
		print_message("gap: %s\n", gap->reason);
		gaps++;
	}
	return gaps;
}

static void a_map_is_sought_under_the_targets_root_by_its_own_pid(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct folder folder = folder_create();
	const char *name;
	(void)state;

	assert_int_equal(find(&folder, getuid(), &name, arena), 0);
	assert_null(name);
	assert_true(folder_run(&folder, NULL, "mkdir tmp && echo 1000 8 found >tmp/perf-7.map"));
	assert_int_equal(find(&folder, getuid(), &name, arena), 0);
	assert_string_equal(name, "found");
	folder_destroy(&folder);
}

static void a_map_that_is_no_file_is_a_gap_and_is_not_opened(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct folder folder = folder_create();
	const char *name;
	(void)state;

	assert_true(folder_run(&folder, NULL, "mkdir tmp && mkfifo tmp/perf-7.map"));
	alarm(20);
	assert_int_equal(find(&folder, getuid(), &name, arena), 1);
	alarm(0);
	assert_null(name);
	folder_destroy(&folder);
}

static void a_map_of_somebody_else_is_not_believed(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct folder folder = folder_create();
	const char *name;
	(void)state;

	if (getuid() != 0) {
		print_message("left out: only root can give files away\n");
		skip();
	}
	assert_true(folder_run(&folder, NULL,
		"mkdir tmp && echo 1000 8 forged >tmp/perf-7.map && chown 65533 tmp/perf-7.map"));
	assert_int_equal(find(&folder, 65532, &name, arena), 1);
	assert_null(name);
	assert_int_equal(find(&folder, 65533, &name, arena), 0);
	assert_string_equal(name, "forged");
	folder_destroy(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_name_the_addresses_that_they_cover),
		cmocka_unit_test(the_last_line_needs_no_newline),
		cmocka_unit_test(a_later_line_overrules_an_earlier_one_where_they_overlap),
		cmocka_unit_test(the_start_is_that_of_the_line),
		cmocka_unit_test(lines_that_are_none_are_passed_over),
		cmocka_unit_test(a_line_of_a_megabyte_is_cut),
		cmocka_unit_test(a_million_overlapping_lines_take_no_minutes),
		cmocka_unit_test(a_map_is_sought_under_the_targets_root_by_its_own_pid),
		cmocka_unit_test(a_map_that_is_no_file_is_a_gap_and_is_not_opened),
		cmocka_unit_test(a_map_of_somebody_else_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
