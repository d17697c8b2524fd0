// SPDX-License-Identifier: Apache-2.0
#include "cli/message.h"

#include <stdio.h>

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
