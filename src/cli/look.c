// SPDX-License-Identifier: Apache-2.0
#include "cli/look.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "cli/message.h"
#include "collect/kernel_stack.h"
#include "elf/modules.h"
#include "explain/explain.h"
#include "explain/graph.h"
#include "runtimes/runtimes.h"
#include "symbolize/symbolize.h"
#include "symbolize/variables.h"
#include "unwind/unwind.h"
#include "util/clock.h"
#include "util/search.h"
#include "util/text.h"

/* Room for @wanted open files, or for as many as may be had; how many that is. */
static rlim_t raise_file_limit(rlim_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_max < wanted && /* CAP_SYS_RESOURCE goes beyond */
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){wanted, wanted}) == 0)
		return wanted;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max;
}

void look_prepare(const struct options *options)
{
	enum { IMAGES = 1024, PER_PROCESS = 2 };
	struct sysinfo machine = {0};

	if (options->all)
		sysinfo(&machine);
	rlim_t wanted = IMAGES + PER_PROCESS * (rlim_t)machine.procs;
	rlim_t limit = raise_file_limit(wanted);
	if (!options->all)
		return;
	/* The table of descriptors grows to hold a new one, and, once threads share it, waits for
	 * RCU's grace period at each doubling, which takes ten milliseconds (fs/file.c,
	 * expand_fdtable()).
	 */
	int far = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, machine.procs < limit ? machine.procs : 0);
	if (far >= 0)
		close(far);
}

static const char *kernel_release(struct arena *arena)
{
	struct utsname names;

	return arena_strdup(arena, uname(&names) == 0 ? names.release : "unknown");
}

void look_begin(struct look *look, struct arena *arena)
{
	*look = (struct look){
		.arena = arena,
		.taken_at_ns = clock_ns(CLOCK_REALTIME),
		.kernel = kernel_release(arena),
	};
}

size_t look_count_threads(const struct look *look)
{
	size_t count = 0;

	for (size_t i = 0; i < look->process_count; i++)
		count += look->processes[i]->thread_count;
	return count;
}

/* A stack that ends early is a gap of its thread, unless it was the user's limit that ended it. */
static void add_stack_gap(struct thread *thread, struct arena *arena)
{
	const struct user_stack *stack = thread->user_stack;

	if (stack && stack->end != STACK_COMPLETE && stack->end != STACK_LIMIT)
		gaps_add(&thread->gaps, arena, STAGE_USER_STACK, "the stack ends early: %s",
			stack->end_detail);
}

static void add_stack_gaps(struct process *process, struct arena *arena)
{
	for (size_t i = 0; i < process->thread_count; i++)
		add_stack_gap(&process->threads[i], arena);
}

static enum lines_wanted wanted_lines(const struct options *options)
{
	if (options->all_lines)
		return LINES_ALL;
	return options->render.lines ? LINES_QUICK : LINES_NONE;
}

/* From the facts of a process to the functions of its user stacks. */
static void name_functions(
	const struct looker *looker, struct process *process, struct arena *arena)
{
	const struct options *options = looker->options;
	struct modules *modules = modules_create(looker->images, process, arena);

	runtimes_begin(process, modules, arena);
	unwind_process(process, modules, options->max_frames, arena);
	if (runtimes_begin_in_library(process, modules, arena))
		unwind_process(process, modules, options->max_frames, arena);
	symbolize_process(process, modules, wanted_lines(options), arena);
	runtimes_end_stacks(process);
	add_stack_gaps(process, arena);
	process->variables = variables_create(process, modules, arena);
}

/* New facts and stacks for the threads; how many of them could be looked at. */
static size_t look_again(const struct looker *looker, struct process *process,
	struct thread **threads, size_t count, struct arena *arena)
{
	const struct options *options = looker->options;
	struct user_stack **stacks = process->user_stacks;
	size_t before = process->user_stack_count;

