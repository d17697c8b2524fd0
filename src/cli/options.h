// SPDX-License-Identifier: Apache-2.0
/*
 * Options: the command line, parsed and checked. What is said of targets and of what to look at is
 * the same for all commands; each adds options of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/collector.h"
#include "render/render.h"

enum options_outcome {
	OPTIONS_LOOK,  /* go on */
	OPTIONS_DONE,  /* --help or --version was printed: exit status 0 */
	OPTIONS_WRONG, /* one line was printed on standard error: exit status 2 */
};

enum goroutines_wanted {
	GOROUTINES_DEFAULT,    /* while the options are read only */
	GOROUTINES_ALL,        /* of each process that has some */
	GOROUTINES_OF_THREADS, /* those that the threads run which are shown */
	GOROUTINES_NONE,       /* they are not looked for */
};

struct options;

/* Options without a letter that commands may have. */
enum option_code {
	OPTION_GROUP = 0x100,
	OPTION_NO_GROUP,
	OPTION_NO_GOROUTINES,
	OPTION_GOROUTINE,
	OPTION_RUNTIME_FRAMES,
	OPTION_NO_KERNEL,
	OPTION_NO_USER,
	OPTION_LINES,
	OPTION_NO_LINES,
	OPTION_STOP,
	OPTION_COLOR,
	OPTION_ADDRESSES,
	OPTION_OWN, /* a command's own begin here */
};

/* A command, as in `whystuck show`. */
struct command {
	const char *name;
	/* As getopt_long(3) has them, those that all commands know among them; the letters begin
	 * with "-:", so that words and mistakes are given to us. */
	const char *letters;
	const struct option *long_options;
	bool all_without_target; /* every process is meant then */
	void (*print_help)(void);

	/* Which options are its own, though another command may have the letter, and what they do,
	 * to what surrounds @options. NULL: it has none. */
	bool (*owns)(int option);
	enum options_outcome (*take)(struct options *options, int option, const char *value);
};

struct options {
	const struct command *command;
	const char **targets; /* heap; the strings are of argv */
	size_t target_count, target_capacity;
	bool all, kernel_threads;
	pid_t *tids; /* heap, each once */
	size_t tid_count, tid_capacity;
	const char *states; /* of argv; NULL: all */
	enum goroutines_wanted goroutines;
	uint64_t *goroutine_ids; /* heap, each once: only these */
	size_t goroutine_count, goroutine_capacity;
	const struct renderer *renderer;
	struct render_options
		render; /* .color and .width are settled: a terminal, NO_COLOR, --color */
	enum stop_policy stop;
	size_t max_frames;
	bool all_lines;  /* whatever it costs to read them */
	bool kinds_only; /* of waits no more than their kinds is told: looks cost less */
	bool verbose;
};

/* What stands before the options of `whystuck show`, which need not be named. */
extern const struct command command_show;

/*
 * Fills @options from the words behind argv[0], which is the command's or the program's name;
 * options_deinit() must be called for them whatever the outcome is.
 */
enum options_outcome options_parse(
	const struct command *command, struct options *options, int argc, char **argv);
void options_deinit(struct options *options);

/* The exit status of a command that is not to go on. */
int options_status(enum options_outcome outcome);

/*
 * Prints one line: "@problem '@culprit': @hint", without the culprit where that is NULL; it is of
 * the command line, which a script may have made from anything. Returns OPTIONS_WRONG.
 */
enum options_outcome options_wrong(const char *problem, const char *culprit, const char *hint);
