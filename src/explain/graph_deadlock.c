// SPDX-License-Identifier: Apache-2.0
/*
 * Deadlocks: first the nodes are found that no one who can go on will ever let go on, then, among
 * these, the sets that wait for each other (strongly connected components without a way out;
 * Tarjan, "Depth-first search and linear graph algorithms", 1972). A set counts only if each of its
 * threads proves not to have run since before the owners were read: then none has let go of what it
 * has.
 */
#include <stdlib.h>
#include <string.h>

#include "explain/graph_nodes.h"
#include "util/memory.h"
#include "util/text.h"

struct search {
	struct graph *graph;
	uint32_t *order;  /* when a node was met; 0: not yet */
	uint32_t *lowest; /* the earliest node on the stack that it leads to */
	uint32_t *set;    /* the node's set, from 1; 0: not in one yet */
	uint32_t *stack, stack_count;
	struct {
		uint32_t node, edge;
	} * path; /* from the root of the search to where it is */
	uint32_t path_count, met, set_count;
};

static uint32_t edge_of(const struct graph *graph, const struct graph_node *node, uint32_t index)
{
	return graph->edges[node->first_edge + index];
}

/* The nodes that have an edge to each node: those of node i are sources[first[i] … first[i + 1]).
 */
struct backward {
	uint32_t *first, *sources;
};

static struct backward turn_around(const struct graph *graph)
{
	struct backward backward = {
		.first = allocate_zeroed((size_t)graph->node_count + 2, sizeof(uint32_t)),
		.sources = allocate_zeroed((size_t)graph->edge_count + 1, sizeof(uint32_t)),
	};
	uint32_t *next = backward.first + 1;

	for (uint32_t i = 0; i < graph->edge_count; i++) {
		if (graph->edges[i] != NO_NODE)
			next[graph->edges[i] + 1]++;
	}
	for (uint32_t i = 0; i < graph->node_count; i++)
		next[i + 1] += next[i];
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		for (uint32_t j = 0; j < node->edge_count; j++) {
			uint32_t target = edge_of(graph, node, j);

			if (target != NO_NODE)
				backward.sources[next[target]++] = i;
		}
	}
	return backward;
}

/* Who waits for somebody that can go on is not stuck, nor is who waits for that one. */
static void let_go(struct graph *graph, const struct backward *backward)
{
	uint32_t *queue cleanup_free =
		allocate_zeroed((size_t)graph->node_count + 1, sizeof(*queue));
	uint32_t count = 0;

	for (uint32_t i = 0; i < graph->node_count; i++) {
		struct graph_node *node = &graph->nodes[i];

		for (uint32_t j = 0; j < node->edge_count; j++) {
			if (edge_of(graph, node, j) == NO_NODE)
				node->stuck = false;
		}
		if (!node->stuck)
			queue[count++] = i;
	}
	while (count) {
		uint32_t free_node = queue[--count];

		for (uint32_t i = backward->first[free_node]; i < backward->first[free_node + 1];
			i++) {
			struct graph_node *waiter = &graph->nodes[backward->sources[i]];

			if (waiter->stuck) {
				waiter->stuck = false;
				queue[count++] = backward->sources[i];
			}
		}
	}
}

static void enter(struct search *search, uint32_t node)
{
	search->order[node] = search->lowest[node] = ++search->met;
	search->stack[search->stack_count++] = node;
	search->path[search->path_count].node = node;
	search->path[search->path_count++].edge = 0;
}

static void lower(struct search *search, uint32_t node, uint32_t to)
{
	if (to < search->lowest[node])
		search->lowest[node] = to;
}

/* The last node of the path has no more edges: if it is the first of its set, that is whole. */
static void leave(struct search *search)
{
	uint32_t node = search->path[--search->path_count].node, member;

	if (search->path_count)
		lower(search, search->path[search->path_count - 1].node, search->lowest[node]);
	if (search->lowest[node] != search->order[node])
		return;
	search->set_count++;
	do {
		member = search->stack[--search->stack_count];
		search->set[member] = search->set_count;
	} while (member != node);
}

static void search_from(struct search *search, uint32_t root)
{
	enter(search, root);
	while (search->path_count) {
		uint32_t node = search->path[search->path_count - 1].node;
		uint32_t edge = search->path[search->path_count - 1].edge++;
		const struct graph_node *from = &search->graph->nodes[node];

		if (edge == from->edge_count) {
			leave(search);
			continue;
		}
		/* of a node that is stuck all edges lead to such nodes */
		uint32_t to = edge_of(search->graph, from, edge);
		if (!search->order[to])
			enter(search, to);
		else if (!search->set[to])
			lower(search, node, search->order[to]);
	}
}

