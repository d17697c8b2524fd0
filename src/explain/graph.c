// SPDX-License-Identifier: Apache-2.0
/* The nodes and edges of the graph of waits, and who a holder is. */
#include "explain/graph.h"

#include <stdlib.h>
#include <string.h>

#include "explain/graph_nodes.h"
#include "util/memory.h"

/* Holders of one wait that a look is taken at. */
#define FOLLOWED_OF_WAIT 8

static int compare_processes(const void *one, const void *other)
{
	pid_t a = ((const struct graph_process *)one)->pid;
	pid_t b = ((const struct graph_process *)other)->pid;

	return (a > b) - (a < b);
}

struct graph_process *graph_process_find(const struct graph *graph, pid_t pid)
{
	const struct graph_process key = {.pid = pid};

	return graph->process_count ? bsearch(&key, graph->processes, graph->process_count,
					      sizeof(key), compare_processes)
				    : NULL;
}

/* Adds a process that was looked at once more, since not all its threads were asked for. */
static void add_process(struct graph *graph, struct process *process, bool whole)
{
	for (size_t i = 0; i < graph->process_count && whole; i++) {
		struct graph_process *known = &graph->processes[i];

		if (known->pid == process->pid) {
			known->process = process;
			known->whole = true;
			return;
		}
	}
	graph->processes[graph->process_count++] =
		(struct graph_process){.pid = process->pid, .process = process, .whole = whole};
}

static void add_processes(struct graph *graph)
{
	struct look *look = graph->look;

	graph->processes = allocate_zeroed(
		look->process_count + look->related_count + 1, sizeof(*graph->processes));
	for (size_t i = 0; i < look->process_count; i++)
		add_process(graph, look->processes[i], false);
	for (size_t i = 0; i < graph->process_count && !look->partial; i++)
		graph->processes[i].whole = true;
	for (size_t i = 0; i < look->related_count; i++)
		add_process(graph, look->related[i], true);
	qsort(graph->processes, graph->process_count, sizeof(*graph->processes), compare_processes);
}

uint32_t graph_node_find(const struct graph *graph, const struct graph_process *process, pid_t tid)
{
	const struct thread *thread = tid ? thread_find(process->process, tid) : NULL;

	(void)graph;
	if (!tid)
		return process->node;
	if (!thread)
		return NO_NODE;
	return process->node + 1 + (uint32_t)(thread - process->process->threads);
}

