// SPDX-License-Identifier: Apache-2.0
#include "top/holder.h"

#include <inttypes.h>
#include <string.h>

static const struct thread *find_thread(const struct process *process, pid_t tid)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		if (process->threads[i].tid == tid)
			return &process->threads[i];
	}
	return NULL;
}

struct party party_find(const struct look *look, pid_t pid, pid_t tid)
{
	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];
		struct party party = {process, NULL};

		if (pid && process->pid != pid)
			continue;
		if (tid)
			party.thread = find_thread(process, tid);
		if (pid || party.thread)
			return party;
	}
	return (struct party){0};
}

struct party holder_party(
	const struct look *look, const struct process *process, const struct holder *holder)
{
	struct party party = {0};

	if (holder->unseen || (!holder->pid && !holder->tid))
		return party;
	if (holder->goroutine && holder->pid == process->pid) {
		party.process = process;
		for (size_t i = 0; i < process->thread_count; i++) {
			if (process->threads[i].goroutine == holder->goroutine)
				party.thread = &process->threads[i];
		}
		return party;
	}
	return party_find(look, holder->pid, holder->tid);
}

static void append_name(struct text *text, const char *name)
{
	text_append_escaped(text, name ? name : "?", strlen(name ? name : "?"));
}

void holder_append(struct text *text, const struct look *look, const struct process *process,
	const struct holder *holder)
{
	bool is_own = holder->pid == process->pid;
	struct party party = holder_party(look, process, holder);

	if (holder->unseen || (is_own && !holder->tid && !holder->goroutine) ||
		(!holder->pid && !holder->tid)) {
		text_append(text, holder->text ? holder->text : "?");
	} else if (holder->goroutine && is_own) {
		text_append_format(text, "goroutine %" PRIu64, holder->goroutine);
	} else if (holder->tid && (is_own || !holder->pid)) {
		text_append_format(text, "thread %d", holder->tid);
		if (party.thread) {
			text_append(text, " \"");
			append_name(text, party.thread->comm);
			text_append(text, "\"");
		}
	} else {
		if (party.process)
			append_name(text, party.process->comm);
		text_append_format(text, party.process ? " (pid %d)" : "pid %d", holder->pid);
		if (holder->tid)
			text_append_format(text, " thread %d", holder->tid);
		if (holder->goroutine)
			text_append_format(text, " goroutine %" PRIu64, holder->goroutine);
	}
	text_append(text, holder->uncertain ? " ?" : "");
}
