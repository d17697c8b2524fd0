// SPDX-License-Identifier: Apache-2.0
#include "util/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>

#define SIGNALS 64 /* _NSIG of include/uapi/asm-generic/signal.h, x86 and arm64 alike */

void text_append_signal(struct text *text, int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		text_append(text, name);
	else if (number == SIGRTMIN)
		text_append(text, "RTMIN");
	else if (number > SIGRTMIN && number <= SIGNALS)
		text_append_format(text, "RTMIN+%d", number - SIGRTMIN);
	else
		text_append_format(text, "%d", number);
}

void text_append_signals(struct text *text, uint64_t mask)
{
	bool inverted = __builtin_popcountll(mask) > SIGNALS / 2;
	const char *separator = "";

	if (inverted) {
		mask = ~mask;
		text_append(text, "all");
		separator = " but ";
	} else if (!mask) {
		text_append(text, "none");
	}
	for (int number = 1; number <= SIGNALS; number++) {
		if (!(mask >> (number - 1) & 1))
			continue;
		text_append(text, separator);
		text_append_signal(text, number);
		separator = " ";
	}
}
