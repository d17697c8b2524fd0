// SPDX-License-Identifier: Apache-2.0
/* Holder: on whom a thread waits, as the live view says and follows it. */
#pragma once

#include "model/process.h"
#include "util/text.h"

/* Appends who it is: "thread 17 "worker"", "cat (pid 7)"; "?" after what is a guess. Escaped. */
void holder_append(struct text *text, const struct look *look, const struct process *process,
	const struct holder *holder);

/* Somebody in a look; thread NULL: the process as a whole; process NULL: nobody. */
struct somebody {
	const struct process *process;
	const struct thread *thread;
};

struct somebody somebody_find(const struct look *look, pid_t pid, pid_t tid);

/* Whom the holder of @process's wait names, where the look has it. */
struct somebody somebody_of_holder(
	const struct look *look, const struct process *process, const struct holder *holder);
