// SPDX-License-Identifier: Apache-2.0
#include "cli/record.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/look.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/record_options.h"
#include "cli/repeat.h"
#include "cli/report.h"
#include "util/clock.h"
#include "util/text.h"
#include "util/watch.h"
#include "util/whole_file.h"

struct recorder {
	const struct record_options *options;
	struct repeat *repeat;
	struct profile *profile;
	struct recording recording;
	struct progress progress;
	/* CLOCK_MONOTONIC: of all of it, of the last look, and when that was to be. 0: it has not
	 * begun. */
	int64_t begin_ns, last_ns, time_ns;
	int64_t end_ns; /* INT64_MAX: none */
	sigset_t ends;  /* signals that end it; they are blocked, and asked for */
	bool gaps;
};

/* A signal that was ignored stays so: who started us wants it not to end us. */
static void block_signals(struct recorder *recorder)
{
	sigemptyset(&recorder->ends);
	sigaddset(&recorder->ends, SIGINT);
	sigaddset(&recorder->ends, SIGTERM);
	sigaddset(&recorder->ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &recorder->ends, NULL);
}

/* Waits until that time; false: a signal ends the recording. */
static bool wait_until(const struct recorder *recorder, int64_t time_ns)
{
	for (;;) {
		int64_t left = time_ns - clock_ns(CLOCK_MONOTONIC);
		struct timespec patience = {0};

		if (left > 0)
			patience = (struct timespec){left / NS_PER_SECOND, left % NS_PER_SECOND};
		if (sigtimedwait(&recorder->ends, NULL, &patience) > 0)
			return false;
		if (errno == EAGAIN)
			return true;
	}
}

/* The time of the next look; those whose whole time has passed are missed. */
static int64_t next_time(struct recorder *recorder, int64_t time_ns)
{
	int64_t period = recorder->options->period_ns;
	int64_t missed;

	time_ns += period;
	missed = (clock_ns(CLOCK_MONOTONIC) - time_ns) / period;
	if (missed <= 0)
		return time_ns;
	recorder->recording.missed += (uint64_t)missed;
	return time_ns + missed * period;
}

static void take_look(struct recorder *recorder)
{
	const struct look *look = repeat_next(recorder->repeat);
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	profile_add(recorder->profile, look, (uint64_t)(now - recorder->last_ns));
	recorder->last_ns = now;
	recorder->recording.looks++;
	progress_show(&recorder->progress, now - recorder->begin_ns, recorder->options->duration_ns,
		recorder->recording.looks, look_count_threads(look));
}

/* The first look reads all files that are needed, which takes its time: it counts for nothing. */
static bool begin(struct recorder *recorder)
{
	const struct look *look = repeat_next(recorder->repeat);

	recorder->gaps = report_gaps(look, recorder->options->options.verbose);
	if (!look->process_count && !repeat_has_targets(recorder->repeat)) {
		if (!recorder->gaps)
			message("nothing was found to record");
		return false;
	}
	int64_t now = clock_ns(CLOCK_MONOTONIC), duration_ns = recorder->options->duration_ns;
	recorder->recording.began_ns = clock_ns(CLOCK_REALTIME);
	recorder->begin_ns = recorder->last_ns = recorder->time_ns = now;
	recorder->end_ns = duration_ns ? now + duration_ns : INT64_MAX;
	return true;
}

static void record(struct recorder *recorder)
{
	for (;;) {
		recorder->time_ns = next_time(recorder, recorder->time_ns);
		if (recorder->time_ns > recorder->end_ns) {
			wait_until(recorder, recorder->end_ns);
			break;
		}
		if (!wait_until(recorder, recorder->time_ns))
			break;
		take_look(recorder);
		if (!repeat_has_targets(recorder->repeat))
			break;
	}
	recorder->recording.duration_ns = clock_ns(CLOCK_MONOTONIC) - recorder->begin_ns;
	progress_end(&recorder->progress);
	/* Whoever has waited long enough ends it for good by another signal. */
	sigprocmask(SIG_UNBLOCK, &recorder->ends, NULL);
}

