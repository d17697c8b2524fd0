// SPDX-License-Identifier: Apache-2.0
/* Message queues, System V semaphores, and asynchronous I/O. */
#include <linux/io_uring.h>
#include <string.h>
#include <sys/sem.h>

#include "waits/kinds.h"

static bool explain_posix_queue(struct waiting *waiting)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	bool receives = strcmp(waiting->call->name, "mq_timedreceive") == 0;

	waiting->idle = receives;
	say(waiting, "waits for %s ", receives ? "a message in queue" : "room in message queue");
	say_descriptor(waiting, (int)waiting->call->arguments[0]);
	say_timeout(waiting);
	if (waiting->descriptor && surroundings) {
		struct parties users = surroundings->file_openers(
			surroundings, waiting->descriptor->device, waiting->descriptor->inode);

		add_users(waiting, &users, "has the queue open");
	}
	return true;
}

/* The process that used something last, and so may do it again. */
static void add_last_user(struct waiting *waiting, pid_t pid, const char *text)
{
	struct holder *holder = pid > 0 && pid != waiting->process->pid
					? add_holder(waiting, SURE_MAY, pid, 0, text)
					: NULL;

	if (holder)
		holder->uncertain = true;
}

static void add_queue_user(struct waiting *waiting, int queue, bool receiver)
{
	struct surroundings *surroundings = waiting->process->surroundings;

	if (surroundings)
		add_last_user(waiting,
			surroundings->queue_user(
				surroundings, waiting->process->pid, queue, receiver),
			receiver ? "received from the queue last" : "sent to the queue last");
}

static bool explain_sysv_queue(struct waiting *waiting)
{
	int queue = (int)call_value(waiting, "msqid");
	long long type = (long long)call_value(waiting, "msgtyp");

	waiting->idle = call_parameter(waiting->call, "msgtyp") >= 0; /* msgrcv */
	add_queue_user(waiting, queue, !waiting->idle);
	if (!waiting->idle) {
		say(waiting, "waits for room in SysV message queue %d", queue);
		return true;
	}
	say(waiting, "waits for a message in SysV queue %d", queue);
	if (type > 0)
		say(waiting, " of type %lld", type);
	else if (type < 0)
		say(waiting, " of type %llu or less", -(unsigned long long)type);
	return true;
}

static bool explain_semaphore(struct waiting *waiting)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	struct sembuf operation;
	uint64_t count = call_value(waiting, "nsops");
	int set = (int)call_value(waiting, "semid");
	bool readable = memory_read(waiting->process->memory, call_value(waiting, "sops"),
		&operation, sizeof(operation));

	if (count != 1 || !readable)
		say(waiting, "waits for SysV semaphore set %d to allow all its operations", set);
	else if (operation.sem_op)
		say(waiting, "waits for SysV semaphore %u of set %d to reach %d", operation.sem_num,
			set, -operation.sem_op);
	else
		say(waiting, "waits for SysV semaphore %u of set %d to become 0", operation.sem_num,
			set);
	say_timeout(waiting);
	if (count == 1 && readable && surroundings)
		add_last_user(waiting,
			surroundings->semaphore_user(
				surroundings, waiting->process->pid, set, operation.sem_num),
			"changed the semaphore last");
	return true;
}

static bool explain_aio(struct waiting *waiting)
{
	long long count = (long long)call_value(waiting, "min_nr");

	if (count > 0)
		say(waiting, "waits for %lld asynchronous operation%s to complete", count,
			count == 1 ? "" : "s");
	else
		say(waiting, "waits for its asynchronous operations to complete");
	say_timeout(waiting);
	return true;
}

static bool explain_io_uring(struct waiting *waiting)
{
	uint32_t flags = (uint32_t)call_value(waiting, "flags");
	uint32_t count = (uint32_t)call_value(waiting, "min_complete");

	if (flags & IORING_ENTER_GETEVENTS && count)
		say(waiting, "waits for %u completion%s of io_uring %d", count,
			count == 1 ? "" : "s", (int)waiting->call->arguments[0]);
	else
		say(waiting, "waits for io_uring %d", (int)waiting->call->arguments[0]);
	return true;
}

static const struct wait_kind rows[] = {
	{"message-queue", true, CALL_POSIX_QUEUE, explain_posix_queue},
	{"message-queue", true, CALL_SYSV_QUEUE, explain_sysv_queue},
	{"semaphore-sysv", false, CALL_SYSV_SEMAPHORE, explain_semaphore},
	{"aio", false, CALL_AIO, explain_aio},
	{"io-uring", true, CALL_IO_URING, explain_io_uring},
};

const struct wait_kinds waits_for_ipc = KINDS(rows);
