// SPDX-License-Identifier: Apache-2.0
#include "render_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/options.h"

#define WORDS_MAX 31

/* A parsed command line, with what was said on standard output and error. */
struct attempt {
	struct options options;
	enum options_outcome outcome;
	char said[8192];
	char *words[WORDS_MAX + 1];
};

/* Points @stream's descriptor at @file meanwhile; returns what restore() needs. */
static int redirect(FILE *stream, FILE *file)
{
	int saved = dup(fileno(stream));

	assert_true(saved >= 0);
	fflush(stream);
	assert_true(dup2(fileno(file), fileno(stream)) >= 0);
	return saved;
}

static void restore(FILE *stream, int saved)
{
	fflush(stream);
	assert_true(dup2(saved, fileno(stream)) >= 0);
	close(saved);
}

/* The words of @line, which spaces separate. */
static void attempt(struct attempt *attempt, const char *line)
{
	static char copy[1000];
	FILE *file = tmpfile();
	int argc = 0;
	char *rest = NULL;

	assert_non_null(file);
	snprintf(copy, sizeof(copy), "whystuck %s", line);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < WORDS_MAX);
		attempt->words[argc++] = word;
	}
	attempt->words[argc] = NULL;

	int out = redirect(stdout, file), error = redirect(stderr, file);
	attempt->outcome = options_parse(&command_show, &attempt->options, argc, attempt->words);
	restore(stderr, error);
	restore(stdout, out);
	rewind(file);
	attempt->said[fread(attempt->said, 1, sizeof(attempt->said) - 1, file)] = '\0';
	fclose(file);
}

static void end(struct attempt *attempt)
{
	options_deinit(&attempt->options);
}

/* The command line is refused in one line that begins and reads as expected. */
static void assert_refused(const char *line, const char *expected)
{
	struct attempt try;

	attempt(&try, line);
	assert_int_equal(try.outcome, OPTIONS_WRONG);
	assert_string_equal(try.said, expected);
	end(&try);
}

static void defaults(void **state)
{
	struct attempt try;

	(void)state;
	attempt(&try, "4242");
	assert_int_equal(try.outcome, OPTIONS_LOOK);
	assert_string_equal(try.said, "");
	assert_int_equal(try.options.target_count, 1);
	assert_string_equal(try.options.targets[0], "4242");
	assert_ptr_equal(try.options.renderer, &renderer_text);
	assert_true(
		try.options.render.kernel && try.options.render.user && try.options.render.lines);
	assert_int_equal(try.options.render.grouping, GROUP_DEFAULT);
	assert_false(try.options.render.color); /* standard output was a file */
	assert_int_equal(try.options.render.width, 100);
	assert_false(try.options.render.partial);
	assert_int_equal(try.options.stop, STOP_AUTO);
	assert_int_equal(try.options.max_frames, 256);
	assert_null(try.options.states);
	end(&try);
}

static void options_may_stand_after_targets(void **state)
{
	struct attempt try;

	(void)state;
	setenv("POSIXLY_CORRECT", "1", 1);
	attempt(&try, "nginx -f json 17 --no-kernel -t 5 --thread=6 -t5 -- -x --all");
	unsetenv("POSIXLY_CORRECT");
	assert_int_equal(try.outcome, OPTIONS_LOOK);
	assert_int_equal(try.options.target_count, 4);
	assert_string_equal(try.options.targets[0], "nginx");
	assert_string_equal(try.options.targets[1], "17");
	assert_string_equal(try.options.targets[2], "-x");
	assert_string_equal(try.options.targets[3], "--all");
	assert_ptr_equal(try.options.renderer, &renderer_json);
	assert_false(try.options.render.kernel);
	assert_false(try.options.all);
	assert_int_equal(try.options.tid_count, 2);
	assert_int_equal(try.options.tids[0], 5);
	assert_int_equal(try.options.tids[1], 6);
	assert_true(try.options.render.partial);
	end(&try);
}