static bool write_all(const struct recorder *recorder)
{
	const struct record_options *options = recorder->options;
	struct whole_file file;

	if (!options->output) {
		options->format->write(recorder->profile, &recorder->recording, stdout);
		return output_finish();
	}
	struct error error = whole_file_begin(&file, options->output);
	if (!failed(error)) {
		options->format->write(recorder->profile, &recorder->recording, file.stream);
		error = whole_file_finish(&file);
	}
	if (failed(error)) {
		struct text name cleanup_text = {0};

		text_append_escaped(&name, options->output, strlen(options->output));
		message("%s: %s", name.bytes, error.reason);
	}
	return !failed(error);
}

static void report(const struct recorder *recorder)
{
	const struct recording *recording = &recorder->recording;
	struct text line cleanup_text = {0};

	if (recording->missed)
		message("%" PRIu64 " looks were missed: those before them took too long, or there "
			"was no CPU; the next ones stand for them",
			recording->missed);
	if (!recorder->options->options.verbose && !isatty(STDERR_FILENO))
		return;
	text_append_format(&line, "%" PRIu64 " look%s in ", recording->looks,
		recording->looks == 1 ? "" : "s");
	text_append_duration(&line, recording->duration_ns);
	text_append_format(&line, ", %" PRIu64 " samples", profile_sample_total(recorder->profile));
	message("%s", line.bytes);
}

/* What was asked for, in one line. */
static void describe_targets(const struct options *options, struct text *line)
{
	if (options->all)
		text_append(line, "all processes");
	for (size_t i = 0; i < options->target_count; i++) {
		if (i)
			text_append(line, " ");
		text_append_escaped(line, options->targets[i], strlen(options->targets[i]));
	}
	for (size_t i = 0; i < options->tid_count; i++)
		text_append_format(line, "%sthread %d", line->length ? ", " : "", options->tids[i]);
}

/* Records from where it stands to the end; the exit status. */
static int go_on(struct recorder *recorder)
{
	if (!recorder->begin_ns && !begin(recorder))
		return 2;
	record(recorder);
	int status = write_all(recorder) && !recorder->gaps ? 0 : 1;
	report(recorder);
	return status;
}

/* A look hangs in a call that does not return: those that follow are taken without a watch. */
static void go_on_without(void *argument)
{
	struct recorder *recorder = argument;

	recorder->repeat = repeat_create(&recorder->options->options);
	exit(go_on(recorder));
}

static int run(const struct record_options *options)
{
	struct text targets cleanup_text = {0};
	struct recorder recorder = {
		.options = options,
		.recording.period_ns = options->period_ns,
	};

	describe_targets(&options->options, &targets);
	recorder.recording.targets = targets.bytes;
	block_signals(&recorder);
	recorder.profile = profile_create(&(struct profile_options){
		.kernel = options->options.render.kernel,
		.user = options->options.render.user,
		.runtime_frames = options->options.render.runtime_frames,
	});
	look_prepare(&options->options);
	recorder.repeat = repeat_create(&options->options);
	struct watch *watch = watch_create(go_on_without, &recorder);
	repeat_watch(recorder.repeat, watch);
	int status = go_on(&recorder);
	watch_destroy(watch);
	repeat_destroy(recorder.repeat);
	profile_destroy(recorder.profile);
	return status;
}

/* Whether the file can be written is better known before than after. */
static bool can_write(const struct record_options *options)
{
	struct text name cleanup_text = {0};
	struct error error = options->output ? whole_file_check(options->output) : NO_ERROR;

	if (!failed(error))
		return true;
	text_append_escaped(&name, options->output, strlen(options->output));
	message("%s: %s", name.bytes ? name.bytes : "", error.reason);
	return false;
}

int record_command(int argc, char **argv)
{
	struct record_options options;
	enum options_outcome outcome = record_options_parse(&options, argc, argv);
	int status = 2;

	if (outcome != OPTIONS_LOOK)
		status = options_status(outcome);
	else if (can_write(&options))
		status = run(&options);
	record_options_deinit(&options);
	return status;
}
