// SPDX-License-Identifier: Apache-2.0
#include "top/holder.h"

#include <inttypes.h>
#include <string.h>

static struct somebody find_among(
	struct process *const *processes, size_t count, pid_t pid, pid_t tid)
{
	for (size_t i = 0; i < count; i++) {
		struct somebody who = {processes[i], NULL};

		if (pid && who.process->pid != pid)
			continue;
		if (tid)
			who.thread = thread_find(who.process, tid);
		if (pid || who.thread)
			return who;
	}
	return (struct somebody){0};
}

struct somebody somebody_find(const struct look *look, pid_t pid, pid_t tid)
{
	struct somebody who = find_among(look->processes, look->process_count, pid, tid);

	return who.process ? who : find_among(look->related, look->related_count, pid, tid);
}

struct somebody somebody_of_holder(
	const struct look *look, const struct process *process, const struct holder *holder)
{
	struct somebody who = {holder->process, holder->thread};

	if (who.process || holder->unseen || (!holder->pid && !holder->tid))
		return who;
	if (holder->goroutine && holder->pid == process->pid) {
		who.process = process;
		for (size_t i = 0; i < process->thread_count; i++) {
			if (process->threads[i].goroutine == holder->goroutine)
				who.thread = &process->threads[i];
		}
		return who;
	}
	return somebody_find(look, holder->pid, holder->tid);
}

static void append_name(struct text *text, const char *name)
{
	text_append_escaped(text, name ? name : "?", strlen(name ? name : "?"));
}

void holder_append(struct text *text, const struct look *look, const struct process *process,
	const struct holder *holder)
{
	bool is_own = holder->pid == process->pid;
	struct somebody who = somebody_of_holder(look, process, holder);

	if (holder->unseen || (is_own && !holder->tid && !holder->goroutine) ||
		(!holder->pid && !holder->tid)) {
		text_append(text, holder->text ? holder->text : "?");
	} else if (holder->goroutine && is_own) {
		text_append_format(text, "goroutine %" PRIu64, holder->goroutine);
	} else if (holder->tid && (is_own || !holder->pid)) {
		text_append_format(text, "thread %d", holder->tid);
		if (who.thread) {
			text_append(text, " \"");
			append_name(text, who.thread->comm);
			text_append(text, "\"");
		}
	} else {
		if (who.process)
			append_name(text, who.process->comm);
		text_append_format(text, who.process ? " (pid %d)" : "pid %d", holder->pid);
		if (holder->tid)
			text_append_format(text, " thread %d", holder->tid);
		if (holder->goroutine)
			text_append_format(text, " goroutine %" PRIu64, holder->goroutine);
	}
	text_append(text, holder->uncertain ? " ?" : "");
}
