// SPDX-License-Identifier: Apache-2.0
#include "collect/task_gaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "collect/refusal.h"
#include "util/file.h"

static const char *comm_of(pid_t pid, struct arena *arena)
{
	struct text comm cleanup_text = {0};
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (failed(file_read(AT_FDCWD, path, PROC_COMM_SIZE, &comm)) || comm.length == 0)
		return "?";
	if (comm.bytes[comm.length - 1] == '\n')
		comm.bytes[--comm.length] = '\0';
	return escaped(arena, text_to_arena(&comm, arena));
}

static const char *refusal(int error, const struct process *process)
{
	return error == ETIMEDOUT ? "the process's memory gave no answer"
				  : refusal_of_access(error, process->uid);
}

static void add_user_stack_gaps(struct task *task, const struct process *process,
	const struct look_request *request, struct arena *arena)
{
	struct gaps *gaps = &task->thread.gaps;
	enum stage stage = STAGE_USER_STACK;

	if (task->tracer)
		gaps_add(gaps, arena, stage,
			"process %d (%s) traces it already, so its registers but sp and pc are not "
			"known",
			task->tracer, comm_of(task->tracer, arena));
	switch (task->outcome) {
	case TASK_COPIED:
		if (task->error == ENOBUFS)
			gaps_add(gaps, arena, stage,
				"its stack was not copied: the look's 512 MiB for stacks are used "
				"up");
		else if (task->error)
			gaps_add(gaps, arena, stage, "its stack could not be copied: %s",
				task->error == EFAULT ? "sp points to no memory"
						      : refusal(task->error, process));
		break;
	case TASK_REFUSED:
		gaps_add(gaps, arena, stage, "%s", refusal(task->error, process));
		break;
	case TASK_NOT_NATIVE:
		gaps_add(gaps, arena, stage, "it runs 32-bit code, whose stack is not decoded");
		break;
	case TASK_PENDING:
	case TASK_RUNS:
	case TASK_MOVING:
		if (task->was_late)
			gaps_add(gaps, arena, stage,
				"it was asked to stop for the copy of its stack and did not in "
				"time");
		else if (task->tracer)
			break;
		else if (task->unread)
			gaps_add(gaps, arena, stage,
				"its stack gave no answer while it was stopped for the copy");
		else if (request->stop != STOP_NEVER)
			gaps_add(gaps, arena, stage, "it was moving each time it was looked at");
		else if (task->outcome == TASK_RUNS)
			gaps_add(gaps, arena, stage,
				"it runs: its stack can't be read without a stop (--stop=auto)");
		else
			gaps_add(gaps, arena, stage,
				"it was moving each time it was looked at: its stack can't be read "
				"without a stop (--stop=auto)");
		break;
	}
}

void task_add_gaps(struct task *task, const struct process *process,
	const struct look_request *request, struct arena *arena)
{
	struct thread *thread = &task->thread;

	if (thread->vanished) {
		gaps_add(&thread->gaps, arena, STAGE_THREAD, "it ended during the look");
		return;
	}
	if (task_is_dead(task))
		return;
	if (request->kernel_stacks) {
		if (task->stack_error)
			gaps_add(&thread->gaps, arena, STAGE_KERNEL_STACK, "%s",
				refusal_of_kernel_stack(task->stack_error));
		else if (task->moved || (!task->settled && thread->state != 'R'))
			gaps_add(&thread->gaps, arena, STAGE_KERNEL_STACK,
				"it was moving each time it was looked at");
	}
	if (task->syscall_error && !thread->entry.known)
		gaps_add(&thread->gaps, arena, STAGE_SYSCALL, "%s",
			refusal_of_access(task->syscall_error, process->uid));
	if (request->user_stacks && task_has_user_stack(task))
		add_user_stack_gaps(task, process, request, arena);
}
