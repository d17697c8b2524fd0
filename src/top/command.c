// SPDX-License-Identifier: Apache-2.0
/* The command line of `whystuck top`. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "top/interval.h"
#include "top/top.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/text.h"

static const char letters[] = "-:akt:s:gn:d:c:hV";

static const struct option long_options[] = {
	{"all", no_argument, NULL, 'a'},
	{"kernel-threads", no_argument, NULL, 'k'},
	{"thread", required_argument, NULL, 't'},
	{"state", required_argument, NULL, 's'},
	{"delay", required_argument, NULL, 'd'},
	{"columns", required_argument, NULL, 'c'},
	{"goroutines", no_argument, NULL, 'g'},
	{"no-goroutines", no_argument, NULL, OPTION_NO_GOROUTINES},
	{"runtime-frames", no_argument, NULL, OPTION_RUNTIME_FRAMES},
	{"max-frames", required_argument, NULL, 'n'},
	{"no-kernel", no_argument, NULL, OPTION_NO_KERNEL},
	{"no-user", no_argument, NULL, OPTION_NO_USER},
	{"lines", no_argument, NULL, OPTION_LINES},
	{"no-lines", no_argument, NULL, OPTION_NO_LINES},
	{"stop", required_argument, NULL, OPTION_STOP},
	{"color", required_argument, NULL, OPTION_COLOR},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static const char help_head[] =
	"Usage: whystuck top [OPTION]... [TARGET]...\n"
	"Show the threads of the targets, or of the whole machine, live: what hurts most\n"
	"first, what each waits for, and on whom. ? lists the keys.\n"
	"\n"
	"TARGET is a PID or a process name, looked for anew each time.\n"
	"\n"
	"  -d, --delay=SECONDS    time between looks: 1 unless told, from 0.1 to 3600\n"
	"  -c, --columns=LIST     these columns, with commas between them:\n";

static const char help_tail[] =
	"  -a, --all              every process of the machine, as without a TARGET\n"
	"  -k, --kernel-threads   with all: kernel threads too\n"
	"  -t, --thread=TID       only this thread; may be repeated\n"
	"  -s, --state=STATES     only threads in these states\n"
	"      --no-goroutines, --runtime-frames, -n, --max-frames=N, --no-kernel,\n"
	"      --no-user, --lines, --no-lines, --color=WHEN, --stop=HOW\n"
	"                         as whystuck --help tells\n"
	"\n"
	"  -h, --help             show this\n"
	"  -V, --version          show the version\n"
	"\n"
	"Exit status: 0 it was ended, 2 there is no terminal or no such target.\n";

static void print_help(void)
{
	fputs(help_head, stdout);
	for (int i = 0; i < COLUMNS; i++)
		printf("      %-8s %s\n", column_table[i].name, column_table[i].summary);
	fputs(help_tail, stdout);
}

static bool owns(int option)
{
	return option == 'd' || option == 'c';
}

static enum options_outcome set_columns(struct top_options *top_options, const char *value)
{
	struct text culprit cleanup_text = {0};
	const char *word;
	size_t length;

	if (columns_parse(value, &top_options->columns, &word, &length))
		return OPTIONS_LOOK;
	text_append_bytes(&culprit, word, length);
	return options_wrong("no column, or one that was named already",
		culprit.bytes ? culprit.bytes : "", "whystuck top --help lists them");
}

static enum options_outcome take(struct options *options, int option, const char *value)
{
	struct top_options *top_options = (struct top_options *)options;

	if (option == 'c')
		return set_columns(top_options, value);
	if (interval_parse(value, &top_options->interval_ns))
		return OPTIONS_LOOK;
	return options_wrong("no delay", value, "-d takes seconds from 0.1 to 3600");
}

static const struct command command_top = {
	.name = "top",
	.letters = letters,
	.long_options = long_options,
	.all_without_target = true,
	.print_help = print_help,
	.owns = owns,
	.take = take,
};

int top_command(int argc, char **argv)
{
	struct top_options top_options = {.interval_ns = NS_PER_SECOND};

	/* take() gets at what surrounds the options that it is given */
	_Static_assert(offsetof(struct top_options, options) == 0, "the options stand first");
	columns_default(&top_options.columns);
	enum options_outcome outcome =
		options_parse(&command_top, &top_options.options, argc, argv);
	int status = outcome == OPTIONS_LOOK ? top_run(&top_options) : options_status(outcome);
	options_deinit(&top_options.options);
	return status;
}
