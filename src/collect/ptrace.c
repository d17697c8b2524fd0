// SPDX-License-Identifier: Apache-2.0
/*
 * The way that stops threads, for no longer than the copying of their registers and stacks.
 *
 * What a stop would change (state, wait, syscall, kernel stack) is read before it. The registers
 * found in the stop must then be those that /proc told of; a thread for which they are not went
 * on in between and is looked at once more.
 *
 * All tracing is done in a thread of its own. A tracer can let go only of a thread that has
 * stopped; one that did not stop in time (it went into uninterruptible sleep, or the machine is
 * too busy) can't be let go by any call. But the kernel lets go of all when the tracer ends, and a
 * tracer is a thread, not a process (kernel/exit.c, exit_notify(); kernel/ptrace.c, exit_ptrace()).
 * So where something was left the thread ends at once, and a new one goes on with the next process.
 * A child process could be ended as well, but it would outlive this one for a moment when that
 * is killed, and hold threads meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "collect/live.h"
#include "collect/live_process.h"
#include "collect/process_facts.h"
#include "collect/stack_copy.h"
#include "collect/tracer.h"
#include "collect/ways.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

#define ATTEMPTS 3
#define PATIENCE_NS (200 * NS_PER_MS)
#define PATIENCE_PER_THREAD_NS (100 * 1000)
#define TRACER_STACK (512 * 1024)

struct tracing {
	struct session session;
	size_t next; /* of request->pids */
	int attempt; /* at that process */
	struct live live;
	bool is_open; /* `live` has begun and not ended */
	bool left;    /* some thread may be traced still: the tracer must end */
	pid_t tracer;
};

/* Threads that are stopped together. */
struct stop {
	struct live *live;
	struct task **tasks;
	struct tracee *tracees;
	struct stack_copy *copies;
	size_t count;
};

static void stop_init(struct stop *stop, struct live *live, struct task **tasks, size_t count)
{
	*stop = (struct stop){
		.live = live,
		.tasks = tasks,
		.tracees = allocate_zeroed(count, sizeof(struct tracee)),
		.copies = allocate_zeroed(count, sizeof(struct stack_copy)),
		.count = count,
	};
	for (size_t i = 0; i < count; i++)
		stop->tracees[i].tid = tasks[i]->thread.tid;
}

static void stop_deinit(struct stop *stop)
{
	free(stop->tracees);
	free(stop->copies);
}

/* Whether a stopped thread is where it was blocked before: nothing but the stop woke it. */
static bool is_at_place(const struct task *task, const struct registers *registers,
	const struct syscall_entry *entry)
{
	uint64_t pc = registers->value[arch_native->pc];
	long number = task->place.entry.number;

	return task->has_place && registers->value[arch_native->sp] == task->place.sp &&
	       (pc == task->place.pc || pc + arch_native->restart_distance == task->place.pc) &&
	       (!entry->known || entry->number == number || (entry->number < 0 && number < 0));
}

/* Takes a stopped thread's registers, and plans the copy of its stack. */
static void take_registers(struct task *task, struct tracee *tracee, struct stack_copy *copy)
{
	struct thread *thread = &task->thread;
	struct syscall_entry entry;
	_Alignas(16) uint8_t regset[4096];
	size_t size = sizeof(regset);

	if (!tracer_registers(tracee, regset, &size)) {
		thread->vanished = true;
		return;
	}
	if (!arch_native->decode_prstatus(regset, size, &thread->registers, &entry)) {
		task->outcome = TASK_NOT_NATIVE;
		return;
	}
	task->was_at_place = is_at_place(task, &thread->registers, &entry);
	/* What the register set does not tell: where pc was put back, the call is made again. */
	if (task->was_at_place && !entry.known)
		entry.in_syscall = thread->registers.value[arch_native->pc] != task->place.pc;
	if (task->was_at_place)
		register_set(&thread->registers, arch_native->pc, task->place.pc);
	/* Stopped before by this very look, the thread is in restart_syscall now. */
	if (task->was_at_place && thread->entry.number == SYS_restart_syscall &&
		task->stopped_entry.in_syscall && task->stopped_sp == task->place.sp)
		thread->entry.number = task->stopped_entry.number;
	else if (!task->was_at_place)
		thread->entry = entry;
	task->stopped_entry = entry;
	task->stopped_entry.number = thread->entry.number;
	task->stopped_sp = thread->registers.value[arch_native->sp];
	task->outcome = TASK_COPIED;
	copy->sp = task->stopped_sp;
	copy->limit = task->was_at_place ? STACK_LIMIT_BLOCKED : STACK_LIMIT_RUNNING;
}

