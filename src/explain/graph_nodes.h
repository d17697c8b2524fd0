// SPDX-License-Identifier: Apache-2.0
/* Nodes of the graph of waits: what the files of explain/graph.h share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process.h"

#define NO_NODE UINT32_MAX

struct graph_node {
	struct process *process;
	struct thread *thread; /* both NULL: the process as a whole, or all its goroutines */
	struct goroutine *goroutine;
	struct wait *wait; /* NULL: none, or a process */
	uint32_t first_edge, edge_count;
	bool stuck; /* none of those that could let it go on ever goes on */
};

/* A process by its id: as it was asked for, and, where that has not all its threads, whole. */
struct graph_process {
	pid_t pid;
	struct process *process; /* the one with the most threads */
	uint32_t node;           /* the process's; its threads' follow */
	uint32_t tasks_node;     /* all its goroutines'; theirs follow. That is one which can go on
				    when any of them can */
	uint32_t thread_count, goroutine_count;
	bool whole; /* all its threads are nodes */
};

struct graph {
	struct look *look;
	struct graph_process *processes; /* by rising pid */
	size_t process_count;
	struct graph_node *nodes;
	uint32_t node_count;
	uint32_t *edges; /* targets; NO_NODE: somebody who can go on, as far as is known */
	uint32_t edge_count;
};

/* The process of that id in the graph, or NULL. */
struct graph_process *graph_process_find(const struct graph *graph, pid_t pid);

/* The node of a thread or of the process itself (@tid 0); NO_NODE: there is none. */
uint32_t graph_node_find(const struct graph *graph, const struct graph_process *process, pid_t tid);

/* Whether the thread has not run since before it was read who owns what. */
bool graph_holds_still(const struct process *process, const struct thread *thread);

static inline bool node_is_task(const struct graph_node *node)
{
	return node->thread || node->goroutine;
}

/* Whether it is but some other task of the waiter's own process. */
static inline bool holder_is_any_other(const struct process *waiter, const struct holder *holder)
{
	return holder->pid == waiter->pid && !holder->tid && !holder->goroutine;
}

/* The waits of one process that have holders, those that tasks share perhaps more than once. */
struct wait_list {
	struct wait **items; /* heap, of whoever asked */
	size_t count, capacity;
};

/* Of the threads and goroutines of @process those that wait for more than any other of them. */
struct wait_list graph_list_waits(const struct process *process);

/* Ties the holders of all waits of @process to who they are, and leaves out those that are not. */
void graph_tie(const struct graph *graph, const struct process *process);

/*
 * Leaves out the holders that memory does not name any more. All processes must have been tied
 * before: what one's memory names may be a thread of another that was stopped.
 */
void graph_check(const struct process *process);

/* Finds the sets of nodes that wait for each other for ever: look->deadlocks, wait->deadlock. */
void graph_find_deadlocks(struct graph *graph);

/*
 * Adds the rings of goroutines each of which is likely to have what another wants: possible
 * deadlocks. After graph_follow().
 */
void graph_find_likely_rings(struct graph *graph);

/* Fills wait->followed, thread->holds_up and look->blockers. */
void graph_follow(struct graph *graph);