	count = process->look_again(process, threads, count, arena);
	struct modules *modules = modules_create(looker->images, process, arena);
	unwind_threads(process, threads, count, modules, options->max_frames, arena);
	symbolize_process(process, modules, wanted_lines(options), arena);
	modules_destroy(modules);
	size_t added = process->user_stack_count;
	struct user_stack **all = arena_new(arena, struct user_stack *, before + added);
	for (size_t i = 0; i < before + added; i++)
		all[i] = i < before ? stacks[i] : process->user_stacks[i - before];
	process->user_stacks = all;
	process->user_stack_count = before + added;
	for (size_t i = 0; i < count; i++)
		add_stack_gap(threads[i], arena);
	return count;
}

/* What the runtime schedules, and the stacks of what moved from thread to thread meanwhile. */
static void list_tasks(const struct looker *looker, struct process *process, struct arena *arena)
{
	enum { TRIES = 6, THREADS = 16 };
	static const struct timespec pause = {.tv_nsec = NS_PER_MS}; /* to come to run again */
	struct thread *threads[THREADS];

	runtimes_list_tasks(process, looker->options->max_frames);
	for (int i = 0; i < TRIES && process->look_again; i++) {
		size_t count;

		if (!runtimes_astray(process, threads, THREADS, &count))
			return;
		if (count && look_again(looker, process, threads, count, arena))
			runtimes_join_again(process);
		else
			nanosleep(&pause, NULL);
	}
}

/* Ends what was found out about the runtimes of a look's processes. */
static void end_runtimes(const struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++)
		runtimes_end(look->processes[i]);
}

/* Ends what names the variables of a look's processes, which explaining them asks for. */
static void end_variables(const struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		variables_destroy(look->processes[i]->variables);
		look->processes[i]->variables = NULL;
	}
}

static void report_effort(const struct look *look, const struct collection *collection,
	int64_t looked_ns, int64_t explained_ns)
{
	struct text line cleanup_text = {0};
	uint64_t longest = 0;

	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			if (process->threads[j].stopped_ns > longest)
				longest = process->threads[j].stopped_ns;
		}
	}
	if (collection->refused)
		message("%s", collection->refused);
	text_append_format(&line, "looked by %s at %zu threads of %zu process%s in ",
		collection->used->name, look_count_threads(look), look->process_count,
		look->process_count == 1 ? "" : "es");
	text_append_duration(&line, looked_ns);
	text_append(&line, ", explained in ");
	text_append_duration(&line, explained_ns);
	if (longest) {
		text_append(&line, "; the longest that a thread was stopped: ");
		text_append_duration(&line, (long long)longest);
	} else {
		text_append(&line, "; no thread was stopped");
	}
	message("%s", line.bytes);
}

static bool lacks_addresses(const struct kernel_stack *stack)
{
	for (size_t i = 0; stack && i < stack->count; i++) {
		if (!stack->frames[i].address)
			return true;
	}
	return false;
}

/* Says where kernel addresses were asked for and are not there, and what would help. */
static void add_address_gaps(struct look *look, const struct collection *collection, bool allowed)
{
	bool any = false;

	for (size_t i = 0; i < look->process_count; i++) {
		for (size_t j = 0; j < look->processes[i]->thread_count; j++) {
			struct thread *thread = &look->processes[i]->threads[j];

			if (!lacks_addresses(thread->kernel_stack))
				continue;
			any = true;
			if (allowed && !collection->refused)
				gaps_add(&thread->gaps, look->arena, STAGE_KERNEL_STACK,
					"the addresses of its kernel frames are not known: it was "
					"moving each time BPF looked at it");
		}
	}
	if (any && !allowed)
		gaps_add(&look->gaps, look->arena, STAGE_KERNEL_STACK,
			"addresses of kernel frames: the kernel hides them, /proc/kallsyms too "
			"(kernel.kptr_restrict; CAP_SYSLOG allows it below 2)");
	else if (any && collection->refused)
		gaps_add(&look->gaps, look->arena, STAGE_KERNEL_STACK,
			"addresses of kernel frames: only BPF gives them (%s)",
			collection->refused);
}

