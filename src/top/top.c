// SPDX-License-Identifier: Apache-2.0
#include "top/top.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/report.h"
#include "cli/selection.h"
#include "cli/look.h"
#include "top/draw.h"
#include "top/looks.h"
#include "top/screen.h"
#include "top/state.h"
#include "util/memory.h"
#include "util/text.h"

/* What is waited for at once. */
struct session {
	struct top top;
	struct looks *looks;
	int keys, signals; /* descriptors */
	int ended_by;      /* a signal; 0: none */
};

/* Signals that are taken in turn with keys and looks. */
static sigset_t taken_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < array_length(numbers); i++)
		sigaddset(&signals, numbers[i]);
	return signals;
}

/* Does to the process what the signal does where nobody takes it. */
static void let_act(int number)
{
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, number);
	signal(number, SIG_DFL); /* ncurses has set handlers of its own */
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL);
	pthread_sigmask(SIG_BLOCK, &only, NULL);
}

static void measure(struct session *session)
{
	unsigned width, height;

	screen_measure(&width, &height);
	top_resize(&session->top, width, height);
}

static void take_signal(struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			measure(session);
			break;
		case SIGTSTP:
			screen_suspend();
			let_act(SIGTSTP);
			__attribute__((fallthrough));
		case SIGCONT:
			screen_resume();
			measure(session);
			break;
		default:
			session->ended_by = (int)info.ssi_signo;
			break;
		}
	}
}

static void take_keys(struct session *session)
{
	struct top *top = &session->top;
	int64_t interval_ns = top->interval_ns;
	uint32_t key;

	while (!top->ended && (key = screen_key()))
		top_take_key(top, key);
	if (top->interval_ns != interval_ns)
		looks_set_interval(session->looks, top->interval_ns);
	if (top->looks_now && !top->frozen)
		looks_hurry(session->looks);
	top->looks_now = false;
}

static void take_look(struct session *session)
{
	const struct look *look = looks_take(session->looks);

	if (look)
		top_take_look(&session->top, look);
}

/* Until the user, a signal, or the end of the terminal ends it. */
static void attend(struct session *session)
{
	enum { KEYS, SIGNALS, LOOKS, SOURCES };
	struct top *top = &session->top;
	struct pollfd sources[SOURCES] = {
		[KEYS] = {.fd = session->keys, .events = POLLIN},
		[SIGNALS] = {.fd = session->signals, .events = POLLIN},
		[LOOKS] = {.fd = looks_descriptor(session->looks), .events = POLLIN},
	};

	while (!top->ended && !session->ended_by) {
		draw(top);
		screen_show(top->redraws);
		top->redraws = false;
		/* while frozen a look that is ready stays where it is: no other is begun then */
		sources[LOOKS].events = top->frozen ? 0 : POLLIN;
		if (poll(sources, SOURCES, -1) < 0 && errno != EINTR)
			break;
		if (sources[SIGNALS].revents)
			take_signal(session);
		if (sources[KEYS].revents & POLLIN)
			take_keys(session);
		if (sources[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
			top->ended = true;
		if (sources[LOOKS].revents & POLLIN)
			take_look(session);
	}
}

/* Whether any target is there to begin with; says which are not. */
static bool has_targets(const struct options *options)
{
	struct arena *arena cleanup_arena = arena_create();
	struct pids pids __attribute__((cleanup(pids_deinit))) = {0};
	bool *missing = arena_new(arena, bool, options->tid_count);
	struct look look;

	look_begin(&look, arena);
	selection_find(options, NULL, &look, &pids, missing);
	if (!pids.count)
		report_gaps(&look, false);
	return pids.count;
}

/* Where keys come from: standard input, unless it is no terminal. */
static int open_keys(void)
{
	return isatty(STDIN_FILENO) ? STDIN_FILENO : open("/dev/tty", O_RDONLY | O_CLOEXEC);
}

/* Ends at once where a look hangs: its thread would use what is freed otherwise. */
static int finish(struct session *session)
{
	bool stopped = looks_stop(session->looks);
	int status = 0;

	if (session->ended_by) {
		let_act(session->ended_by);
		status = 128 + session->ended_by; /* where that is ignored */
	}
	if (!stopped)
		_exit(status);
	top_deinit(&session->top);
	close(session->signals);
	return status;
}

int top_run(const struct top_options *top_options)
{
	struct options live = top_options->options;
	struct session session = {.keys = -1};
	sigset_t signals = taken_signals();

	live.verbose = false;           /* there is no place for it */
	live.renderer = &renderer_json; /* which saves */
	live.all = live.all || (!live.target_count && !live.tid_count);
	if (!isatty(STDOUT_FILENO)) {
		message("top is for a terminal, which standard output is not: whystuck show "
			"writes one look");
		return 2;
	}
	look_prepare(&live);
	if (!has_targets(&live))
		return 2;
	session.keys = open_keys();
	if (session.keys < 0) {
		message("top takes keys, and there is no terminal to take them from");
		return 2;
	}
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	session.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!screen_open(session.keys, live.render.color)) {
		const char *terminal = getenv("TERM");
		struct text name cleanup_text = {0};

		text_append_escaped(
			&name, terminal ? terminal : "", terminal ? strlen(terminal) : 0);
		message("the terminal (TERM=%s) is not known, or cannot place text",
			name.bytes ? name.bytes : "");
		return 2;
	}
	top_init(&session.top, &live, &top_options->columns);
	session.top.interval_ns = top_options->interval_ns;
	session.looks = looks_start(&live, top_options->interval_ns);
	if (session.looks && session.signals >= 0) {
		measure(&session);
		attend(&session);
	}
	screen_close();
	if (!session.looks || session.signals < 0) {
		message("top could not begin: %s", error_errno(errno).reason);
		return 2;
	}
	return finish(&session);
}
