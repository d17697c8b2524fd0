// SPDX-License-Identifier: Apache-2.0
/* whystuck: where every thread of a process is, what it waits for, and on whom. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/show.h"
#include "util/memory.h"

/*
 * Takes the numbers of standard streams that the caller has closed, so that no file that is opened
 * later gets one of them and is written to; writing to these fails.
 */
static void fill_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options options;
	int status = 2;

	fill_standard_streams();
	mallopt(M_ARENA_MAX,
		1); /* threads take turns here: more heaps would only take time and room */
	/* Nor is it worth a system call to give a little back, or a mapping for what is used shortly.
	 */
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	mallopt(M_TOP_PAD, 512 * 1024);
	memory_expect_exhaustion();
	signal(SIGPIPE, SIG_IGN); /* a reader that is gone is a write error like any other */
	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_LOOK:
		status = show(&options);
		break;
	case OPTIONS_DONE:
		status = output_finish() ? 0 : 1;
		break;
	case OPTIONS_WRONG:
		break;
	}
	options_deinit(&options);
	return status;
}
