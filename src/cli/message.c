// SPDX-License-Identifier: Apache-2.0
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>

#include "util/error.h"
#include "util/text.h"

void message(const char *format, ...)
{
	struct text line cleanup_text = {0};
	va_list arguments;

	text_append(&line, "whystuck: ");
	va_start(arguments, format);
	text_append_vformat(&line, format, arguments);
	va_end(arguments);
	text_append(&line, "\n");
	fputs(line.bytes, stderr);
}

bool output_finish(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	/* without a number an earlier write failed, whose reason the stream doesn't keep */
	message("standard output: %s", errno ? error_errno(errno).reason : "not all was written");
	return false;
}
