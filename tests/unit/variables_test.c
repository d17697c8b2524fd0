// SPDX-License-Identifier: Apache-2.0
/* Variables of images that the compilers made, and of this process. */
#include "compile_fixture.h"

#include "live.h"
#include "symbolize/data_symbols.h"
#include "symbolize/variables.h"

static const char program[] =
	"struct { long a, b[4]; } shared = {1};\n"
	"static long only_here = 2;\n"
	"static long zero;\n"
	"long *counter(void) { static long count = 3; return &count; }\n"
	"int main(void) { return (int)(only_here + zero++ + ++*counter()); }\n";

static void assert_variable(
	struct data_symbols *symbols, uint64_t address, const char *name, const char *file)
{
	struct data_symbol found;

	if (!name) {
		assert_false(data_symbols_find(symbols, address, &found));
		return;
	}
	assert_true(data_symbols_find(symbols, address, &found));
	assert_string_equal(found.name, name);
	if (file)
		assert_string_equal(found.file, file);
	else
		assert_null(found.file);
}

static struct data_symbols *open_symbols(struct image *image, struct arena *arena)
{
	return data_symbols_create(image, NULL, arena);
}

static void variables_with_and_without_a_file(void **state)
{
	struct folder folder = folder_create();
	struct arena *arena cleanup_arena = arena_create();
	(void)state;

	folder_write(&folder, "app.c", program);
	assert_true(folder_run(&folder, NULL, "gcc -O0 -o app app.c"));
	uint64_t shared = nm_address(&folder, "app", "shared");
	uint64_t only_here = nm_address(&folder, "app", "only_here");
	struct image *image = folder_image(&folder, "app");
	struct data_symbols *symbols = open_symbols(image, arena);
	assert_variable(symbols, shared + 39, "shared", NULL);
	assert_variable(symbols, only_here, "only_here", "app.c");
	assert_variable(symbols, only_here + 7, "only_here", "app.c");
	assert_variable(symbols, nm_address(&folder, "app", "zero"), "zero", "app.c");
	assert_variable(symbols, nm_address(&folder, "app", "count.0"), "count", "app.c");
	assert_variable(symbols, nm_address(&folder, "app", "main"), NULL, NULL);
	assert_variable(symbols, 0, NULL, NULL);
	assert_variable(symbols, UINT64_MAX, NULL, NULL);
	data_symbols_destroy(symbols);
	image_destroy(image);
	folder_destroy(&folder);
}

static void a_stripped_program_has_what_it_exports(void **state)
{
	struct folder folder = folder_create();
	struct arena *arena cleanup_arena = arena_create();
	(void)state;

	folder_write(&folder, "lib.c", program);
	assert_true(folder_run(&folder, NULL,
		"gcc -O0 -shared -fPIC -o whole.so lib.c && "
		"strip -o stripped.so whole.so"));
	struct image *image = folder_image(&folder, "stripped.so");
	struct data_symbols *symbols = open_symbols(image, arena);
	assert_variable(symbols, nm_address(&folder, "whole.so", "shared") + 8, "shared", NULL);
	assert_variable(symbols, nm_address(&folder, "whole.so", "only_here"), NULL, NULL);
	data_symbols_destroy(symbols);
	image_destroy(image);
	/* Nothing at all. */
	assert_true(folder_run(&folder, NULL, "gcc -O0 -s -o bare lib.c"));
	image = folder_image(&folder, "bare");
	symbols = open_symbols(image, arena);
	assert_variable(symbols, nm_address(&folder, "whole.so", "shared"), NULL, NULL);
	data_symbols_destroy(symbols);
	image_destroy(image);
	folder_destroy(&folder);
}

static void variables_that_lie_over_each_other(void **state)
{
	struct folder folder = folder_create();
	struct arena *arena cleanup_arena = arena_create();
	(void)state;

	folder_write(&folder, "a.s",
		".data\n.globl _start\n_start:\n"
		".type outer, @object\nouter: .skip 8\n"
		".type inner, @object\ninner: .skip 8\n.size inner, 8\n .skip 16\n.size outer, 32\n"
		".type empty, @object\nempty: .skip 8\n");
	assert_true(folder_run(&folder, NULL, "gcc -nostdlib -no-pie -o over a.s 2>&1"));
	uint64_t outer = nm_address(&folder, "over", "outer");
	struct image *image = folder_image(&folder, "over");
	struct data_symbols *symbols = open_symbols(image, arena);
	assert_variable(symbols, outer, "outer", NULL);
	assert_variable(symbols, outer + 8, "inner", NULL);
	assert_variable(symbols, outer + 15, "inner", NULL);
	assert_variable(symbols, outer + 16, "outer", NULL);
	assert_variable(symbols, outer + 31, "outer", NULL);
	assert_variable(symbols, outer + 32, NULL, NULL);
	data_symbols_destroy(symbols);
	image_destroy(image);
	folder_destroy(&folder);
}

static long initialized[3] = {1};
static long zeroed[4096];

static void variables_of_this_process(void **state)
{
	struct live live;
	struct variable variable;
	(void)state;

	live_begin(&live, getpid());
	struct variable_names *names = variables_create(&live.process, live.modules, live.arena);
	assert_true(names->find(names, (uint64_t)(uintptr_t)&initialized[2], &variable));
	assert_string_equal(variable.name, "initialized");
	assert_string_equal(variable.file, "variables_test.c");
	assert_int_equal(variable.offset, 16);
	assert_null(variable.library);
	/* Beyond the file's last mapping. */
	assert_true(names->find(names, (uint64_t)(uintptr_t)&zeroed[4095], &variable));
	assert_string_equal(variable.name, "zeroed");
	assert_true(names->find(names, (uint64_t)(uintptr_t)stdout, &variable));
	assert_non_null(variable.library);
	assert_non_null(strstr(variable.library, "libc.so"));
	assert_false(names->find(names, (uint64_t)(uintptr_t)&live, &variable));
	assert_false(names->find(names, (uint64_t)(uintptr_t)live.arena, &variable));
	assert_false(names->find(names, (uint64_t)(uintptr_t)variables_of_this_process, &variable));
	assert_false(names->find(names, 0, &variable));
	assert_false(names->find(names, UINT64_MAX, &variable));
	live_end(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_with_and_without_a_file),
		cmocka_unit_test(a_stripped_program_has_what_it_exports),
		cmocka_unit_test(variables_that_lie_over_each_other),
		cmocka_unit_test(variables_of_this_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