static void take_refusal(struct live *live, struct task *task, const struct tracee *tracee)
{
	if (tracee->state == TRACEE_GONE) {
		task->thread.vanished = true;
	} else if (tracee->state == TRACEE_REFUSED) {
		task->tracer = task_read_tracer(&live->reader, tracee->tid);
		task->outcome = TASK_REFUSED;
		task->error = tracee->error;
	} else {
		task->was_late = true;
	}
}

/* Copies the stacks of those that have stopped. */
static void copy_stacks(struct stop *stop)
{
	struct stack_copy *packed cleanup_free = allocate_zeroed(stop->count, sizeof(*packed));
	size_t count = 0;

	for (size_t i = 0; i < stop->count; i++) {
		if (stop->copies[i].limit)
			packed[count++] = stop->copies[i];
	}
	live_copy_stacks(stop->live, packed, count, true);
	count = 0;
	for (size_t i = 0; i < stop->count; i++) {
		struct task *task = stop->tasks[i];
		const struct stack_copy *copy = &packed[count];

		if (!stop->copies[i].limit)
			continue;
		count++;
		/* Without a stop there is time to try it once more. */
		task->unread = copy->error == ETIMEDOUT;
		if (task->unread)
			task->outcome = TASK_PENDING;
		task->error = copy->error;
		task->thread.stack_start = copy->start;
		task->thread.stack_bytes = copy->bytes;
		task->thread.stack_length = copy->length;
	}
}

/* Stops the threads, takes what only a stop gives, and lets them go. false: not all could be. */
static bool stop_and_copy(struct live *live, struct task **tasks, size_t count)
{
	struct stop stop;

	stop_init(&stop, live, tasks, count);
	tracer_stop(stop.tracees, count, PATIENCE_NS + (int64_t)count * PATIENCE_PER_THREAD_NS);
	for (size_t i = 0; i < count; i++) {
		if (stop.tracees[i].state == TRACEE_STOPPED)
			take_registers(tasks[i], &stop.tracees[i], &stop.copies[i]);
	}
	copy_stacks(&stop);
	bool all = tracer_release(stop.tracees, count);
	for (size_t i = 0; i < count; i++) {
		tasks[i]->thread.stopped_ns += stop.tracees[i].stopped_ns;
		if (tasks[i]->outcome == TASK_PENDING && !tasks[i]->unread)
			take_refusal(live, tasks[i], &stop.tracees[i]);
	}
	stop_deinit(&stop);
	return all;
}

/* Whether the stop found it elsewhere than its facts say: they are not of one moment. */
static bool has_moved(const struct task *task)
{
	return task->outcome == TASK_COPIED && task->has_place && !task->was_at_place;
}

static bool can_stop(const struct task *task)
{
	return task_has_user_stack(task) && !task_is_uninterruptible(task) && !task->tracer &&
	       !task->was_late && !task->unread;
}

/* Keeps those at the front that went on, with new facts. */
static size_t read_moved_again(struct live *live, struct task **tasks, size_t count)
{
	static const struct timespec pause = {.tv_nsec = 200 * 1000};
	size_t moved = 0;

	for (size_t i = 0; i < count; i++) {
		if (has_moved(tasks[i]))
			tasks[moved++] = tasks[i];
	}
	/* Let them come to rest again after the stop. */
	if (moved)
		nanosleep(&pause, NULL);
	count = moved;
	moved = 0;
	for (size_t i = 0; i < count; i++) {
		struct thread *thread = &tasks[i]->thread;

		tasks[i]->outcome = TASK_PENDING;
		thread->registers = (struct registers){0};
		thread->stack_bytes = NULL;
		thread->stack_length = 0;
		if (task_read(&live->reader, tasks[i]) && can_stop(tasks[i]))
			tasks[moved++] = tasks[i];
	}
	return moved;
}

/* The facts are of another moment than the stack: what a thread does in the kernel must go. */
static void forget_facts(struct task *task)
{
	task->moved = true;
	task->thread.kernel_stack = NULL;
	task->thread.wchan = NULL;
	task->thread.blocked_ns = -1;
}

/* Stops the tasks, those again that went on meanwhile. false: some may be traced still. */
static bool stop_tasks(struct live *live, struct task **tasks, size_t count)
{
	bool all = true;

	for (int attempt = 1; count; attempt++) {
		all = stop_and_copy(live, tasks, count);
		if (attempt == ATTEMPTS || !all)
			break;
		count = read_moved_again(live, tasks, count);
	}
	for (size_t i = 0; i < count; i++) {
		if (has_moved(tasks[i]))
			forget_facts(tasks[i]);
	}
	return all;
}

