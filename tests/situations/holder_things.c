// SPDX-License-Identifier: Apache-2.0
/* Who is waited on through what several processes have open: eventfds, queues, terminals. */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pty.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "situations.h"

static void keep(int fd)
{
	(void)fd;
}

static void have_another(int fd)
{
	close(fd);
	must(eventfd(0, 0), "eventfd");
}

static void run_eventfd(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = must(eventfd(0, EFD_CLOEXEC), "eventfd");
	uint64_t count;
	fact_number(facts, "holder", prepared_companion(fd, keep));
	fact_number(facts, "bystander", prepared_companion(fd, have_another));
	ready(facts, SYS_read);
	must(TEMP_FAILURE_RETRY(read(fd, &count, sizeof count)), "read");
}

static void *rest_thread(void *unused)
{
	(void)unused;
	rest();
}

/* Nobody else has it, but another thread of the process. */
static void run_eventfd_thread(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = must(eventfd(0, EFD_CLOEXEC), "eventfd");
	uint64_t count;
	start_thread(rest_thread, NULL);
	ready(facts, SYS_read);
	must(TEMP_FAILURE_RETRY(read(fd, &count, sizeof count)), "read");
}

static void close_it(int fd)
{
	close(fd);
}

static void run_posix_queue(struct facts *facts, const char *argument)
{
	(void)argument;
	char name[64], text[64];
	snprintf(name, sizeof name, "/whystuck-holders-%d", getpid());
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 64};
	mqd_t fd = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	if (fd < 0)
		unsupported("mq_open");
	must(mq_unlink(name), "mq_unlink");
	fact_number(facts, "holder", prepared_companion(fd, keep));
	fact_number(facts, "bystander", prepared_companion(fd, close_it));
	ready(facts, SYS_mq_timedreceive);
	must(TEMP_FAILURE_RETRY(mq_receive(fd, text, sizeof text, NULL)), "mq_receive");
}

struct message {
	long type;
	char text[64];
};

static int sysv_queue(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	if (id < 0)
		unsupported("msgget");
	return id;
}

static void send_one(int id)
{
	struct message message = {.type = 1};
	must(msgsnd(id, &message, sizeof message.text, 0), "msgsnd");
}

static void receive_one(int id)
{
	struct message message;
	must(msgrcv(id, &message, sizeof message.text, 0, 0), "msgrcv");
}

static void run_sysv_receive(struct facts *facts, const char *argument)
{
	(void)argument;
	int id = sysv_queue();
	struct message message;
	fact_number(facts, "holder", prepared_companion(id, send_one));
	remove_at_end(remove_queue, id);
	ready(facts, SYS_msgrcv);
	must(TEMP_FAILURE_RETRY(msgrcv(id, &message, sizeof message.text, 5, 0)), "msgrcv");
}

static void run_sysv_send(struct facts *facts, const char *argument)
{
	(void)argument;
	int id = sysv_queue();
	struct message message = {.type = 1};
	send_one(id);
	fact_number(facts, "holder", prepared_companion(id, receive_one));
	remove_at_end(remove_queue, id);
	while (!msgsnd(id, &message, sizeof message.text, IPC_NOWAIT))
		;
	ready(facts, SYS_msgsnd);
	must(TEMP_FAILURE_RETRY(msgsnd(id, &message, sizeof message.text, 0)), "msgsnd");
}

static void take(int id)
{
	struct sembuf operation = {.sem_num = 2, .sem_op = -1};
	must(semop(id, &operation, 1), "semop");
}

static void run_sysv_semaphore(struct facts *facts, const char *argument)
{
	(void)argument;
	struct sembuf give = {.sem_num = 2, .sem_op = 1}, want = {.sem_num = 2, .sem_op = -1};
	int id = semget(IPC_PRIVATE, 3, 0600);
	if (id < 0)
		unsupported("semget");
	must(semop(id, &give, 1), "semop");
	fact_number(facts, "holder", prepared_companion(id, take));
	remove_at_end(remove_set, id);
	ready(facts, SYS_semop);
	must(TEMP_FAILURE_RETRY(syscall(SYS_semop, id, &want, 1)), "semop");
}

/* The slave's end of a terminal whose master a companion has; another has another terminal. */
static int terminal(struct facts *facts)
{
	int master, slave, other, unused;
	if (openpty(&master, &slave, NULL, NULL, NULL) < 0 ||
		openpty(&other, &unused, NULL, NULL, NULL) < 0)
		unsupported("openpty");
	pid_t bystander = fork_companion();
	if (!bystander) {
		close(master);
		close(slave);
		rest();
	}
	close(other);
	close(unused);
	pid_t holder = fork_companion();
	if (!holder) {
		close(slave);
		rest();
	}
	await_syscall(bystander, PAUSE_CALL);
	await_syscall(holder, PAUSE_CALL);
	close(master);
	fact_number(facts, "bystander", bystander);
	fact_number(facts, "holder", holder);
	return slave;
}

static void run_tty_read(struct facts *facts, const char *argument)
{
	(void)argument;
	char byte;
	int fd = terminal(facts);
	ready(facts, SYS_read);
	must(TEMP_FAILURE_RETRY(read(fd, &byte, 1)), "read");
}

static void run_tty_poll(struct facts *facts, const char *argument)
{
	(void)argument;
	struct pollfd polled = {.fd = terminal(facts), .events = POLLIN};
	ready(facts, POLL_CALL);
	must(TEMP_FAILURE_RETRY(poll(&polled, 1, -1)), "poll");
}

static void run_tty_write(struct facts *facts, const char *argument)
{
	(void)argument;
	int fd = terminal(facts);
	must(tcflow(fd, TCOOFF), "tcflow");
	ready(facts, SYS_write);
	must(TEMP_FAILURE_RETRY(write(fd, "x", 1)), "write");
}

static void run_poll_pidfd(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t child = prepared_companion(-1, keep);
	struct pollfd polled = {.events = POLLIN};
	polled.fd = syscall(SYS_pidfd_open, child, 0);
	if (polled.fd < 0)
		unsupported("pidfd_open");
	fact_number(facts, "child", child);
	ready(facts, POLL_CALL);
	must(TEMP_FAILURE_RETRY(poll(&polled, 1, -1)), "poll");
}

const struct situation holder_thing_situations[] = {
	{"on-eventfd", run_eventfd},
	{"on-eventfd-thread", run_eventfd_thread},
	{"on-posix-queue", run_posix_queue},
	{"on-sysv-receive", run_sysv_receive},
	{"on-sysv-send", run_sysv_send},
	{"on-sysv-semaphore", run_sysv_semaphore},
	{"on-tty-read", run_tty_read},
	{"on-tty-poll", run_tty_poll},
	{"on-tty-write", run_tty_write},
	{"on-poll-pidfd", run_poll_pidfd},
	{0},
};
