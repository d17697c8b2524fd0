// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/message.h"
#include "model/process.h"
#include "util/memory.h"
#include "util/text.h"

#define TID_MAX (4 * 1024 * 1024) /* PID_MAX_LIMIT of include/linux/threads.h */
#define FRAMES_DEFAULT 256
#define FRAMES_MAX 65536
#define WIDTH_DEFAULT 100
#define WIDTH_MIN 40
#define WIDTH_MAX 1000

/* The hyphen gives what is no option in its place, the colon leaves the messages to us. */
static const char short_options[] = "-:akt:s:f:gn:pvhV";

static const struct option long_options[] = {
	{"all", no_argument, NULL, 'a'},
	{"kernel-threads", no_argument, NULL, 'k'},
	{"thread", required_argument, NULL, 't'},
	{"state", required_argument, NULL, 's'},
	{"format", required_argument, NULL, 'f'},
	{"goroutines", no_argument, NULL, 'g'},
	{"no-goroutines", no_argument, NULL, OPTION_NO_GOROUTINES},
	{"goroutine", required_argument, NULL, OPTION_GOROUTINE},
	{"runtime-frames", no_argument, NULL, OPTION_RUNTIME_FRAMES},
	{"group", no_argument, NULL, OPTION_GROUP},
	{"no-group", no_argument, NULL, OPTION_NO_GROUP},
	{"no-kernel", no_argument, NULL, OPTION_NO_KERNEL},
	{"no-user", no_argument, NULL, OPTION_NO_USER},
	{"lines", no_argument, NULL, OPTION_LINES},
	{"no-lines", no_argument, NULL, OPTION_NO_LINES},
	{"addresses", no_argument, NULL, OPTION_ADDRESSES},
	{"stop", required_argument, NULL, OPTION_STOP},
	{"max-frames", required_argument, NULL, 'n'},
	{"process-info", no_argument, NULL, 'p'},
	{"color", required_argument, NULL, OPTION_COLOR},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static const char help_head[] =
	"Usage: whystuck [show] [OPTION]... TARGET...\n"
	"Show where every thread of a process is, from the kernel function it blocks in\n"
	"to main, what it waits for, and on whom.\n"
	"\n"
	"TARGET is a PID or a process name: then every process of that name.\n"
	"\n"
	"What to look at:\n"
	"  -a, --all              every process of the machine\n"
	"  -k, --kernel-threads   with -a: kernel threads too\n"
	"  -t, --thread=TID       only this thread; may be repeated. Needs no TARGET\n"
	"  -s, --state=STATES     only threads in these states: any of " THREAD_STATES "\n"
	"      --goroutine=ID     only this goroutine and the thread that runs it; may\n"
	"                         be repeated\n"
	"\n"
	"What to show:\n"
	"  -p, --process-info     also command line, executable, start time, limits,\n"
	"                         namespaces, open files with who is at their other end\n"
	"  -g, --goroutines       all goroutines of Go processes; this is so unless -t\n"
	"                         or -s asks for some threads\n"
	"      --no-goroutines    no goroutines\n"
	"      --runtime-frames   frames and goroutines of Go's runtime itself too\n"
	"  -n, --max-frames=N     up to N frames of each stack (256)\n"
	"      --no-kernel        no kernel frames\n"
	"      --no-user          no user frames\n"
	"      --lines            source lines and inlined frames of the C library too,\n"
	"                         whose debug information takes long to unpack\n"
	"      --no-lines         no source lines and no inlined frames: faster\n"
	"      --addresses        raw addresses of kernel frames too: they tell where the\n"
	"                         kernel lies\n"
	"      --group            threads, and goroutines, with the same stack once, with\n"
	"                         their ids; this is what text does\n"
	"      --no-group         each on its own\n"
	"  -f, --format=FORMAT    ";

static const char help_tail[] =
	"      --color=WHEN       auto (on a terminal, but see NO_COLOR), always, never\n"
	"\n"
	"How to look:\n"
	"      --stop=HOW         auto: stop what must be stopped while it is copied;\n"
	"                         never: stop nothing; always: stop every thread\n"
	"  -v, --verbose          tell on standard error how it was looked at\n"
	"\n"
	"  -h, --help             show this\n"
	"  -V, --version          show the version\n"
	"\n"
	"Other commands, each with its own --help: whystuck record, whystuck top.\n"
	"A process named show, top or record: whystuck show NAME.\n"
	"Exit status: 0 all was shown, 1 something could not be, 2 nothing was shown.\n";

static const char version_text[] = "whystuck " WHYSTUCK_VERSION "\n";

static void print_help(void)
{
	fputs(help_head, stdout);
	for (size_t i = 0; renderers[i]; i++)
		printf("%s%-6s  %s\n", i ? "                         " : "", renderers[i]->name,
			renderers[i]->summary);
	fputs(help_tail, stdout);
}

int options_status(enum options_outcome outcome)
{
	if (outcome == OPTIONS_WRONG)
		return 2;
	return output_finish() ? 0 : 1;
}

enum options_outcome options_wrong(const char *problem, const char *culprit, const char *hint)
{
	struct text line cleanup_text = {0};

	text_append(&line, problem);
	if (culprit) {
		text_append(&line, " '");
		text_append_escaped(&line, culprit, strlen(culprit));
		text_append(&line, "'");
	}
	message("%s: %s", line.bytes, hint);
	return OPTIONS_WRONG;
}

/* A whole number of decimal digits from 1 to @limit. */
static bool parse_number(const char *string, long limit, long *number)
{
	char *end;

	if (*string < '0' || *string > '9')
		return false;
	errno = 0;
	*number = strtol(string, &end, 10);
	return !errno && !*end && *number >= 1 && *number <= limit;
}

static enum options_outcome add_tid(struct options *options, const char *string)
{
	long tid;

	if (!parse_number(string, TID_MAX, &tid))
		return options_wrong("no thread id", string, "-t takes a number from 1 to 4194304");
	for (size_t i = 0; i < options->tid_count; i++) {
		if (options->tids[i] == tid)
			return OPTIONS_LOOK;
	}
	array_reserve(options->tids, options->tid_count, options->tid_capacity);
	options->tids[options->tid_count++] = (pid_t)tid;
	return OPTIONS_LOOK;
}

static enum options_outcome add_goroutine(struct options *options, const char *string)
{
	long id;

	if (!parse_number(string, LONG_MAX, &id))
		return options_wrong(
			"no goroutine id", string, "--goroutine takes a number from 1 on");
	for (size_t i = 0; i < options->goroutine_count; i++) {
		if (options->goroutine_ids[i] == (uint64_t)id)
			return OPTIONS_LOOK;
	}
	array_reserve(
		options->goroutine_ids, options->goroutine_count, options->goroutine_capacity);
	options->goroutine_ids[options->goroutine_count++] = (uint64_t)id;
	return OPTIONS_LOOK;
}

static enum options_outcome set_states(struct options *options, const char *string)
{
	if (!*string || string[strspn(string, THREAD_STATES)])
		return options_wrong("no thread states", string,
			"-s takes letters of " THREAD_STATES ", as in DR");
	options->states = string;
	return OPTIONS_LOOK;
}

static enum options_outcome set_format(struct options *options, const char *string)
{
	struct text hint cleanup_text = {0};

	options->renderer = renderer_find(string);
	if (options->renderer)
		return OPTIONS_LOOK;
	text_append(&hint, "-f takes ");
	for (size_t i = 0; renderers[i]; i++) {
		if (i)
			text_append(&hint, renderers[i + 1] ? ", " : " or ");
		text_append(&hint, renderers[i]->name);
	}
	return options_wrong("unknown format", string, hint.bytes);
}

static enum options_outcome set_max_frames(struct options *options, const char *string)
{
	long number;

	if (!parse_number(string, FRAMES_MAX, &number))
		return options_wrong(
			"no count of frames", string, "-n takes a number from 1 to 65536");
	options->max_frames = (size_t)number;
	return OPTIONS_LOOK;
}

static enum options_outcome set_stop(struct options *options, const char *string)
{
	if (strcmp(string, "auto") == 0)
		options->stop = STOP_AUTO;
	else if (strcmp(string, "never") == 0)
		options->stop = STOP_NEVER;
	else if (strcmp(string, "always") == 0)
		options->stop = STOP_ALWAYS;
	else
		return options_wrong(
			"unknown way to stop", string, "--stop takes auto, never or always");
	return OPTIONS_LOOK;
}

static bool terminal_has_color(void)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal &&
	       strcmp(terminal, "dumb");
}