static void every_option_is_taken(void **state)
{
	struct attempt try;

	(void)state;
	attempt(&try, "-akpv -s DR -f folded -n 7 --group --no-user --no-lines --stop=never "
		      "--color=always --addresses -g --goroutines --no-goroutines");
	assert_int_equal(try.outcome, OPTIONS_LOOK);
	assert_true(try.options.all && try.options.kernel_threads && try.options.verbose);
	assert_true(try.options.render.process_info && try.options.render.color);
	assert_string_equal(try.options.states, "DR");
	assert_ptr_equal(try.options.renderer, &renderer_folded);
	assert_int_equal(try.options.max_frames, 7);
	assert_int_equal(try.options.render.grouping, GROUP_ALWAYS);
	assert_true(try.options.render.addresses);
	assert_false(try.options.render.user);
	assert_false(try.options.render.lines);
	assert_int_equal(try.options.stop, STOP_NEVER);
	end(&try);
}

static enum goroutines_wanted goroutines_of(const char *line)
{
	struct attempt try;

	attempt(&try, line);
	assert_int_equal(try.outcome, OPTIONS_LOOK);
	end(&try);
	return try.options.goroutines;
}

static void goroutines_are_shown_unless_threads_are_asked_for(void **state)
{
	(void)state;
	assert_int_equal(goroutines_of("1"), GOROUTINES_ALL);
	assert_int_equal(goroutines_of("1 --no-goroutines"), GOROUTINES_NONE);
	assert_int_equal(goroutines_of("1 --no-goroutines -g"), GOROUTINES_ALL);
	assert_int_equal(goroutines_of("1 --no-user"), GOROUTINES_NONE);
	assert_int_equal(goroutines_of("-t 7"), GOROUTINES_OF_THREADS);
	assert_int_equal(goroutines_of("-a -s D"), GOROUTINES_OF_THREADS);
	assert_int_equal(goroutines_of("-t 7 -g"), GOROUTINES_ALL);
	assert_int_equal(goroutines_of("-t 7 --no-goroutines"), GOROUTINES_NONE);
}

static void goroutines_are_chosen_by_id(void **state)
{
	struct attempt try;

	(void)state;
	attempt(&try, "1 --goroutine=7 --goroutine 9223372036854775807 --goroutine=7 "
		      "--runtime-frames");
	assert_int_equal(try.outcome, OPTIONS_LOOK);
	assert_int_equal(try.options.goroutine_count, 2);
	assert_true(try.options.goroutine_ids[0] == 7);
	assert_true(try.options.goroutine_ids[1] == INT64_MAX);
	assert_true(try.options.render.partial);
	assert_true(try.options.render.runtime_frames);
	end(&try);
	assert_refused("1 --goroutine=0",
		"whystuck: no goroutine id '0': --goroutine takes a number from 1 on\n");
	assert_refused("1 --goroutine=9223372036854775808",
		"whystuck: no goroutine id '9223372036854775808': --goroutine takes a number from "
		"1 on\n");
	assert_refused("1 --goroutine=7 --no-goroutines",
		"whystuck: --goroutine asks for what --no-goroutines leaves out: leave one of "
		"them out\n");
	assert_refused("1 --goroutine=7 --no-user",
		"whystuck: --no-user leaves out goroutines, which are asked for: leave one of "
		"them out\n");
	assert_refused("1 -g --no-user",
		"whystuck: --no-user leaves out goroutines, which are asked for: leave one of "
		"them out\n");
}

static void thread_needs_no_target(void **state)
{
	struct attempt try;

	(void)state;
	attempt(&try, "-t 4243 --stop always --no-group");
	assert_int_equal(try.outcome, OPTIONS_LOOK);
	assert_int_equal(try.options.target_count, 0);
	assert_int_equal(try.options.stop, STOP_ALWAYS);
	assert_int_equal(try.options.render.grouping, GROUP_NEVER);
	end(&try);
}