/* From the processes to the functions of their stacks. */
static struct collection look_once(
	const struct looker *looker, const struct look_request *request, struct look *look)
{
	struct collection collection = collect(request, look);

	for (size_t i = 0; i < look->process_count; i++) {
		struct process *process = look->processes[i];

		if (request->user_stacks && !process->is_kernel)
			name_functions(looker, process, look->arena);
	}
	return collection;
}

/* For a few threads loading a BPF program takes longer than all the rest of the look. */
static bool has_few_threads(pid_t pid)
{
	enum { FEW_THREADS = 8 };
	struct stat tasks;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return stat(path, &tasks) == 0 && tasks.st_nlink <= FEW_THREADS + 2; /* and . and .. */
}

/*
 * Whether to try first without BPF: /proc alone gives whole stacks of sleeping threads but for code
 * that keeps its frame's address in a register.
 */
static bool is_small(const struct look_request *request)
{
	return request->stop == STOP_AUTO && !request->kernel_addresses &&
	       request->pid_count == 1 && request->user_stacks && has_few_threads(request->pids[0]);
}

/* Whether no user stack is missing or cut short that a better way to look might show. */
static bool is_whole(const struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		if (process->is_stuck) /* to no way does its memory answer */
			continue;
		for (size_t j = 0; j < process->thread_count; j++) {
			for_each_gap (gap, &process->threads[j].gaps) {
				if (gap->stage == STAGE_USER_STACK)
					return false;
			}
		}
	}
	return look->process_count;
}

/* Whether a thread sleeps so that BPF alone may tell for which lock of the kernel's. */
static bool may_want_lock(const struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			if (process->threads[j].state == 'D')
				return true;
		}
	}
	return false;
}

/* All that is asked of each process that was named, or that such a one waits for. */
static struct look_request request_of(const struct looker *looker, const struct pids *pids)
{
	const struct options *options = looker->options;

	return (struct look_request){
		.pids = pids->items,
		.pid_count = pids->count,
		.stop = options->stop,
		.may_look_again = options->stop != STOP_NEVER,
		.kernel_stacks = options->render.kernel,
		.user_stacks = options->render.user,
		.without_bpf = looker->means && !looker->means->iterator,
		.watch = looker->watch,
		.means = looker->means,
	};
}

/* Takes the look, a small one in the way that is best for these if that suffices. */
static struct collection collect_whole(
	const struct looker *looker, struct look_request request, struct look *look)
{
	const struct look nothing = *look;

	if (is_small(&request)) {
		struct look_request quick = request;

		quick.stop = STOP_NEVER;
		quick.without_bpf = true;
		struct collection collection = look_once(looker, &quick, look);
		if (is_whole(look)) {
			if (!may_want_lock(look))
				return collection;
			quick.without_bpf = false;
			request = quick;
		}
		end_runtimes(look);
		end_variables(look);
		collection.used->release(look);
		*look = nothing;
	}
	return look_once(looker, &request, look);
}

static void list_all_tasks(const struct looker *looker, struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		if (looker->options->goroutines != GOROUTINES_NONE)
			list_tasks(looker, look->processes[i], look->arena);
	}
	end_runtimes(look);
}

/* A look at processes that others wait for. */
struct wave {
	struct look look;
	const struct collector *used;
};

enum { WAVES_MAX = 16 };

/* The process of a thread; 0: there is none. */
static pid_t process_of(pid_t tid)
{
	struct pids pids __attribute__((cleanup(pids_deinit))) = {0};
	char id[16];

	snprintf(id, sizeof(id), "%d", tid);
	return failed(targets_resolve(id, NULL, &pids)) || pids.count != 1 ? 0 : pids.items[0];
}

/*
 * Looks at the @count processes @pids, which nobody asked for: nothing of them is stopped, and what
 * is lacking in them is no gap of the look.
 */
static void look_at_related(const struct looker *looker, pid_t *pids, size_t count,
	struct look *look, struct wave *wave)
{
	struct pids list = {.items = pids, .count = count};
	struct look_request request = request_of(looker, &list);

