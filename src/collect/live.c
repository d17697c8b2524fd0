// SPDX-License-Identifier: Apache-2.0
#include "collect/live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "collect/live_memory.h"
#include "collect/live_process.h"
#include "collect/process_facts.h"
#include "collect/refusal.h"
#include "collect/stack_copy.h"
#include "collect/surroundings.h"
#include "collect/task_gaps.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define STACK_BUDGET (512 * 1024 * 1024)
#define PASSIVE_ATTEMPTS 3

static struct live_memory *memory_of(struct live *live)
{
	return &((struct live_process *)live->process)->memory;
}

void session_init(struct session *session, const struct look_request *request, struct look *look)
{
	static const struct look_means none;
	const struct look_means *means = request->means ? request->means : &none;

	*session = (struct session){
		.request = request,
		.look = look,
		.machine = means->machine ? means->machine : machine_create(look->arena),
		.guard = request->means ? means->guard : guard_create(request->watch),
		.clock = means->clock,
		.known_stacks = kernel_stacks_create(look->arena),
		.stack_budget = STACK_BUDGET,
		.owns_machine = !means->machine,
		.owns_means = !request->means,
	};
	if (session->owns_machine && request->without_peers)
		machine_leave_out_peers(session->machine);
	if (!request->without_peers)
		session->surroundings = surroundings_create(session->machine, look->arena);
	if (session->owns_means)
		session->clock = scheduler_clock_create(session->guard);
	look->processes = arena_new(look->arena, struct process *, request->pid_count);
	look->process_count = 0;
}

void session_deinit(struct session *session)
{
	kernel_stacks_destroy(session->known_stacks);
	if (session->owns_means)
		scheduler_clock_destroy(session->clock);
	if (session->look->process_count == 0) {
		machine_destroy(session->owns_machine ? session->machine : NULL);
		guard_destroy(session->owns_means ? session->guard : NULL);
	}
}

/* An errno value, or 0. */
static int open_process(struct live *live, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	live->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return live->directory < 0 ? errno : 0;
}

/* Says in the gaps of the look that the process could not be looked at, for this errno value. */
static void say_lost(struct session *session, pid_t pid, int error)
{
	struct look *look = session->look;

	if (error == ENOENT || error == ESRCH)
		gaps_add(&look->gaps, look->arena, STAGE_PROCESS,
			"process %d ended during the look", pid);
	else
		gaps_add(&look->gaps, look->arena, STAGE_PROCESS, "process %d: %s", pid,
			refusal_of_access(error, (uid_t)-1));
}

static void close_all(struct live *live)
{
	if (live->leader_directory >= 0 && live->leader_directory != live->directory)
		close(live->leader_directory);
	close_at(&live->stat);
	free(live->tasks);
	task_reader_deinit(&live->reader);
}

void live_forget(struct live *live)
{
	close_all(live);
	if (live->directory >= 0)
		close(live->directory);
}

static DIR *open_tasks(struct live *live)
{
	int fd = fcntl(task_reader_directory(&live->reader), F_DUPFD_CLOEXEC, 0);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (directory)
		rewinddir(directory);
	else if (fd >= 0)
		close(fd);
	return directory;
}

/* 0: there is no other. */
static pid_t next_task(DIR *directory)
{
	for (struct dirent *entry; (entry = readdir(directory));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			return tid;
	}
	return 0;
}

pid_t live_find_thread(struct live *live, bool (*is)(struct task_reader *reader, pid_t tid))
{
	DIR *directory = open_tasks(live);
	pid_t tid = 0;

	if (!directory)
		return 0;
	do {
		tid = next_task(directory);
	} while (tid && !is(&live->reader, tid));
	closedir(directory);
	return tid;
}

static bool is_alive(struct task_reader *reader, pid_t tid)
{
	char state = task_read_state(reader, tid);

	return state && !strchr("ZX", state);
}

/*
 * The thread that stands for the address space and the files: the main thread, unless that has
 * ended (pthread_exit() in main) and left a zombie that has neither.
 */