/* The node of a goroutine, which only those have that can be in a cycle. */
static uint32_t find_goroutine_node(
	const struct graph *graph, const struct graph_process *process, uint64_t id)
{
	uint32_t low = process->tasks_node + 1;
	uint32_t high = low + process->goroutine_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t there = graph->nodes[middle].goroutine->id;

		if (there == id)
			return middle;
		if (there < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_NODE;
}

/*
 * Whether the goroutine may be part of a cycle: it waits for tasks that are named, or nothing but
 * its process's goroutines can let any of them go on.
 */
static bool has_node(const struct process *process, const struct goroutine *goroutine)
{
	const struct wait *wait = goroutine->wait;

	if (process->tasks_closed)
		return !goroutine->is_system;
	return wait && !goroutine->tid && wait->holder_count && wait->holders[0].goroutine;
}

static bool may_be_stuck(const struct wait *wait)
{
	return wait && wait->holders_complete && wait->holder_count;
}

static void add_nodes(struct graph *graph, struct graph_process *entry)
{
	struct process *process = entry->process;

	entry->node = graph->node_count;
	graph->nodes[graph->node_count++] = (struct graph_node){
		.process = process,
		.stuck = entry->whole && process->thread_count && !process->is_kernel &&
			 !process->gaps.first,
	};
	for (size_t i = 0; i < process->thread_count; i++) {
		struct thread *thread = &process->threads[i];
		bool blocked = thread->state == 'S' || thread->state == 'D';

		graph->nodes[graph->node_count++] = (struct graph_node){
			.process = process,
			.thread = thread,
			.wait = thread->wait,
			.stuck =
				!thread_is_alive(thread) || (blocked && may_be_stuck(thread->wait)),
		};
		entry->thread_count++;
	}
	entry->tasks_node = graph->node_count;
	graph->nodes[graph->node_count++] =
		(struct graph_node){.process = process, .stuck = process->tasks_closed};
	for (size_t i = 0; i < process->goroutine_count; i++) {
		struct goroutine *goroutine = &process->goroutines[i];

		if (!has_node(process, goroutine))
			continue;
		graph->nodes[graph->node_count++] = (struct graph_node){
			.process = process,
			.goroutine = goroutine,
			.wait = goroutine->wait,
			.stuck = may_be_stuck(goroutine->wait) ||
				 (goroutine->wait && goroutine->wait->endless),
		};
		graph->look->goroutines_tied = true;
		entry->goroutine_count++;
	}
}

static uint32_t find_target(
	const struct graph *graph, const struct graph_node *waiter, const struct holder *holder)
{
	const struct graph_process *process =
		holder->pid ? graph_process_find(graph, holder->pid) : NULL;

	if (!process)
		return NO_NODE;
	if (holder->goroutine)
		return find_goroutine_node(graph, process, holder->goroutine);
	if (waiter->goroutine && holder->pid == waiter->process->pid && !holder->tid)
		return process->tasks_node;
	return graph_node_find(graph, process, holder->tid);
}

static void add_edge(struct graph *graph, struct graph_node *node, uint32_t target)
{
	graph->edges[graph->edge_count++] = target;
	node->edge_count++;
}

/* From a process to its threads, and from all its goroutines to each of them. */
static void add_edges_to_own(struct graph *graph, const struct graph_process *process)
{
	struct graph_node *whole = &graph->nodes[process->node];
	struct graph_node *tasks = &graph->nodes[process->tasks_node];

	whole->first_edge = graph->edge_count;
	for (uint32_t i = 0; i < process->thread_count; i++)
		add_edge(graph, whole, process->node + 1 + i);
	tasks->first_edge = graph->edge_count;
	for (uint32_t i = 0; i < process->goroutine_count && tasks->stuck; i++)
		add_edge(graph, tasks, process->tasks_node + 1 + i);
}

static void add_edges(struct graph *graph)
{
	size_t count = 0;

	for (uint32_t i = 0; i < graph->node_count; i++)
		count += graph->nodes[i].wait ? graph->nodes[i].wait->holder_count : 0;
	for (size_t i = 0; i < graph->process_count; i++)
		count += graph->processes[i].thread_count + graph->processes[i].goroutine_count;
	graph->edges = allocate_zeroed(count + 1, sizeof(*graph->edges));
	for (uint32_t i = 0; i < graph->node_count; i++) {
		struct graph_node *node = &graph->nodes[i];

		node->first_edge = graph->edge_count;
		for (size_t j = 0; node->wait && j < node->wait->holder_count; j++)
			add_edge(graph, node, find_target(graph, node, &node->wait->holders[j]));
	}
	for (size_t i = 0; i < graph->process_count; i++)
		add_edges_to_own(graph, &graph->processes[i]);
}

static void build(struct graph *graph)
{
	size_t count = graph->process_count;

	for (size_t i = 0; i < graph->process_count; i++) {
		const struct process *process = graph->processes[i].process;

		count += process->thread_count + 1;
		for (size_t j = 0; j < process->goroutine_count; j++)
			count += has_node(process, &process->goroutines[j]);
	}
	graph->nodes = allocate_zeroed(count + 1, sizeof(*graph->nodes));
	for (size_t i = 0; i < graph->process_count; i++)
		add_nodes(graph, &graph->processes[i]);
	add_edges(graph);
}

/* Tells the threads that were asked for what is known of the same ones of the whole process. */
static void tell_shown(const struct graph *graph, const struct process *process)
{
	const struct graph_process *known = graph_process_find(graph, process->pid);

	for (size_t i = 0; i < process->thread_count && known->process != process; i++) {
		struct thread *shown = &process->threads[i];
		const struct thread *whole = thread_find(known->process, shown->tid);

		if (!whole)
			continue;
		shown->holds_up = whole->holds_up;
		if (shown->wait && whole->wait)
			shown->wait->deadlock = whole->wait->deadlock;
	}
}

void graph_explain(struct look *look)
{
	struct graph graph = {.look = look};

	add_processes(&graph);
	for (size_t i = 0; i < look->process_count; i++)
		graph_tie(&graph, look->processes[i]);
	for (size_t i = 0; i < look->related_count; i++)
		graph_tie(&graph, look->related[i]);
	for (size_t i = 0; i < look->process_count; i++)
		graph_check(look->processes[i]);
	for (size_t i = 0; i < look->related_count; i++)
		graph_check(look->related[i]);
	build(&graph);
	graph_find_deadlocks(&graph);
	graph_follow(&graph);
	graph_find_likely_rings(&graph);
	for (size_t i = 0; i < look->process_count && look->partial; i++)
		tell_shown(&graph, look->processes[i]);
	free(graph.edges);
	free(graph.nodes);
	free(graph.processes);
}

/* The processes that are missing, in the making. */
struct missing {
	const struct look *look;
	struct graph graph; /* its processes alone */
	pid_t (*process_of)(pid_t tid);
	pid_t *pids;
	size_t count, capacity;
};

static void add_missing(struct missing *missing, struct holder *holder)
{
	const struct graph_process *known;

	if (!holder->pid && holder->tid && !holder->unseen)
		holder->pid = missing->process_of(holder->tid);
	if (!holder->pid || missing->count == missing->capacity)
		return;
	known = graph_process_find(&missing->graph, holder->pid);
	if (known && (known->whole || (holder->tid && thread_find(known->process, holder->tid))))
		return;
	for (size_t i = 0; i < missing->count; i++) {
		if (missing->pids[i] == holder->pid)
			return;
	}
	missing->pids[missing->count++] = holder->pid;
}

size_t graph_missing(struct look *look, struct process *const *processes, size_t count, bool asked,
	pid_t (*process_of)(pid_t tid), pid_t *pids, size_t capacity)
{
	struct missing missing = {
		.look = look,
		.graph = {.look = look},
		.process_of = process_of,
		.pids = pids,
		.capacity = capacity,
	};

	add_processes(&missing.graph);
	for (size_t i = 0; i < count; i++) {
		struct wait_list list = graph_list_waits(processes[i]);
		bool idle_too = !asked && processes[i]->thread_count == 1;

		for (size_t j = 0; j < list.count; j++) {
			struct wait *wait = list.items[j];

			for (size_t k = 0; k < wait->holder_count && k < FOLLOWED_OF_WAIT; k++) {
				if (!wait->idle || idle_too)
					add_missing(&missing, &wait->holders[k]);
			}
		}
		free(list.items);
	}
	free(missing.graph.processes);
	return missing.count;
}
