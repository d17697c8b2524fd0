// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/text.h"

/* The same by the library. */
#define assert_format(...)                                                                         \
	do {                                                                                       \
		struct text text cleanup_text = {0};                                               \
		char expected[512];                                                                \
                                                                                                   \
		text_append_format(&text, __VA_ARGS__);                                            \
		snprintf(expected, sizeof(expected), __VA_ARGS__);                                 \
		assert_string_equal(text.bytes, expected);                                         \
		assert_int_equal(text.length, strlen(expected));                                   \
	} while (0)

static void numbers_read_as_printf_has_them(void **state)
{
	(void)state;
	assert_format("%d %d %d %d", 0, -1, INT_MIN, INT_MAX);
	assert_format("%u %x %u %x", 0U, 0U, UINT_MAX, UINT_MAX);
	assert_format("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	assert_format("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 0x123456789abcdefULL);
	assert_format("0x%" PRIx64 " %" PRIu64 " %" PRIx32, UINT64_MAX, UINT64_MAX, 0xdeadbeef);
}

static void what_is_not_written_here_is_left_to_printf(void **state)
{
	(void)state;
	assert_format("%s %d %zu %d %s", "before", 1, (size_t)2, 3, "after");
	assert_format("%.1f s, %d", 4.25, 7);
	assert_format("%*s|%-5d|%05x|%c", 3, "", 1, 0xabU, 'x');
	assert_format("%d %% %s", 100, "%d");
	assert_format("%hhu %hd %#x %+d", (unsigned char)200, (short)-2, 0x10U, 3);
	assert_format("plain");
}

static void a_long_text_grows(void **state)
{
	struct text text cleanup_text = {0};
	(void)state;

	for (int i = 0; i < 1000; i++)
		text_append_format(&text, "%s-%d;", "word", i);
	assert_int_equal(text.length, 10 * 7 + 90 * 8 + 900 * 9);
	assert_string_equal(text.bytes + text.length - 9, "word-999;");
}

static void a_number_has_digits_of_its_base(void **state)
{
	struct text text cleanup_text = {0};
	(void)state;

	text_append_number(&text, UINT64_MAX, 2);
	assert_int_equal(text.length, 64);
	text_clear(&text);
	text_append_number(&text, 0755, 8);
	assert_string_equal(text.bytes, "755");
	text_clear(&text);
	text_append_number(&text, 0, 16);
	assert_string_equal(text.bytes, "0");
}

static void what_is_plain_between_escapes_stays(void **state)
{
	static const char raw[] = "a\nb\\c\xff\xc3\xa4\tend";
	struct text text cleanup_text = {0};
	(void)state;

	text_append_escaped(&text, raw, sizeof(raw) - 1);
	assert_string_equal(text.bytes, "a\\nb\\\\c\\xff\xc3\xa4\\tend");
	text_clear(&text);
	text_append_escaped(&text, "\xe2\x80\xae", 3);
	assert_string_equal(text.bytes, "\\xe2\\x80\\xae");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_read_as_printf_has_them),
		cmocka_unit_test(what_is_not_written_here_is_left_to_printf),
		cmocka_unit_test(a_long_text_grows),
		cmocka_unit_test(a_number_has_digits_of_its_base),
		cmocka_unit_test(what_is_plain_between_escapes_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
