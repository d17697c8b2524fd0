// SPDX-License-Identifier: Apache-2.0
/*
 * Live: a process while it is looked at, from opening its directory of /proc to its place in the
 * look, and the facts of /proc/PID that are of the process as a whole. The ways to look share it.
 * What keeps it readable afterwards is for live_process.h.
 */
#pragma once

#include "collect/collector.h"
#include "collect/descriptors.h"
#include "collect/stack_copy.h"
#include "collect/task.h"
#include "model/process.h"

/* One look by a collector of live processes. */
struct session {
	const struct look_request *request;
	struct look *look;
	struct machine *machine;
	struct surroundings *surroundings;
	struct guard *guard;
	struct scheduler_clock *clock;
	struct kernel_stacks *known_stacks;
	size_t stack_budget; /* bytes that may still be copied */
	bool owns_machine;   /* else it is lent, as the guard and the clock may be */
	bool owns_means;
};

void session_init(struct session *session, const struct look_request *request, struct look *look);

/* What the look's processes need is kept, for live_process_release(). */
void session_deinit(struct session *session);

/* How often a process is begun that executes another program under one's eyes. */
#define LIVE_ATTEMPTS 3

/* A process under way: live_end() moves its tasks into the model. */
struct live {
	struct session *session;
	struct process *process;
	int directory; /* /proc/PID: all reads go through it, so that no other process that gets
			  the same id can be mistaken for this one */
	int stat;      /* its file "stat", read at the begin and at the end */
	pid_t leader;  /* the thread that stands for the address space: the main one, if it lives */
	int leader_directory; /* `directory`, or, where that is not its, /proc/PID/task/TID of it;
				 -1: it is gone */
	struct task_reader reader;
	struct task *tasks; /* heap */
	size_t count, capacity;
	int memory_error;                 /* why maps could not be read; 0: it could */
	uint64_t start_code, start_stack; /* they change with an exec */
};

/*
 * Opens the process and reads what is of it as a whole, but for its status. false: it is gone, or
 * shall not be shown: nothing is open.
 */
bool live_open(struct live *live, struct session *session, pid_t pid);

/* Takes the status of the process from where it is known, or reads it. */
void live_take_status(struct live *live, const struct proc_status *status);
void live_read_status(struct live *live);

/* Gives back what live_open() took; nothing of the process is shown. */
void live_forget(struct live *live);

/* Opens the process, reads its status, and lists its threads that the request asks for, without
 * their facts. false: it is gone, or has none of them: nothing is open. */
bool live_begin(struct live *live, struct session *session, pid_t pid);

/* Whether the request asks for the thread, whatever its state. */
bool live_asks_for(const struct live *live, pid_t tid);

/* Adds a thread, without its facts, to those that are looked at. */
void live_add_task(struct live *live, pid_t tid);

/* The first thread of the process, asked for or not, for which @is is true; 0: there is none. */
pid_t live_find_thread(struct live *live, bool (*is)(struct task_reader *reader, pid_t tid));

/* Adds threads that are not known yet; their number. */
size_t live_list_tasks(struct live *live);

/* Reads the facts of tasks[first …). */
void live_read_tasks(struct live *live, size_t first);

/*
 * Copies the stacks of threads of the process, as stack_copy_all() does; in a @hurry where any of
 * them is stopped for it.
 */
void live_copy_stacks(struct live *live, struct stack_copy *copies, size_t count, bool hurry);

/*
 * Copies the stacks of those of @tasks, whose order changes, that are blocked and may not or can
 * not be stopped: sp and pc are known, and that they held still is proved.
 */
void live_copy_passively(struct live *live, struct task **tasks, size_t count);

/*
 * Reads the facts of @tasks, whose order changes, again, stops them for the copy of their registers
 * and stacks, and lets them go; those that can't be stopped are copied passively.
 */
void live_stop_and_copy(struct live *live, struct task **tasks, size_t count);

/*
 * As process->look_again() of the model, with what is kept of the process: /proc/PID, and whether
 * kernel stacks are asked for.
 */
size_t live_look_again(struct process *process, int directory, bool kernel_stacks,
	struct thread **threads, size_t count, struct arena *arena);

/*
 * Ends the process's part in the look: adds its tasks' gaps, moves them into the model and adds
 * the process, or says that it ended. false: it executed another program meanwhile, and what was
 * found is of both, or seems to have ended; it was forgotten and may be begun again. On the @last
 * try its stacks are left out instead.
 */
bool live_end(struct live *live, bool last);