/* Stops tasks[first …). */
static void look_with_stops(struct tracing *tracing, size_t first)
{
	struct live *live = &tracing->live;
	struct task **tasks cleanup_free =
		allocate_zeroed(live->count - first, sizeof(struct task *));
	size_t count = 0;

	for (size_t i = first; i < live->count; i++) {
		if (can_stop(&live->tasks[i]))
			tasks[count++] = &live->tasks[i];
	}
	tracing->left = !stop_tasks(live, tasks, count);
}

/* Those that could not be stopped: in uninterruptible sleep, late, or another's tracees. */
static void look_without_stops(struct live *live)
{
	struct task **tasks cleanup_free = allocate_zeroed(live->count, sizeof(struct task *));
	size_t count = 0;

	for (size_t i = 0; i < live->count; i++) {
		struct task *task = &live->tasks[i];

		if (task_has_user_stack(task) &&
			(task->outcome == TASK_PENDING || task->tracer || task->was_late))
			tasks[count++] = task;
	}
	live_copy_passively(live, tasks, count);
}

/*
 * Whether the thread is back in the wait from which it was stopped, and ran none of its own code
 * meanwhile: the kernel restarted its syscall.
 */
static bool is_back(struct live *live, struct task *task, bool *under_way)
{
	struct proc_syscall place;

	*under_way = false;
	if (!task_read_place(&live->reader, task->thread.tid, &place)) {
		task->thread.vanished = errno == ESRCH || errno == ENOENT;
		return false;
	}
	*under_way = place.running;
	return !place.running && place.sp == task->place.sp && place.pc == task->place.pc &&
	       (place.entry.number == task->place.entry.number ||
		       place.entry.number == SYS_restart_syscall);
}

static void check_held_still(struct live *live)
{
	static const struct timespec pause = {.tv_nsec = 200 * 1000};
	bool again = true;

	for (int attempt = 0; attempt < ATTEMPTS && again; attempt++) {
		if (attempt)
			nanosleep(&pause, NULL);
		again = false;
		for (size_t i = 0; i < live->count; i++) {
			struct task *task = &live->tasks[i];
			bool under_way;

			if (task->outcome != TASK_COPIED || task->thread.held_still ||
				task->thread.vanished || !task->was_at_place)
				continue;
			if (!task->stopped_entry.in_syscall && task->stopped_entry.known &&
				task->thread.state != 'T')
				continue;
			task->thread.held_still = is_back(live, task, &under_way);
			task->thread.ran_at_ns = -1; /* it ran for the stop */
			again |= under_way;
		}
	}
}

/* What is left to do once nothing is traced any more. false: it is to be looked at again. */
static bool end_process(struct tracing *tracing)
{
	struct live *live = &tracing->live;

	if (live->session->request->user_stacks) {
		look_without_stops(live);
		check_held_still(live);
	}
	tracing->is_open = false;
	return live_end(live, tracing->attempt == LIVE_ATTEMPTS);
}

static bool is_exec(const struct syscall_entry *entry)
{
	return entry->in_syscall && (entry->number == SYS_execve || entry->number == SYS_execveat);
}

static bool is_in_exec(struct task_reader *reader, pid_t tid)
{
	struct proc_syscall place;

	return task_read_place(reader, tid, &place) && is_exec(&place.entry);
}

/*
 * Whether a thread is held up in an exec. That holds the process's cred_guard_mutex, for which
 * PTRACE_SEIZE waits without end (kernel/ptrace.c, ptrace_attach(); fs/exec.c, bprm_execve()).
 */
static bool is_executing(struct live *live)
{
	const struct look_request *request = live->session->request;

	for (size_t i = 0; i < live->count; i++) {
		if (is_exec(&live->tasks[i].thread.entry))
			return true;
	}
	/* It need not be one of those that are looked at. */
	return (request->tid_count || request->states) && live_find_thread(live, is_in_exec);
}

/* The thread that traces the one with this directory of /proc; 0: none does. */
static pid_t read_tracer(const char *path)
{
	int directory cleanup_close = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_status status;

	return directory >= 0 && process_read_status(directory, &status) ? status.tracer : 0;
}

/*
 * Whether the process traces this very thread (whystuck under strace), or who does, or so on: while
 * it is stopped it would not let this thread go on, which alone can let go of it.
 */
