// SPDX-License-Identifier: Apache-2.0
/* whystuck: where every thread of a process is, what it waits for, and on whom. */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/record.h"
#include "cli/show.h"
#include "top/top.h"
#include "util/memory.h"

/*
 * Takes the numbers of standard streams that the caller has closed, so that no file that is opened
 * later gets one of them and is written to; writing to these fails.
 */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return;
	}
}

/* What the first word may be. Each runs with that for the program's name; its exit status. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"record", record_command},
	{"show", show_command},
	{"top", top_command},
};

int main(int argc, char **argv)
{
	fill_standard_streams();
	memory_prepare();
	memory_expect_exhaustion();
	signal(SIGPIPE, SIG_IGN); /* a reader that is gone is a write error like any other */
	for (size_t i = 0; argc > 1 && i < array_length(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return show_command(argc, argv);
}