	qsort(pids, count, sizeof(*pids), compare_pids);
	request.stop = STOP_NEVER;
	request.may_look_again = false;
	if (!looker->means)
		request.without_bpf = count == 1 && has_few_threads(pids[0]);
	wave->look = (struct look){.arena = look->arena};
	wave->used = look_once(looker, &request, &wave->look).used;
	list_all_tasks(looker, &wave->look);
	for (size_t i = 0; i < wave->look.process_count; i++) {
		explain_process(arch_native, wave->look.processes[i], look->arena);
		look->related[look->related_count++] = wave->look.processes[i];
	}
	end_variables(&wave->look);
}

/* Of the @count @pids those that are not @pid; their number. */
static size_t leave_out(pid_t *pids, size_t count, pid_t pid)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (pids[i] != pid)
			pids[kept++] = pids[i];
	}
	return kept;
}

/* Follows the waits of the look to processes that were not asked for; the number of waves. */
static size_t follow(const struct looker *looker, struct look *look, struct wave *waves)
{
	struct process **from = look->processes;
	size_t from_count = look->process_count, count = 0;

	look->related = arena_new(look->arena, struct process *, GRAPH_RELATED_MAX);
	while (count < WAVES_MAX) {
		pid_t pids[GRAPH_RELATED_MAX];
		size_t begin = look->related_count;
		size_t missing = graph_missing(look, from, from_count, !count, process_of, pids,
			GRAPH_RELATED_MAX - begin);

		missing = leave_out(pids, missing, getpid());
		if (!missing)
			break;
		look_at_related(looker, pids, missing, look, &waves[count++]);
		from = look->related + begin;
		from_count = look->related_count - begin;
	}
	return count;
}

void look_explain(const struct looker *looker, struct look *look)
{
	struct wave waves[WAVES_MAX];

	for (size_t i = 0; i < look->process_count; i++)
		explain_process(arch_native, look->processes[i], look->arena);
	size_t count = follow(looker, look, waves);
	graph_explain(look);
	for (size_t i = 0; i < count; i++)
		waves[i].used->release(&waves[i].look);
	end_variables(look);
}

void look_name_variables(const struct looker *looker, struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		struct process *process = look->processes[i];

		if (looker->options->render.user && !process->is_kernel)
			process->variables = variables_create(process,
				modules_create(looker->images, process, look->arena), look->arena);
	}
}

struct look_request look_request(const struct looker *looker, const struct pids *pids)
{
	const struct options *options = looker->options;
	struct look_request request = request_of(looker, pids);

	request.tids = options->tids;
	request.tid_count = options->tid_count;
	request.states = options->states;
	request.process_info = options->render.process_info;
	request.process_places = options->render.process_info || options->renderer->shows_places;
	request.no_kernel_threads = options->all && !options->kernel_threads;
	return request;
}

struct collection look_find(
	const struct looker *looker, const struct look_request *request, struct look *look)
{
	struct collection collection = look_once(looker, request, look);

	list_all_tasks(looker, look);
	end_variables(look);
	return collection;
}

void look_take(const struct looker *looker, const struct pids *pids, struct look *look)
{
	const struct options *options = looker->options;
	struct look_request request = look_request(looker, pids);
	bool addresses = options->render.addresses && options->render.kernel;
	bool allowed = addresses && kernel_addresses_allowed();
	int64_t begin = clock_ns(CLOCK_MONOTONIC);

	request.kernel_addresses = allowed;
	look->partial = options->tid_count || options->states;
	struct collection collection = collect_whole(looker, request, look);
	list_all_tasks(looker, look);
	if (addresses)
		add_address_gaps(look, &collection, allowed);
	int64_t looked = clock_ns(CLOCK_MONOTONIC);
	look_explain(looker, look);
	collection.used->release(look);
	if (options->verbose)
		report_effort(
			look, &collection, looked - begin, clock_ns(CLOCK_MONOTONIC) - looked);
}
