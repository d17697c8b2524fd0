// SPDX-License-Identifier: Apache-2.0
/*
 * Golden outputs: files under tests/unit/golden/, compared byte by byte. With
 * UPDATE_GOLDEN set in the environment they are written anew instead.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"

static inline void assert_golden(const char *name, const char *output)
{
	struct text expected cleanup_text = {0};
	char path[200];

	snprintf(path, sizeof(path), "tests/unit/golden/%s", name);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fputs(output, file) >= 0);
		assert_int_equal(fclose(file), 0);
		return;
	}
	assert_null(file_read(AT_FDCWD, path, 1 << 20, &expected).reason);
	assert_string_equal(output, expected.bytes);
}