static enum options_outcome set_color(struct options *options, const char *string)
{
	if (strcmp(string, "auto") == 0)
		options->render.color = terminal_has_color();
	else if (strcmp(string, "always") == 0)
		options->render.color = true;
	else if (strcmp(string, "never") == 0)
		options->render.color = false;
	else
		return options_wrong(
			"unknown colour mode", string, "--color takes auto, always or never");
	return OPTIONS_LOOK;
}

static unsigned output_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_MIN   ? WIDTH_MIN
	       : size.ws_col > WIDTH_MAX ? WIDTH_MAX
					 : size.ws_col;
}

static void add_target(struct options *options, const char *target)
{
	array_reserve(options->targets, options->target_count, options->target_capacity);
	options->targets[options->target_count++] = target;
}

/* What getopt_long() found wrong in @word: 0 in @option for a long option that it doesn't know. */
static enum options_outcome wrong_option(const char *word, int option)
{
	char letter[] = {'-', (char)option, '\0'};

	if (strncmp(word, "--", 2) && option)
		return options_wrong("unknown option", letter, "whystuck --help lists them");
	if (option)
		return options_wrong(
			"this option takes no value", word, "whystuck --help lists them");
	return options_wrong("unknown or ambiguous option", word, "whystuck --help lists them");
}

static enum options_outcome missing_value(const char *word, int option)
{
	char letter[] = {'-', (char)option, '\0'};

