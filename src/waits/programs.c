// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that tell: well-known functions of well-known programs that name a wait more exactly
 * than its call does. They have to export these functions, so that the names are there in stripped
 * programs too.
 *
 * To add a program: a table of its functions, a line in `programs`, and a row here and in
 * docs/waits.md.
 */
#include <string.h>

#include "util/memory.h"
#include "waits/kinds.h"

struct telling_function {
	const char *function; /* one that ends with * stands for all that begin so */
	const char *called;   /* the function that it must have called itself; NULL: any */
	const char *sentence;
	bool idle;
	void (*more)(struct waiting *waiting); /* adds to the sentence, and holders; may be NULL */
};

static const struct descriptor *find(const struct waiting *waiting, int fd)
{
	return waiting->process->descriptors->find(waiting->process->descriptors, fd);
}

/* The client of a server's process that watches its connection alone among other descriptors. */
static void add_client(struct waiting *waiting)
{
	const struct descriptor *epoll = waiting->descriptor;

	for (size_t i = 0; epoll && i < epoll->watched_count && i < 8; i++) {
		const struct descriptor *descriptor = find(waiting, epoll->watched[i].fd);

		if (!is_certain_party(descriptor) || descriptor->kind != DESCRIPTOR_SOCKET)
			continue;
		say_peers(waiting, ":", descriptor);
		add_peers(waiting, descriptor, "its client");
		add_remote(waiting, descriptor, ", its client");
		waiting->holders_complete = false;
		return;
	}
}

/*
 * PostgreSQL 15's functions (src/backend/storage/lmgr, ipc, replication, postmaster), the most
 * telling first. What it waits for is in its shared memory, which differs with each build: the
 * views that tell are named instead.
 */
static const struct telling_function postgresql[] = {
	{"ProcSleep", NULL, "waits for a lock of PostgreSQL's: its view pg_locks has who holds it",
		false, NULL},
	{"LWLock*", NULL,
		"waits for a lightweight lock of PostgreSQL's: wait_event in pg_stat_activity "
		"names it",
		false, NULL},
	{"LockBufferForCleanup", NULL,
		"waits for the other users of a buffer of PostgreSQL's to let go of it", false,
		NULL},
	{"SyncRepWaitForLSN", NULL, "waits for a standby of PostgreSQL's to confirm the commit",
		false, NULL},
	{"ResolveRecoveryConflict*", NULL,
		"waits for queries that are in the way of PostgreSQL's recovery", false, NULL},
	{"WaitForParallelWorkersToFinish", NULL, "waits for its parallel workers to finish", false,
		NULL},
	{"shm_mq_receive", NULL,
		"waits for what another of PostgreSQL's processes has found (parallel query)",
		false, NULL},
	{"shm_mq_send*", NULL,
		"waits for another of PostgreSQL's processes to take what it has found (parallel "
		"query)",
		false, NULL},
	{"ConditionVariable*", NULL,
		"waits for another of PostgreSQL's processes: wait_event in pg_stat_activity tells",
		false, NULL},
	{"secure_read", NULL, "waits for its client to send something", true, add_client},
	{"secure_write", NULL, "waits for its client to take what it sends", false, add_client},
	{"pg_sleep", NULL, "sleeps, as SQL's pg_sleep asks", true, NULL},
	{"CheckpointerMain", "WaitLatch", "waits for work (PostgreSQL's checkpointer)", true, NULL},
	{"BackgroundWriterMain", "WaitLatch", "waits for work (PostgreSQL's background writer)",
		true, NULL},
	{"WalWriterMain", "WaitLatch", "waits for work (PostgreSQL's writer of the log)", true,
		NULL},
	{"ApplyLauncherMain", "WaitLatch", "waits for work (PostgreSQL's replication launcher)",
		true, NULL},
	{"WaitLatch*", NULL, "waits for its latch, which another of PostgreSQL's processes sets",
		true, NULL},
};

static const struct program {
	const char *name; /* of the executable file, and of the module of its functions */
	const char *word;
	const struct telling_function *functions;
	size_t count;
} programs[] = {
	{"postgres", "postgresql", postgresql, array_length(postgresql)},
};

/* Whether the path's last part is @name, be the file deleted or not. */
static bool is_named(const char *path, const char *name)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t length = strlen(name);

	return slash && strncmp(slash + 1, name, length) == 0 &&
	       (slash[1 + length] == '\0' || strcmp(slash + 1 + length, " (deleted)") == 0);
}

static bool matches(const struct frame *frame, const char *pattern, const char *module)
{
	size_t length = strlen(pattern);

	if (!frame->symbol || frame->uncertain || !is_named(frame->module, module))
		return false;
	return pattern[length - 1] == '*' ? strncmp(frame->symbol, pattern, length - 1) == 0
					  : strcmp(frame->symbol, pattern) == 0;
}

static bool is_on_stack(
	const struct user_stack *stack, const struct telling_function *telling, const char *module)
{
	for (size_t i = 0; i < stack->frame_count; i++) {
		if (matches(stack->frames[i], telling->function, module) &&
			(!telling->called ||
				(i && matches(stack->frames[i - 1], telling->called, module))))
			return true;
	}
	return false;
}

static bool explain_program(struct waiting *waiting, const struct program *program)
{
	const struct user_stack *stack = waiting->thread->user_stack;

	if (!stack || !stack->frames || !is_named(waiting->process->exe, program->name))
		return false;
	for (size_t i = 0; i < program->count; i++) {
		const struct telling_function *telling = &program->functions[i];

		if (!is_on_stack(stack, telling, program->name))
			continue;
		waiting->word = program->word;
		waiting->idle = telling->idle;
		say(waiting, "%s", telling->sentence);
		if (telling->more)
			telling->more(waiting);
		say_timeout(waiting);
		return true;
	}
	return false;
}

static bool explain_programs(struct waiting *waiting)
{
	for (size_t i = 0; waiting->call->name && i < array_length(programs); i++) {
		if (explain_program(waiting, &programs[i]))
			return true;
	}
	return false;
}

static const struct wait_kind rows[] = {
	{"postgresql", false, CALL_OTHER, explain_programs},
};

const struct wait_kinds waits_of_programs = KINDS(rows);
