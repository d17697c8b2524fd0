// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbolize/demangle.h"
#include "util/memory.h"
#include "util/text.h"

static void assert_demangled(const char *name, const char *shown)
{
	struct arena *arena cleanup_arena = arena_create();

	assert_string_equal(demangle(name, arena), shown);
}

static void cpp_names_lose_their_parameters_and_keep_their_templates(void **state)
{
	(void)state;
	assert_demangled("_ZN3fooEv", "foo");
	assert_demangled("_ZN2ns3BoxIiE6methodEi", "ns::Box<int>::method");
	assert_demangled("_ZN12_GLOBAL__N_13barEi", "(anonymous namespace)::bar");
	assert_demangled("_ZNK3FoocviEv", "Foo::operator int");
	assert_demangled("_ZNSt6vectorIiSaIiEE9push_backERKi",
		"std::vector<int, std::allocator<int> >::push_back");
	assert_demangled("_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()");
}

static void what_the_compiler_appended_stays(void **state)
{
	(void)state;
	assert_demangled("_ZN3fooEv.constprop.0", "foo.constprop.0");
	assert_demangled("_ZN2ns3runEi.cold", "ns::run.cold");
	assert_demangled("read_all.part.0", "read_all.part.0");
}

static void rust_names_lose_their_hash(void **state)
{
	(void)state;
	assert_demangled("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write");
	assert_demangled("_ZN1r5inner10S$LT$T$GT$3get17hc90cab8fb370a09dE", "r::inner::S<T>::get");
	assert_demangled("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	assert_demangled("_RNvCs1234_7mycrate3foo.llvm.123", "mycrate::foo");
}

static void d_names_lose_their_parameters(void **state)
{
	(void)state;
	assert_demangled("_D3foo3barFiZv", "foo.bar");
	assert_demangled("_D3std5stdio__T7writelnTAyaZQnFNfQhZv",
		"std.stdio.writeln!(immutable(char)[]).writeln");
	assert_demangled("_Dmain", "D main");
}

static void what_is_not_mangled_is_shown_as_it_is(void **state)
{
	static const char *const names[] = {"main", "__read", "_start", "_Z", "_ZN", "_R", "_D", "",
		"_", "_Dfoo", "_ZN71_LT", "_ZN4core3fmt5write17h", "main.main", "_Zebra", "?Foo@@",
		"_R\377\376", "_Z\n"};
	(void)state;

	for (size_t i = 0; i < array_length(names); i++)
		assert_demangled(names[i], names[i]);
}

/* "b<S, S>" of itself, 36 times: a name of 64 GiB in 400 bytes. */
static void a_name_that_explodes_is_shown_as_it_is(void **state)
{
	struct text name cleanup_text = {0};
	char id[8] = "S_";
	(void)state;

	text_append(&name, "_Z1fI1bIiiE");
	for (int i = 0; i < 36; i++) {
		text_append_format(&name, "S_I%s%sE", id, id);
		snprintf(id, sizeof(id), i < 10 ? "S%d_" : "S%c_", i < 10 ? i : 'A' + i - 10);
	}
	text_append(&name, "E");
	alarm(20);
	assert_demangled(name.bytes, name.bytes);
	alarm(0);
}

static void names_nested_without_end_are_bounded(void **state)
{
	static const char *const openings[] = {"P", "Fv", "1aI", "N", "K", "T", "DpT_", "X", "J"};
	(void)state;

	for (size_t i = 0; i < array_length(openings); i++) {
		for (size_t length = 1000; length < SYMBOL_NAME_LIMIT; length *= 4) {
			struct text name cleanup_text = {0};
			struct arena *arena cleanup_arena = arena_create();

			text_append(&name, "_Z1fI");
			while (name.length < length)
				text_append(&name, openings[i]);
			text_append(&name, "iE");
			assert_true(strlen(demangle(name.bytes, arena)) <= 128 * 1024);
		}
	}
}

/* References back to what contains them, and a type that binds 62^10 lifetimes. */
static void rust_names_without_end_are_shown_as_they_are(void **state)
{
	static const char *const names[] = {"_RNvB_3foo", "_RINvNtC3foo3barB0_E", "_RNvMTB3_EB_",
		"_RNvXs0_NvXDGzzzzzzzzzz_C3stdEL_C3fooC3bar3baz",
		"_RNvXNvXFGzzzzzzzzzz_EuC3fooC3barC3baz4quux"};
	struct arena *arena cleanup_arena = arena_create();
	(void)state;

	alarm(20);
	for (size_t i = 0; i < array_length(names); i++)
		assert_non_null(demangle(names[i], arena));
	alarm(0);
	assert_demangled(names[3], names[3]);
	assert_demangled(names[4], names[4]);
}

/* Tuples of two references back to a tuple of two references, and so on. */
static void d_names_with_many_references_are_shown_as_they_are(void **state)
{
	struct text name cleanup_text = {0};
	(void)state;

	text_append(&name, "_D3foo3barFAya");
	for (int i = 0; i < 60; i++)
		text_append(&name, "B2QdQf");
	text_append(&name, "Zv");
	assert_demangled(name.bytes, name.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpp_names_lose_their_parameters_and_keep_their_templates),
		cmocka_unit_test(what_the_compiler_appended_stays),
		cmocka_unit_test(rust_names_lose_their_hash),
		cmocka_unit_test(d_names_lose_their_parameters),
		cmocka_unit_test(what_is_not_mangled_is_shown_as_it_is),
		cmocka_unit_test(a_name_that_explodes_is_shown_as_it_is),
		cmocka_unit_test(names_nested_without_end_are_bounded),
		cmocka_unit_test(rust_names_without_end_are_shown_as_they_are),
		cmocka_unit_test(d_names_with_many_references_are_shown_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