static void wrong_values_are_refused_with_a_hint(void **state)
{
	static const char *const numbers[] = {
		"0", "-1", "+1", "x", "7x", "4194305", "99999999999999999999", "0x10", "1.5"};
	char line[100], expected[200];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(line, sizeof(line), "1 -t %s", numbers[i]);
		snprintf(expected, sizeof(expected),
			"whystuck: no thread id '%s': -t takes a number from 1 to 4194304\n",
			numbers[i]);
		assert_refused(line, expected);
	}
	assert_refused(
		"1 -n 0", "whystuck: no count of frames '0': -n takes a number from 1 to 65536\n");
	assert_refused("1 -n 65537",
		"whystuck: no count of frames '65537': -n takes a number from 1 to 65536\n");
	assert_refused("1 -s DQ",
		"whystuck: no thread states 'DQ': -s takes letters of RSDTtZXIP, as in DR\n");
	assert_refused("1 --state=",
		"whystuck: no thread states '': -s takes letters of RSDTtZXIP, as in DR\n");
	assert_refused(
		"1 -f xml", "whystuck: unknown format 'xml': -f takes text, json or folded\n");
	assert_refused("1 --stop=now",
		"whystuck: unknown way to stop 'now': --stop takes auto, never or always\n");
	assert_refused("1 --color=red",
		"whystuck: unknown colour mode 'red': --color takes auto, always or never\n");
}

static void wrong_options_are_refused_by_name(void **state)
{
	(void)state;
	assert_refused("", "whystuck: no target: name a PID or a process, or -a for all; "
			   "whystuck --help tells more\n");
	assert_refused("-k", "whystuck: no target: name a PID or a process, or -a for all; "
				  "whystuck --help tells more\n");
	assert_refused("-a 17",
		"whystuck: -a is every process, and so needs no target '17': leave one of "
		"them out\n");
	assert_refused("1 -Z", "whystuck: unknown option '-Z': whystuck --help lists them\n");
	assert_refused("--all -kZ", "whystuck: unknown option '-Z': whystuck --help lists them\n");
	assert_refused("--nope 1",
		"whystuck: unknown or ambiguous option '--nope': whystuck --help lists them\n");
	assert_refused("--no 1",
		"whystuck: unknown or ambiguous option '--no': whystuck --help lists them\n");
	assert_refused("--all=yes",
		"whystuck: this option takes no value '--all=yes': whystuck --help "
		"lists them\n");
	assert_refused("--no-user=1",
		"whystuck: this option takes no value '--no-user=1': whystuck "
		"--help lists them\n");
	assert_refused("1 -t",
		"whystuck: no value for option '-t': whystuck --help tells what it takes\n");
	assert_refused("1 -kt",
		"whystuck: no value for option '-t': whystuck --help tells what it takes\n");
	assert_refused("1 --stop",
		"whystuck: no value for option '--stop': whystuck --help tells what it "
		"takes\n");
	assert_refused("1 -f \033[31m",
		"whystuck: unknown format '\\x1b[31m': -f takes text, json or folded\n");
}

static void help_fits_a_terminal(void **state)
{
	struct attempt try;
	char *rest = NULL;

	(void)state;
	attempt(&try, "-h");
	assert_int_equal(try.outcome, OPTIONS_DONE);
	assert_int_equal(strncmp(try.said, "Usage: whystuck ", 16), 0);
	for (size_t i = 0; renderers[i]; i++)
		assert_non_null(strstr(try.said, renderers[i]->summary));
	for (char *line = strtok_r(try.said, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_true(strlen(line) <= 80);
	end(&try);
}

static void version_is_one_line(void **state)
{
	struct attempt try;

	(void)state;
	attempt(&try, "--version");
	assert_int_equal(try.outcome, OPTIONS_DONE);
	assert_string_equal(try.said, "whystuck " WHYSTUCK_VERSION "\n");
	end(&try);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(options_may_stand_after_targets),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(goroutines_are_shown_unless_threads_are_asked_for),
		cmocka_unit_test(goroutines_are_chosen_by_id),
		cmocka_unit_test(thread_needs_no_target),
		cmocka_unit_test(wrong_values_are_refused_with_a_hint),
		cmocka_unit_test(wrong_options_are_refused_by_name),
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(version_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