static void find_leader(struct live *live, const struct proc_stat *stat)
{
	char path[32];

	live->leader = stat->pid;
	live->leader_directory = live->directory;
	if (stat->state != 'Z')
		return;
	pid_t alive = live_find_thread(live, is_alive);
	if (!alive)
		return;
	live->leader = alive;
	snprintf(path, sizeof(path), "task/%d", alive);
	live->leader_directory = openat(live->directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_space(struct live *live)
{
	bool stuck;

	if (live->process->is_kernel || live->leader_directory < 0)
		return;
	live->memory_error = process_read_space(live->process, live->leader_directory,
		live->session->guard, live->session->look->arena, &stuck);
	if (stuck)
		live_memory_give_up(memory_of(live));
	else if (live->process->cmdline_count) /* fs/proc/base.c, get_mm_cmdline() */
		live_memory_believe(memory_of(live));
	if (live->memory_error == ESRCH || live->memory_error == ENOENT)
		live->memory_error = 0; /* it has just ended, which is said elsewhere */
}

bool live_open(struct live *live, struct session *session, pid_t pid)
{
	struct arena *arena = session->look->arena;
	struct proc_stat stat;

	*live = (struct live){.session = session,
		.directory = -1,
		.leader_directory = -1,
		.stat = -1,
		.reader = {.directory = -1, .sched = -1}};
	int error = open_process(live, pid);
	if (!error)
		live->stat = process_open_stat(live->directory, pid);
	if (!error && (live->stat < 0 || !process_read_stat(live->stat, &stat)))
		error = ESRCH;
	if (error) {
		say_lost(session, pid, error);
		live_forget(live);
		return false;
	}
	if (session->request->no_kernel_threads && stat.flags & PROC_FLAG_KERNEL_THREAD) {
		live_forget(live);
		return false;
	}
	task_reader_init(&live->reader, live->directory, session->request, session->known_stacks,
		session->clock, arena);
	struct live_process *kept = arena_new(arena, struct live_process, 1);
	live->process = &kept->process;
	live->start_code = stat.start_code;
	live->start_stack = stat.start_stack;
	find_leader(live, &stat);
	process_read_facts(live->process, live->leader_directory, &stat,
		session->request->process_places, arena);
	live->process->leader = live->leader;
	live->process->guard = session->guard;
	live_memory_init(
		&kept->memory, live->process, live->leader, live->directory, session->guard, arena);
	read_space(live);
	return true;
}

void live_take_status(struct live *live, const struct proc_status *status)
{
	live->process->uid = status->uid;
	live->process->tracer = status->tracer;
	live->process->namespace_pid = status->namespace_pid;
}

void live_read_status(struct live *live)
{
	struct proc_status status;

	/* A process that is gone meanwhile is found to be so in the end. */
	if (process_read_status(live->directory, &status))
		live_take_status(live, &status);
}

bool live_begin(struct live *live, struct session *session, pid_t pid)
{
	if (!live_open(live, session, pid))
		return false;
	live_read_status(live);
	if (live_list_tasks(live))
		return true;
	live_forget(live);
	return false;
}

void live_copy_stacks(struct live *live, struct stack_copy *copies, size_t count, bool hurry)
{
	struct session *session = live->session;

	stack_copy_all(memory_of(live), &live->process->mappings, copies, count,
		&session->stack_budget, hurry, session->look->arena);
}

bool live_asks_for(const struct live *live, pid_t tid)
{
	const struct look_request *request = live->session->request;
	bool wanted = request->tid_count == 0;

	for (size_t i = 0; i < request->tid_count && !wanted; i++)
		wanted = request->tids[i] == tid;
	return wanted;
}

static bool is_wanted(struct live *live, pid_t tid)
{
	const struct look_request *request = live->session->request;
	bool wanted = live_asks_for(live, tid);

	if (wanted && request->states) {
		char state = task_read_state(&live->reader, tid);

		wanted = state && strchr(request->states, state);
	}
	return wanted;
}

static int by_tid(const void *one, const void *other)
{
	const struct task *a = one, *b = other;

	return (a->thread.tid > b->thread.tid) - (a->thread.tid < b->thread.tid);
}

static bool is_known(const struct live *live, size_t known, pid_t tid)
{
	struct task key = {.thread.tid = tid};

	return known && bsearch(&key, live->tasks, known, sizeof(key), by_tid);
}

void live_add_task(struct live *live, pid_t tid)
{
	array_reserve(live->tasks, live->count, live->capacity);
	live->tasks[live->count++] = (struct task){
		.thread = {.tid = tid, .cpu = -1, .blocked_ns = -1, .ran_at_ns = -1, .state = '?'},
	};
}

size_t live_list_tasks(struct live *live)
{
	size_t known = live->count;
	DIR *directory = open_tasks(live);

	if (!directory)
		return 0;
	for (pid_t tid; (tid = next_task(directory));) {
		if (is_known(live, known, tid) || !is_wanted(live, tid))
			continue;
		live_add_task(live, tid);
	}
	closedir(directory);
	/* The known ones stay in front: a new id is as a rule above the old ones, but not always.
	 */
	if (live->count > known)
		qsort(live->tasks + known, live->count - known, sizeof(*live->tasks), by_tid);
	return live->count - known;
}

void live_read_tasks(struct live *live, size_t first)
{
	for (size_t i = first; i < live->count; i++)
		task_read(&live->reader, &live->tasks[i]);
}

/* Why a blocked task's stack can't be copied passively, or TASK_PENDING where it can. */
static enum task_outcome passive_outcome(struct live *live, struct task *task)
{
	if (task->syscall_error || live->memory_error) {
		task->error = task->syscall_error ? task->syscall_error : live->memory_error;
		return TASK_REFUSED;
	}
	if (task->thread.state == 'R' || !task->has_place)
		return TASK_RUNS;
	return task->settled ? TASK_PENDING : TASK_MOVING;
}

static void take_copy(struct live *live, struct task *task, const struct stack_copy *copy)
{
	struct thread *thread = &task->thread;

	if (!task_held_still(&live->reader, task)) {
		/* Once more, with new facts. */
		task_read(&live->reader, task);
		return;
	}
	task->outcome = TASK_COPIED;
	task->error = copy->error;
	thread->registers = (struct registers){0};
	register_set(&thread->registers, arch_native->sp, task->place.sp);
	register_set(&thread->registers, arch_native->pc, task->place.pc);
	thread->stack_start = copy->start;
	thread->stack_bytes = copy->bytes;
	thread->stack_length = copy->length;
	thread->held_still = true;
}

void live_copy_passively(struct live *live, struct task **tasks, size_t count)
{
	struct stack_copy *copies cleanup_free = allocate_zeroed(count, sizeof(*copies));

	for (int attempt = 0; attempt < PASSIVE_ATTEMPTS; attempt++) {
		size_t pending = 0;

		for (size_t i = 0; i < count; i++) {
			struct task *task = tasks[i];

			if (!task_has_user_stack(task) || task->outcome == TASK_COPIED)
				continue;
			task->outcome = passive_outcome(live, task);
			if (task->outcome != TASK_PENDING)
				continue;
			/* Tasks that are done with are not looked at again: keep the others
			 * together. */
			struct task *swapped = tasks[pending];
			tasks[pending] = task;
			tasks[i] = swapped;
			copies[pending++] = (struct stack_copy){
				.sp = task->place.sp, .limit = STACK_LIMIT_BLOCKED};
		}
		if (pending == 0)
			return;
		live_copy_stacks(live, copies, pending, false);
		for (size_t i = 0; i < pending; i++)
			take_copy(live, tasks[i], &copies[i]);
		count = pending;
	}
	for (size_t i = 0; i < count; i++) {
		if (tasks[i]->outcome == TASK_PENDING && !tasks[i]->thread.vanished)
			tasks[i]->outcome = tasks[i]->has_place ? TASK_MOVING : TASK_RUNS;
	}
}

/* It was gone before anything of it could be read. */
static bool is_unknown(const struct task *task)
{
	return !task->thread.comm;
}

static size_t count_unknown(const struct live *live)
{
	size_t count = 0;

	for (size_t i = 0; i < live->count; i++)
		count += is_unknown(&live->tasks[i]);
	return count;
}

static void say_unknown(struct live *live, size_t count)
{
	if (count)
		gaps_add(&live->process->gaps, live->session->look->arena, STAGE_PROCESS,
			"%zu thread%s of it ended before %s could be looked at", count,
			count == 1 ? "" : "s", count == 1 ? "it" : "they");
}

/* No thread has slept for longer than its process has been there: each CPU has a clock of its own.
 */
static void bound_sleep(const struct process *process, struct thread *thread)
{
	int64_t age_ns = clock_ns(CLOCK_REALTIME) - process->started_at_ns;

	if (process->started_at_ns >= 0 && age_ns >= 0 && thread->blocked_ns > age_ns)
		thread->blocked_ns = age_ns;
}

static void finish(struct live *live)
{
	struct look *look = live->session->look;
	struct process *process = live->process;
	struct live_process *kept = (struct live_process *)process;

	qsort(live->tasks, live->count, sizeof(*live->tasks), by_tid);
	process->threads = arena_new(look->arena, struct thread, live->count);
	say_unknown(live, count_unknown(live));
	for (size_t i = 0; i < live->count; i++) {
		struct task *task = &live->tasks[i];

		if (is_unknown(task))
			continue;
		bound_sleep(process, &task->thread);
		/* Runtimes know their threads by these ids. */
		if (process->namespace_pid && process->namespace_pid != process->pid)
			task->thread.namespace_tid =
				task_read_namespace_id(&live->reader, task->thread.tid);
		task_add_gaps(task, process, live->session->request, look->arena);
		if (!process->tracer)
			process->tracer = task->tracer;
		/* The main thread stands first, wherever its id does. */
		if (task->thread.tid == process->pid && process->thread_count) {
			memmove(process->threads + 1, process->threads,
				process->thread_count * sizeof(*process->threads));
			process->threads[0] = task->thread;
		} else {
			process->threads[process->thread_count] = task->thread;
		}
		process->thread_count++;
	}
	kept->directory = live->directory;
	kept->machine = live->session->owns_machine ? live->session->machine : NULL;
	kept->guard = live->session->owns_means ? live->session->guard : NULL;
	live_memory_use_copies(&kept->memory);
	if (!process->is_kernel && !live->memory_error && process->mappings.count)
		process->memory = &kept->memory.memory;
	else if (live->memory_error && live->memory_error != ETIMEDOUT)
		gaps_add(&process->gaps, look->arena, STAGE_PROCESS, "its memory can't be read: %s",
			refusal_of_access(live->memory_error, process->uid));
	kept->kernel_stacks = live->session->request->kernel_stacks;
	live_process_answer(kept, live->session->request->may_look_again && process->memory);
	process->descriptors = descriptors_open(
		process->pid, live->directory, live->session->machine, look->arena);
	process->surroundings = live->session->surroundings;
	if (live->session->request->process_info)
		process_read_info(process, live->directory, look->arena);
	look->processes[look->process_count++] = process;
	close_all(live);
}

/* The threads' stacks are of one program, their names and modules of another. */
static void forget_stacks(struct live *live)
{
	for (size_t i = 0; i < live->count; i++) {
		struct thread *thread = &live->tasks[i].thread;

		thread->registers = (struct registers){0};
		thread->entry = (struct syscall_entry){0};
		thread->stack_bytes = NULL;
		thread->stack_length = 0;
		thread->held_still = false;
		thread->kernel_stack = NULL;
	}
	gaps_add(&live->process->gaps, live->session->look->arena, STAGE_PROCESS,
		"it executed another program during the look: its stacks are left out");
}

/*
 * What /proc tells of the threads of a process that lives and of which the collector's way told
 * nothing: there are kernels that keep a task from BPF.
 */
static void look_by_proc(struct live *live)
{
	live_list_tasks(live);
	struct task **tasks cleanup_free = allocate_zeroed(live->count, sizeof(*tasks));

	for (size_t i = 0; i < live->count; i++) {
		tasks[i] = &live->tasks[i];
		tasks[i]->thread.vanished = false;
		task_read(&live->reader, tasks[i]);
	}
	if (live->session->request->user_stacks)
		live_copy_passively(live, tasks, live->count);
}

bool live_end(struct live *live, bool last)
{
	struct proc_stat stat;
	bool here = process_read_stat(live->stat, &stat);
	bool same = here && stat.start_code == live->start_code &&
		    stat.start_stack == live->start_stack;

	/* A zombie has lost its address space: it ended, and executed nothing. But so it looks as
	 * well while another thread than the main one executes: fs/exec.c, de_thread(). */
	bool unknown = count_unknown(live) == live->count;
	if (unknown && last && same && !strchr("ZX", stat.state)) {
		look_by_proc(live);
		unknown = count_unknown(live) == live->count;
	}
	bool ended = !here || unknown || (!same && strchr("ZX", stat.state));
	if (ended && last) {
		say_lost(live->session, live->process->pid, ESRCH);
		live_forget(live);
		return true;
	}
	if (ended || (!same && !last)) {
		static const struct timespec pause = {.tv_nsec = NS_PER_MS};

		live_forget(live);
		if (ended)
			nanosleep(&pause, NULL);
		return false;
	}
	if (!same)
		forget_stacks(live);
	finish(live);
	return true;
}