static bool is_followed_by(const struct live *live)
{
	enum { TRACERS_MAX = 16 };
	pid_t tracer = read_tracer("/proc/thread-self");
	char path[32];

	for (int i = 0; tracer && i < TRACERS_MAX; i++) {
		snprintf(path, sizeof(path), "task/%d", tracer);
		if (faccessat(live->directory, path, F_OK, 0) == 0)
			return true;
		snprintf(path, sizeof(path), "/proc/%d", tracer);
		tracer = read_tracer(path);
	}
	return false;
}

/* Whether threads may be stopped now: nothing then makes the tracer wait without end. */
static bool may_stop(struct live *live)
{
	const char *problem = NULL;

	if (live->process->is_stuck)
		return false; /* their stacks could not be copied */
	if (is_executing(live))
		problem = "a thread of it is held up in an exec, so none could be stopped";
	else if (is_followed_by(live))
		problem = "it traces whystuck itself, so none of its threads could be stopped";
	if (problem)
		gaps_add(&live->process->gaps, live->session->look->arena, STAGE_PROCESS, "%s",
			problem);
	return !problem;
}

static void begin_process(struct tracing *tracing)
{
	const struct look_request *request = tracing->session.request;
	struct live *live = &tracing->live;

	tracing->is_open = live_begin(live, &tracing->session, request->pids[tracing->next]);
	if (!tracing->is_open)
		return;
	live_read_tasks(live, 0);
	if (!request->user_stacks || !may_stop(live))
		return;
	look_with_stops(tracing, 0);
	/* Those that were started meanwhile, once. */
	size_t known = live->count;
	if (!tracing->left && live_list_tasks(live) > 0) {
		live_read_tasks(live, known);
		look_with_stops(tracing, known);
	}
}

static void go_on(struct tracing *tracing)
{
	if (tracing->is_open && !end_process(tracing)) {
		tracing->attempt++;
		return;
	}
	tracing->next++;
	tracing->attempt = 1;
}

static void *trace(void *argument)
{
	struct tracing *tracing = argument;

	tracing->tracer = gettid();
	while (tracing->next < tracing->session.request->pid_count) {
		begin_process(tracing);
		if (tracing->left)
			break;
		go_on(tracing);
	}
	return NULL;
}

/* Waits until the tracer is gone and has let go of all: pthread_join() returns a little earlier. */
static void await_end(pid_t tracer)
{
	static const struct timespec pause = {.tv_nsec = 100 * 1000};

	while (tgkill(getpid(), tracer, 0) == 0)
		nanosleep(&pause, NULL);
}

/* Runs @trace in a thread of its own until that has ended. false: none could be started. */
static bool run_tracer(void *(*run)(void *), void *argument, struct look *look)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, TRACER_STACK);
	int error = pthread_create(&thread, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	if (error)
		gaps_add(&look->gaps, look->arena, STAGE_PROCESS,
			"no thread could be started to look with: %s", error_errno(error).reason);
	else
		pthread_join(thread, NULL);
	return !error;
}

static struct error collect_ptrace(const struct look_request *request, struct look *look)
{
	struct tracing tracing = {.attempt = 1};

	if (request->stop == STOP_NEVER)
		return error_because("nothing may be stopped");
	session_init(&tracing.session, request, look);
	while (tracing.next < request->pid_count && run_tracer(trace, &tracing, look)) {
		if (tracing.left) {
			await_end(tracing.tracer);
			tracing.left = false;
			go_on(&tracing);
		}
	}
	session_deinit(&tracing.session);
	return NO_ERROR;
}

/* What a tracer is sent for by another way to look. */
struct errand {
	struct live *live;
	struct task **tasks;
	size_t count;
	bool left;
	pid_t tracer;
};

static void *run_errand(void *argument)
{
	struct errand *errand = argument;

	errand->tracer = gettid();
	errand->left = !stop_tasks(errand->live, errand->tasks, errand->count);
	return NULL;
}

void live_stop_and_copy(struct live *live, struct task **tasks, size_t count)
{
	struct errand errand = {.live = live, .tasks = tasks};

	for (size_t i = 0; i < count; i++) {
		tasks[i]->outcome = TASK_PENDING;
		if (!task_read(&live->reader, tasks[i]) || !can_stop(tasks[i]))
			continue;
		struct task *stopped = tasks[i];
		tasks[i] = tasks[errand.count];
		tasks[errand.count++] = stopped;
	}
	if (errand.count && may_stop(live) &&
		run_tracer(run_errand, &errand, live->session->look) && errand.left)
		await_end(errand.tracer);
	look_without_stops(live);
	check_held_still(live);
}

const struct collector collector_ptrace = {
	.name = "ptrace",
	.collect = collect_ptrace,
	.release = live_process_release,
	.add_unmoved = live_process_add_unmoved,
};
