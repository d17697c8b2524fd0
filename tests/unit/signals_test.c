// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "util/signals.h"

#define BIT(number) (UINT64_C(1) << ((number)-1))

static void expect(uint64_t mask, const char *expected)
{
	struct text text cleanup_text = {0};

	text_append_signals(&text, mask);
	assert_string_equal(text.bytes, expected);
}

static void sets(void **state)
{
	(void)state;
	expect(0, "none");
	expect(BIT(SIGINT) | BIT(SIGTERM), "INT TERM");
	expect(~UINT64_C(0), "all");
	expect(~(BIT(SIGKILL) | BIT(SIGSTOP)), "all but KILL STOP");
	expect(BIT(32) | BIT(33) | BIT(34) | BIT(37) | BIT(64), "32 33 RTMIN RTMIN+3 RTMIN+30");
}

static void numbers_without_a_name(void **state)
{
	struct text text cleanup_text = {0};

	(void)state;
	text_append_signal(&text, 0);
	text_append(&text, " ");
	text_append_signal(&text, 65);
	text_append(&text, " ");
	text_append_signal(&text, -1);
	assert_string_equal(text.bytes, "0 65 -1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(numbers_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
