// SPDX-License-Identifier: Apache-2.0
/* What the thread's state alone tells. */
#include "waits/kinds.h"

static bool explain_running(struct waiting *waiting)
{
	if (waiting->thread->state != 'R')
		return false;
	if (waiting->thread->cpu >= 0)
		say(waiting, "runs on CPU %d", waiting->thread->cpu);
	else
		say(waiting, "runs");
	return true;
}

/* Whether other threads of the process live on. */
static size_t count_living(const struct waiting *waiting)
{
	size_t count = 0;

	for (size_t i = 0; i < waiting->process->thread_count; i++) {
		const struct thread *other = &waiting->process->threads[i];

		count += other != waiting->thread && !other->vanished && other->state != 'Z' &&
			 other->state != 'X';
	}
	return count;
}

static bool explain_zombie(struct waiting *waiting)
{
	const struct process *process = waiting->process;

	if (waiting->thread->state != 'Z')
		return false;
	say(waiting, "has ended");
	if (waiting->thread->tid != process->pid)
		return true;
	size_t living = count_living(waiting);
	if (living) {
		say(waiting, "; %zu other thread%s of its process go%s on", living,
			living == 1 ? "" : "s", living == 1 ? "es" : "");
	} else if (process->ppid) {
		say(waiting, "; its parent (pid %d) has not taken its exit status", process->ppid);
		add_holder(waiting, SURE_OWNS, process->ppid, 0, "its parent");
		holders_are_all(waiting);
	}
	return true;
}

static bool explain_dead(struct waiting *waiting)
{
	if (waiting->thread->state != 'X')
		return false;
	say(waiting, "has ended");
	return true;
}

static bool explain_stopped(struct waiting *waiting)
{
	if (waiting->thread->state != 'T')
		return false;
	say(waiting, "is stopped by a signal: SIGCONT lets it go on");
	return true;
}

static bool explain_traced(struct waiting *waiting)
{
	if (waiting->thread->state != 't')
		return false;
	say(waiting, "is stopped by its tracer");
	if (waiting->process->tracer) {
		say(waiting, " (pid %d)", waiting->process->tracer);
		add_holder(waiting, SURE_OWNS, waiting->process->tracer, 0, "its tracer");
		holders_are_all(waiting);
	}
	return true;
}

static bool explain_parked(struct waiting *waiting)
{
	if (waiting->thread->state != 'P')
		return false;
	say(waiting, "is parked");
	return true;
}

static const struct wait_kind rows[] = {
	{"running", false, CALL_OTHER, explain_running},
	{"zombie", false, CALL_OTHER, explain_zombie},
	{"dead", false, CALL_OTHER, explain_dead},
	{"traced", false, CALL_OTHER, explain_traced},
	{"stopped", false, CALL_OTHER, explain_stopped},
	{"parked", true, CALL_OTHER, explain_parked},
};

const struct wait_kinds waits_by_state = KINDS(rows);
