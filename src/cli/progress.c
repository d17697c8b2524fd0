// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/text.h"

#define INTERVAL_NS (200 * NS_PER_MS)
#define BAR 20

static void append_bar(struct text *line, int64_t passed_ns, int64_t all_ns)
{
	int64_t full = passed_ns >= all_ns ? BAR : passed_ns * BAR / all_ns;

	text_append(line, " [");
	for (int64_t i = 0; i < BAR; i++)
		text_append(line, i < full ? "=" : " ");
	text_append(line, "]");
}

/* Columns of the terminal; what is longer would scroll. */
static size_t width(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

void progress_show(struct progress *progress, int64_t passed_ns, int64_t all_ns, uint64_t looks,
	size_t threads)
{
	struct text line cleanup_text = {0};

	if (progress->shown_ns && passed_ns - progress->shown_ns < INTERVAL_NS)
		return;
	if (!isatty(STDERR_FILENO))
		return;
	progress->shown_ns = passed_ns;
	text_append_format(&line, "recording %.1f s", (double)passed_ns / (double)NS_PER_SECOND);
	if (all_ns) {
		text_append_format(&line, " of %g s", (double)all_ns / (double)NS_PER_SECOND);
		append_bar(&line, passed_ns, all_ns);
	}
	text_append_format(&line, " %" PRIu64 " looks, %zu thread%s%s", looks, threads,
		threads == 1 ? "" : "s", all_ns ? "" : "; Ctrl-C ends it");
	fprintf(stderr, "\r%.*s\033[K", (int)width() - 1, line.bytes);
}

void progress_end(struct progress *progress)
{
	if (progress->shown_ns)
		fputs("\r\033[K", stderr);
	progress->shown_ns = 0;
}