	return options_wrong("no value for option", strncmp(word, "--", 2) ? letter : word,
		"whystuck --help tells what it takes");
}

static enum options_outcome take_option(struct options *options, int option, const char *word)
{
	if (options->command->take && options->command->owns(option))
		return options->command->take(options, option, optarg);
	switch (option) {
	case 1:
		add_target(options, optarg);
		return OPTIONS_LOOK;
	case 'a':
		options->all = true;
		return OPTIONS_LOOK;
	case 'k':
		options->kernel_threads = true;
		return OPTIONS_LOOK;
	case 't':
		return add_tid(options, optarg);
	case 's':
		return set_states(options, optarg);
	case 'f':
		return set_format(options, optarg);
	case 'g':
		options->goroutines = GOROUTINES_ALL;
		return OPTIONS_LOOK;
	case OPTION_NO_GOROUTINES:
		options->goroutines = GOROUTINES_NONE;
		return OPTIONS_LOOK;
	case OPTION_GOROUTINE:
		return add_goroutine(options, optarg);
	case OPTION_RUNTIME_FRAMES:
		options->render.runtime_frames = true;
		return OPTIONS_LOOK;
	case OPTION_GROUP:
		options->render.grouping = GROUP_ALWAYS;
		return OPTIONS_LOOK;
	case OPTION_NO_GROUP:
		options->render.grouping = GROUP_NEVER;
		return OPTIONS_LOOK;
	case OPTION_NO_KERNEL:
		options->render.kernel = false;
		return OPTIONS_LOOK;
	case OPTION_NO_USER:
		options->render.user = false;
		return OPTIONS_LOOK;
	case OPTION_LINES:
	case OPTION_NO_LINES:
		options->render.lines = option == OPTION_LINES;
		options->all_lines = option == OPTION_LINES;
		return OPTIONS_LOOK;
	case OPTION_ADDRESSES:
		options->render.addresses = true;
		return OPTIONS_LOOK;
	case OPTION_STOP:
		return set_stop(options, optarg);
	case 'n':
		return set_max_frames(options, optarg);
	case 'p':
		options->render.process_info = true;
		return OPTIONS_LOOK;
	case OPTION_COLOR:
		return set_color(options, optarg);
	case 'v':
		options->verbose = true;
		return OPTIONS_LOOK;
	case 'h':
		options->command->print_help();
		return OPTIONS_DONE;
	case 'V':
		fputs(version_text, stdout);
		return OPTIONS_DONE;
	case ':':
		return missing_value(word, optopt);
	default:
		return wrong_option(word, optopt);
	}
}

/* What each option allows alone but not together. */
static enum options_outcome check(const struct options *options)
{
	if (options->all && options->target_count)
		return options_wrong("-a is every process, and so needs no target",
			options->targets[0], "leave one of them out");
	if (!options->all && !options->target_count && !options->tid_count &&
		!options->command->all_without_target)
		return options_wrong("no target", NULL,
			"name a PID or a process, or -a for all; whystuck --help tells more");
	if (options->goroutine_count && options->goroutines == GOROUTINES_NONE)
		return options_wrong("--goroutine asks for what --no-goroutines leaves out", NULL,
			"leave one of them out");
	if ((options->goroutine_count || options->goroutines == GOROUTINES_ALL) &&
		!options->render.user)
		return options_wrong("--no-user leaves out goroutines, which are asked for", NULL,
			"leave one of them out");
	return OPTIONS_LOOK;
}

/* What is not said of goroutines follows from the rest. */
static void settle_goroutines(struct options *options)
{
	bool some_threads = options->tid_count || options->states;

	if (!options->render.user)
		options->goroutines = GOROUTINES_NONE;
	else if (options->goroutines == GOROUTINES_DEFAULT)
		options->goroutines = some_threads ? GOROUTINES_OF_THREADS : GOROUTINES_ALL;
	options->render.partial = some_threads || options->goroutine_count;
}

const struct command command_show = {
	.name = "show",
	.letters = short_options,
	.long_options = long_options,
	.print_help = print_help,
};

enum options_outcome options_parse(
	const struct command *command, struct options *options, int argc, char **argv)
{
	*options = (struct options){
		.command = command,
		.renderer = renderers[0],
		.render = {.kernel = true, .user = true, .lines = true, .width = output_width()},
		.stop = STOP_AUTO,
		.max_frames = FRAMES_DEFAULT,
	};
	options->render.color = terminal_has_color();
	optind = 0; /* has getopt_long() begin anew */
	for (;;) {
		int word = optind ? optind : 1;
		int option = getopt_long(argc, argv, command->letters, command->long_options, NULL);

		if (option == -1)
			break;

		enum options_outcome outcome = take_option(options, option, argv[word]);
		if (outcome != OPTIONS_LOOK)
			return outcome;
	}
	for (int i = optind; i < argc; i++)
		add_target(options, argv[i]);

	enum options_outcome outcome = check(options);
	settle_goroutines(options);
	return outcome;
}

void options_deinit(struct options *options)
{
	free(options->targets);
	free(options->tids);
	free(options->goroutine_ids);
}
