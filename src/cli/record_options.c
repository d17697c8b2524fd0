// SPDX-License-Identifier: Apache-2.0
#include "cli/record_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/text.h"

#define RATE_DEFAULT 99 /* not in step with what happens a hundred times a second */
#define RATE_LEAST 0.001
#define RATE_MOST 1000
#define SECONDS_LEAST 0.001
#define SECONDS_MOST 1e9

static const struct option record_long_options[] = {
	{"all", no_argument, NULL, 'a'},
	{"kernel-threads", no_argument, NULL, 'k'},
	{"thread", required_argument, NULL, 't'},
	{"state", required_argument, NULL, 's'},
	{"duration", required_argument, NULL, 'd'},
	{"frequency", required_argument, NULL, 'F'},
	{"output", required_argument, NULL, 'o'},
	{"format", required_argument, NULL, 'f'},
	{"goroutines", no_argument, NULL, 'g'},
	{"no-goroutines", no_argument, NULL, OPTION_NO_GOROUTINES},
	{"runtime-frames", no_argument, NULL, OPTION_RUNTIME_FRAMES},
	{"no-kernel", no_argument, NULL, OPTION_NO_KERNEL},
	{"no-user", no_argument, NULL, OPTION_NO_USER},
	{"lines", no_argument, NULL, OPTION_LINES},
	{"no-lines", no_argument, NULL, OPTION_NO_LINES},
	{"stop", required_argument, NULL, OPTION_STOP},
	{"max-frames", required_argument, NULL, 'n'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static const char help_head[] =
	"Usage: whystuck record [OPTION]... TARGET...\n"
	"Look again and again where every thread is, running or waiting, and write how\n"
	"often, and for how long, each place was met. It ends after -d seconds, with\n"
	"Ctrl-C or SIGTERM, or when none of the targets is left; what there is by then is\n"
	"written.\n"
	"\n"
	"TARGET is a PID or a process name: then every process of that name, those too\n"
	"that are started meanwhile.\n"
	"\n"
	"How long, and how often:\n"
	"  -d, --duration=SECONDS  until it is ended otherwise, unless told\n"
	"  -F, --frequency=HZ      looks a second (99)\n"
	"\n"
	"What to write:\n"
	"  -o, --output=FILE       to FILE, not to standard output; it takes its name\n"
	"                          when it is whole\n"
	"  -f, --format=FORMAT     else the end of FILE's name tells, .svg for one, or it\n"
	"                          is folded:\n";

static const char help_tail[] =
	"  -n, --max-frames=N      up to N frames of each stack (256)\n"
	"      --no-kernel         no kernel frames\n"
	"      --no-user           no user frames\n"
	"      --lines, --no-lines source lines and inlined frames of all, or of nothing\n"
	"  -g, --goroutines, --no-goroutines, --runtime-frames   as for whystuck show\n"
	"\n"
	"What to look at:\n"
	"  -a, --all, -k, --kernel-threads, -t, --thread=TID, -s, --state=STATES\n"
	"                          as for whystuck show\n"
	"      --stop=HOW          auto: stop what must be stopped while it is copied;\n"
	"                          never: stop nothing; always: stop every thread\n"
	"  -v, --verbose           tell on standard error how it went\n"
	"\n"
	"  -h, --help              show this\n"
	"  -V, --version           show the version\n"
	"\n"
	"Exit status: 0 all was recorded, 1 something could not be, 2 nothing was.\n";

static void print_help(void)
{
	fputs(help_head, stdout);
	for (size_t i = 0; profile_formats[i]; i++)
		printf("                          %-6s  %s\n", profile_formats[i]->name,
			profile_formats[i]->summary);
	fputs(help_tail, stdout);
}

/* A number with decimals, from @least to @most. */
static bool parse_decimal(const char *string, double least, double most, double *number)
{
	char *end;

	if (!*string || string[strspn(string, "0123456789.")])
		return false;
	errno = 0;
	*number = strtod(string, &end);
	return !errno && !*end && *number >= least && *number <= most;
}

static enum options_outcome set_duration(struct record_options *record, const char *string)
{
	double seconds;

	if (!parse_decimal(string, SECONDS_LEAST, SECONDS_MOST, &seconds))
		return options_wrong("no duration", string, "-d takes seconds, as in 10 or 0.5");
	record->duration_ns = (int64_t)(seconds * (double)NS_PER_SECOND);
	return OPTIONS_LOOK;
}

static enum options_outcome set_rate(struct record_options *record, const char *string)
{
	double rate;

	if (!parse_decimal(string, RATE_LEAST, RATE_MOST, &rate))
		return options_wrong(
			"no frequency", string, "-F takes looks a second, from 0.001 to 1000");
	record->period_ns = (int64_t)((double)NS_PER_SECOND / rate);
	return OPTIONS_LOOK;
}

static enum options_outcome set_format(struct record_options *record, const char *string)
{
	struct text hint cleanup_text = {0};

	record->format = profile_format_find(string);
	if (record->format)
		return OPTIONS_LOOK;
	text_append(&hint, "-f takes ");
	for (size_t i = 0; profile_formats[i]; i++) {
		if (i)
			text_append(&hint, profile_formats[i + 1] ? ", " : " or ");
		text_append(&hint, profile_formats[i]->name);
	}
	return options_wrong("unknown format", string, hint.bytes);
}

static bool owns(int option)
{
	return option && strchr("dFof", option);
}

static enum options_outcome take(struct options *options, int option, const char *value)
{
	struct record_options *record = (struct record_options *)options;

	switch (option) {
	case 'd':
		return set_duration(record, value);
	case 'F':
		return set_rate(record, value);
	case 'f':
		return set_format(record, value);
	default:
		record->output = value;
		return OPTIONS_LOOK;
	}
}

static const struct command command_record = {
	.name = "record",
	.letters = "-:akt:s:d:F:o:f:gn:vhV",
	.long_options = record_long_options,
	.print_help = print_help,
	.owns = owns,
	.take = take,
};

/* What is chosen by other options where it is not told. */
static enum options_outcome settle(struct record_options *record)
{
	if (record->output && strcmp(record->output, "-") == 0)
		record->output = NULL;
	if (!record->format && record->output)
		record->format = profile_format_of_file(record->output);
	if (!record->format)
		record->format = profile_formats[0];
	if (record->format->is_binary && !record->output && isatty(STDOUT_FILENO))
		return options_wrong("not for a terminal", record->format->name,
			"name a file by -o, or redirect standard output");
	return OPTIONS_LOOK;
}

enum options_outcome record_options_parse(struct record_options *record, int argc, char **argv)
{
	*record = (struct record_options){.period_ns = NS_PER_SECOND / RATE_DEFAULT};
	enum options_outcome outcome = options_parse(&command_record, &record->options, argc, argv);

	if (outcome == OPTIONS_LOOK)
		outcome = settle(record);
	record->options.kinds_only = true;
	return outcome;
}

void record_options_deinit(struct record_options *record)
{
	options_deinit(&record->options);
}