static void find_sets(struct search *search)
{
	size_t count = (size_t)search->graph->node_count + 1;

	search->order = allocate_zeroed(count, sizeof(*search->order));
	search->lowest = allocate_zeroed(count, sizeof(*search->lowest));
	search->set = allocate_zeroed(count, sizeof(*search->set));
	search->stack = allocate_zeroed(count, sizeof(*search->stack));
	search->path = allocate_zeroed(count, sizeof(*search->path));
	for (uint32_t i = 0; i < search->graph->node_count; i++) {
		if (search->graph->nodes[i].stuck && !search->order[i])
			search_from(search, i);
	}
}

static void end_search(struct search *search)
{
	free(search->order);
	free(search->lowest);
	free(search->set);
	free(search->stack);
	free(search->path);
}

/* What is known of a set. */
struct set {
	uint32_t tasks;      /* threads and goroutines in it that live */
	uint32_t first_task; /* the lowest of their nodes */
	bool has_way_out;    /* it waits for another set */
	bool uncertain;      /* somebody in it is waited for that does not own what is waited for */
	bool waits_for_itself;
};

static bool owns(const struct graph_node *node, uint32_t edge)
{
	const struct holder *holder = &node->wait->holders[edge];

	return holder->sureness == SURE_OWNS && !holder->uncertain;
}

static struct set *describe_sets(const struct search *search)
{
	const struct graph *graph = search->graph;
	struct set *sets = allocate_zeroed((size_t)search->set_count + 1, sizeof(*sets));

	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		struct set *set = &sets[search->set[i]];

		if (!node->stuck)
			continue;
		if (node_is_task(node) && node->edge_count && !set->tasks++)
			set->first_task = i;
		for (uint32_t j = 0; j < node->edge_count; j++) {
			uint32_t to = edge_of(graph, node, j);
			bool is_owned = !node_is_task(node) || owns(node, j);

			/* who has no edges has ended, or waits for nobody, for ever */
			set->has_way_out |=
				search->set[to] != search->set[i] && graph->nodes[to].edge_count;
			set->uncertain |= !is_owned;
			set->waits_for_itself |= to == i && is_owned;
		}
	}
	return sets;
}

static bool set_holds_still(const struct search *search, uint32_t set)
{
	const struct graph *graph = search->graph;

	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (search->set[i] == set && node->thread && node->edge_count &&
			!graph_holds_still(node->process, node->thread))
			return false;
	}
	return true;
}

/* "thread 44 "log" of app (pid 42)": its name where it is not the process's, and that elsewhere. */
static void append_task(
	struct text *text, const struct graph_node *node, const struct process *here)
{
	const struct process *process = node->process;

	if (node->goroutine) {
		text_append_format(text, "goroutine %llu", (unsigned long long)node->goroutine->id);
	} else if (node->thread) {
		const char *comm = node->thread->comm;

		text_append_format(text, "thread %d", node->thread->tid);
		if (comm && process->comm && strcmp(comm, process->comm)) {
			text_append(text, " \"");
			text_append_escaped(text, comm, strlen(comm));
			text_append(text, "\"");
		}
	} else {
		if (process->comm)
			text_append_escaped(text, process->comm, strlen(process->comm));
		text_append_format(text, " (pid %d)", process->pid);
		return;
	}
	if (process == here)
		return;
	text_append(text, " of ");
	if (process->comm)
		text_append_escaped(text, process->comm, strlen(process->comm));
	text_append_format(text, " (pid %d)", process->pid);
}

/* "waits for mutex 0x…, held by thread 44"; "…, on thread 44 (the joined thread)" */
static const char *member_text(const struct graph *graph, const struct graph_node *node)
{
	struct text text cleanup_text = {0};

	text_append(&text, node->wait->sentence);
	for (uint32_t i = 0; i < node->edge_count; i++) {
		const struct holder *holder = &node->wait->holders[i];
		const struct graph_node *to = &graph->nodes[edge_of(graph, node, i)];
		bool holds = strncmp(holder->text, "holds ", strlen("holds ")) == 0;

		text_append(&text, i ? " or " : holds ? ", held by " : ", on ");
		if (to->process == node->process && !node_is_task(to)) {
			text_append(&text, holder->text);
			continue;
		}
		append_task(&text, to, node->process);
		if (!holds)
			text_append_format(&text, " (%s)", holder->text);
	}
	return text_to_arena(&text, graph->look->arena);
}

static struct deadlock_member member_of(const struct graph *graph, const struct graph_node *node)
{
	return (struct deadlock_member){
		.process = node->process,
		.thread = node->thread,
		.goroutine = node->goroutine,
		.text = member_text(graph, node),
	};
}

