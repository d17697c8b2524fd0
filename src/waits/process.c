// SPDX-License-Identifier: Apache-2.0
/* Waiting for children, and for signals. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "waits/kinds.h"

static void say_child(struct waiting *waiting, pid_t pid, const char *to)
{
	say(waiting, "waits for child %d to %s", pid, to);
	if (same_pid_namespace(waiting)) {
		add_holder(waiting, SURE_OWNS, pid, 0, "the child");
		holders_are_all(waiting);
	} else {
		say(waiting, " (a pid of its own namespace)");
	}
}

/* @group: 0: whichever, OWN_GROUP: of the process group that it is in. */
static void say_any_child(struct waiting *waiting, pid_t group, const char *to)
{
	struct surroundings *surroundings = waiting->process->surroundings;

	waiting->idle = true;
	say(waiting, "waits for any child ");
	if (group > 0)
		say(waiting, "of process group %d ", group);
	else if (group == OWN_GROUP)
		say(waiting, "of its process group ");
	say(waiting, "to %s", to);
	if (!surroundings || (group > 0 && !same_pid_namespace(waiting)))
		return;
	struct parties children =
		surroundings->children(surroundings, waiting->process->pid, 0, group);
	add_parties(waiting, &children, "a child of it");
}

static bool explain_wait4(struct waiting *waiting)
{
	int index = call_parameter(waiting->call, "pid");

	if (index < 0)
		return false;
	pid_t pid = (pid_t)waiting->call->arguments[index];
	if (pid > 0)
		say_child(waiting, pid, "end");
	else
		say_any_child(waiting,
			pid < -1 ? (pid_t) - (int64_t)pid
			: pid    ? 0
				 : OWN_GROUP,
			"end");
	return true;
}

static bool explain_waitid(struct waiting *waiting)
{
	pid_t id = (pid_t)call_value(waiting, "id");
	const char *to = call_value(waiting, "options") & WEXITED ? "end" : "stop or go on";
	const struct descriptor *descriptor;

	switch ((int)call_value(waiting, "idtype")) {
	case P_PID:
		say_child(waiting, id, to);
		return true;
	case P_PIDFD:
		descriptor = waiting->process->descriptors->find(waiting->process->descriptors, id);
		if (descriptor && descriptor->kind == DESCRIPTOR_PIDFD && descriptor->pid > 0) {
			say(waiting, "waits for child %d to %s", descriptor->pid, to);
			add_holder(waiting, SURE_OWNS, descriptor->pid, 0, "the child");
			holders_are_all(waiting);
		} else {
			say(waiting, "waits for the child of pidfd %d to %s", id, to);
		}
		return true;
	case P_PGID:
		say_any_child(waiting, id > 0 ? id : OWN_GROUP, to);
		return true;
	default:
		say_any_child(waiting, 0, to);
		return true;
	}
}

static bool explain_signal(struct waiting *waiting)
{
	/* rt_sigtimedwait's set is what is waited for; rt_sigsuspend's mask what is not. */
	if (call_value(waiting, "set")) {
		say(waiting, "waits for a signal: ");
		say_argument(waiting, "set");
	} else {
		say(waiting, "waits for a signal");
	}
	say_timeout(waiting);
	return true;
}

static bool explain_ptrace(struct waiting *waiting)
{
	pid_t pid = (pid_t)call_value(waiting, "pid");

	say(waiting, "waits in ptrace of process %d", pid);
	if (same_pid_namespace(waiting))
		add_holder(waiting, SURE_OWNS, pid, 0, "the process that it traces");
	return true;
}

static const struct wait_kind rows[] = {
	{"child", false, CALL_CHILD, explain_wait4},
	{"child", false, CALL_CHILD, explain_waitid},
	{"signal", true, CALL_SIGNAL, explain_signal},
	{"ptrace", false, CALL_PTRACE, explain_ptrace},
};

const struct wait_kinds waits_for_process = KINDS(rows);
