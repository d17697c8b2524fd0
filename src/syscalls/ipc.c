// SPDX-License-Identifier: Apache-2.0
/* System V and POSIX message queues and semaphores. */
#include <fcntl.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "syscalls/table.h"

static const struct name message_items[] = {
	NAME(IPC_NOWAIT),
	NAME(MSG_NOERROR),
	NAME(MSG_EXCEPT),
	NAME(MSG_COPY),
};
static const struct names message_flags = NAMES(message_items);

#define QUEUE                                                                                      \
	{                                                                                          \
		"msqid", &argument_int                                                             \
	}
#define POINTER                                                                                    \
	{                                                                                          \
		"msgp", &argument_pointer                                                          \
	}
#define SIZE                                                                                       \
	{                                                                                          \
		"msgsz", &argument_size                                                            \
	}
#define FLAGS                                                                                      \
	{                                                                                          \
		"msgflg", &argument_flags, &message_flags                                          \
	}
#define SET                                                                                        \
	{                                                                                          \
		"semid", &argument_int                                                             \
	}
#define OPERATIONS                                                                                 \
	{                                                                                          \
		"sops", &argument_sembuf                                                           \
	}
#define COUNT                                                                                      \
	{                                                                                          \
		"nsops", &argument_size                                                            \
	}
#define POSIX_QUEUE                                                                                \
	{                                                                                          \
		"mqdes", &argument_descriptor                                                      \
	}
#define POSIX_POINTER                                                                              \
	{                                                                                          \
		"msg_ptr", &argument_pointer                                                       \
	}
#define POSIX_LENGTH                                                                               \
	{                                                                                          \
		"msg_len", &argument_size                                                          \
	}

static const struct syscall_row rows[] = {
	{"msgrcv", CALL_SYSV_QUEUE, {QUEUE, POINTER, SIZE, {"msgtyp", &argument_long}, FLAGS}},
	{"msgsnd", CALL_SYSV_QUEUE, {QUEUE, POINTER, SIZE, FLAGS}},
	{"semop", CALL_SYSV_SEMAPHORE, {SET, OPERATIONS, COUNT}},
	{"semtimedop", CALL_SYSV_SEMAPHORE,
		{SET, OPERATIONS, COUNT, {"timeout", &argument_timespec}}},
	{"mq_open", CALL_OTHER,
		{{"name", &argument_string}, {"oflag", &argument_open_flags},
			{"mode", &argument_mode}, {"attr", &argument_pointer}}},
	{"mq_timedsend", CALL_POSIX_QUEUE,
		{POSIX_QUEUE, POSIX_POINTER, POSIX_LENGTH, {"msg_prio", &argument_int},
			{"abs_timeout", &argument_moment}}},
	{"mq_timedreceive", CALL_POSIX_QUEUE,
		{POSIX_QUEUE, POSIX_POINTER, POSIX_LENGTH, {"msg_prio", &argument_pointer},
			{"abs_timeout", &argument_moment}}},
};

const struct syscall_family syscalls_ipc = FAMILY(rows);