/* The task that @node waits for, through processes of a single thread; NO_NODE: several. */
static uint32_t next_task(const struct graph *graph, uint32_t node)
{
	do {
		if (graph->nodes[node].edge_count != 1)
			return NO_NODE;
		node = edge_of(graph, &graph->nodes[node], 0);
	} while (!node_is_task(&graph->nodes[node]));
	return node;
}

/* Puts the members in the order in which they wait for each other; false: that is no ring. */
static bool order_ring(const struct graph *graph, const struct set *set, struct deadlock *deadlock)
{
	uint32_t node = set->first_task;

	for (uint32_t i = 0; i < set->tasks; i++) {
		deadlock->members[i] = member_of(graph, &graph->nodes[node]);
		node = next_task(graph, node);
		if (node == NO_NODE || (node == set->first_task && i + 1 < set->tasks))
			return false;
	}
	return node == set->first_task;
}

static void add_deadlock(const struct search *search, uint32_t number, const struct set *set)
{
	struct graph *graph = search->graph;
	struct deadlock *deadlock = arena_new(graph->look->arena, struct deadlock, 1);

	graph->look->deadlocks[graph->look->deadlock_count++] = deadlock;
	*deadlock = (struct deadlock){
		.members = arena_new(graph->look->arena, struct deadlock_member, set->tasks),
		.count = set->tasks,
		.certain = !set->uncertain,
	};
	deadlock->is_ring = order_ring(graph, set, deadlock);
	size_t count = 0;
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (search->set[i] != number || !node_is_task(node) || !node->edge_count)
			continue;
		node->wait->deadlock = deadlock;
		if (!deadlock->is_ring)
			deadlock->members[count++] = member_of(graph, node);
	}
}

/* Marks all that wait, directly or behind others, for the set's nodes, and counts them. */
static void mark_behind(const struct search *search, const struct backward *backward,
	uint32_t number, struct deadlock *deadlock)
{
	struct graph *graph = search->graph;
	uint32_t *queue cleanup_free =
		allocate_zeroed((size_t)graph->node_count + 1, sizeof(*queue));
	bool *seen cleanup_free = allocate_zeroed((size_t)graph->node_count + 1, sizeof(*seen));
	uint32_t count = 0;

	for (uint32_t i = 0; i < graph->node_count; i++) {
		if (search->set[i] == number) {
			seen[i] = true;
			queue[count++] = i;
		}
	}
	while (count) {
		uint32_t node = queue[--count];

		for (uint32_t i = backward->first[node]; i < backward->first[node + 1]; i++) {
			uint32_t from = backward->sources[i];
			struct graph_node *waiter = &graph->nodes[from];

			if (seen[from] || !waiter->stuck)
				continue;
			seen[from] = true;
			queue[count++] = from;
			if (!node_is_task(waiter))
				continue;
			deadlock->behind++;
			if (!waiter->wait->deadlock)
				waiter->wait->deadlock = deadlock;
		}
	}
}

/* The certain ones first, of these the larger. */
static int compare_deadlocks(const void *one, const void *other)
{
	const struct deadlock *a = *(const struct deadlock *const *)one;
	const struct deadlock *b = *(const struct deadlock *const *)other;
	size_t tasks = a->count + a->behind, other_tasks = b->count + b->behind;

	if (a->certain != b->certain)
		return a->certain ? -1 : 1;
	if (tasks != other_tasks)
		return tasks < other_tasks ? 1 : -1;
	return (a > b) - (a < b);
}

static bool is_deadlock(const struct set *set)
{
	return !set->has_way_out &&
	       (set->tasks > 1 || (set->tasks == 1 && set->waits_for_itself && !set->uncertain));
}

void graph_find_deadlocks(struct graph *graph)
{
	struct backward backward = turn_around(graph);
	struct search search = {.graph = graph};
	size_t count = 0;

	let_go(graph, &backward);
	find_sets(&search);
	struct set *sets cleanup_free = describe_sets(&search);
	for (uint32_t i = 1; i <= search.set_count; i++)
		count += is_deadlock(&sets[i]);
	graph->look->deadlocks = arena_new(graph->look->arena, struct deadlock *, count);
	for (uint32_t i = 1; i <= search.set_count && count; i++) {
		struct look *look = graph->look;

		if (!is_deadlock(&sets[i]) || !set_holds_still(&search, i))
			continue;
		add_deadlock(&search, i, &sets[i]);
		mark_behind(&search, &backward, i, look->deadlocks[look->deadlock_count - 1]);
	}
	qsort(graph->look->deadlocks, graph->look->deadlock_count, sizeof(struct deadlock *),
		compare_deadlocks);
	end_search(&search);
	free(backward.first);
	free(backward.sources);
}
