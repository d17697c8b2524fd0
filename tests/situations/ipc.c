// SPDX-License-Identifier: Apache-2.0
/* Message queues and semaphore sets. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

struct message {
	long type;
	char text[64];
};

static int queue(struct facts *facts)
{
	int id = msgget(IPC_PRIVATE, 0600);
	if (id < 0)
		unsupported("msgget");
	remove_at_end(remove_queue, id);
	fact_number(facts, "id", id);
	return id;
}

static void run_msgrcv(struct facts *facts, const char *argument)
{
	(void)argument;
	int id = queue(facts);
	struct message message;
	ready(facts, SYS_msgrcv);
	must(TEMP_FAILURE_RETRY(msgrcv(id, &message, sizeof message.text, 5, MSG_NOERROR)),
		"msgrcv");
}

static void run_msgsnd(struct facts *facts, const char *argument)
{
	(void)argument;
	int id = queue(facts);
	struct message message = {.type = 1};
	while (!msgsnd(id, &message, sizeof message.text, IPC_NOWAIT))
		;
	ready(facts, SYS_msgsnd);
	must(TEMP_FAILURE_RETRY(msgsnd(id, &message, sizeof message.text, 0)), "msgsnd");
}

static int set(struct facts *facts)
{
	int id = semget(IPC_PRIVATE, 3, 0600);
	if (id < 0)
		unsupported("semget");
	remove_at_end(remove_set, id);
	fact_number(facts, "id", id);
	return id;
}

static struct sembuf operation = {.sem_num = 2, .sem_op = -1};

/* glibc's semop() is semtimedop() where the system has that alone. */
static void run_semop(struct facts *facts, const char *argument)
{
	(void)argument;
	int id = set(facts);
	ready(facts, SYS_semop);
	must(TEMP_FAILURE_RETRY(syscall(SYS_semop, id, &operation, 1)), "semop");
}

static void run_semtimedop(struct facts *facts, const char *argument)
{
	(void)argument;
	int id = set(facts);
	struct timespec timeout = {3599, 0};
	ready(facts, SYS_semtimedop);
	must(TEMP_FAILURE_RETRY(syscall(SYS_semtimedop, id, &operation, 1, &timeout)),
		"semtimedop");
}

static mqd_t posix_queue(struct facts *facts)
{
	char name[64];
	snprintf(name, sizeof name, "/whystuck-%d", getpid());
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 64};
	mqd_t fd = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	if (fd < 0)
		unsupported("mq_open");
	must(mq_unlink(name), "mq_unlink");
	fact_number(facts, "fd", fd);
	fact_string(facts, "name", name);
	return fd;
}

static void run_mq_timedreceive(struct facts *facts, const char *argument)
{
	(void)argument;
	mqd_t fd = posix_queue(facts);
	char text[64];
	ready(facts, SYS_mq_timedreceive);
	must(TEMP_FAILURE_RETRY(mq_receive(fd, text, sizeof text, NULL)), "mq_receive");
}

static void run_mq_timedsend(struct facts *facts, const char *argument)
{
	(void)argument;
	mqd_t fd = posix_queue(facts);
	struct timespec until;
	must(clock_gettime(CLOCK_REALTIME, &until), "clock_gettime");
	until.tv_sec += 3599;
	must(mq_send(fd, "one", 3, 1), "mq_send");
	must(mq_send(fd, "two", 3, 1), "mq_send");
	ready(facts, SYS_mq_timedsend);
	must(TEMP_FAILURE_RETRY(mq_timedsend(fd, "three", 5, 1, &until)), "mq_timedsend");
}

const struct situation ipc_situations[] = {
	{"msgrcv", run_msgrcv},
	{"msgsnd", run_msgsnd},
	{"semop", run_semop},
	{"semtimedop", run_semtimedop},
	{"mq_timedreceive", run_mq_timedreceive},
	{"mq_timedsend", run_mq_timedsend},
	{0},
};
