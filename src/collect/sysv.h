// SPDX-License-Identifier: Apache-2.0
/*
 * System V IPC: who used a message queue or a semaphore last. The kernel tells that to those that
 * are in the same IPC namespace only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As much of /proc/sysvipc/msg as is read. */
#define SYSV_SIZE_MAX (4U << 20)

struct sysv_queue {
	pid_t sender, receiver; /* the last ones; 0: none that our pid namespace knows */
};

/* Of the queue @id in the bytes of /proc/sysvipc/msg (ipc/msg.c, sysvipc_msg_proc_show()); false:
 * it is not there. Pure. */
bool sysv_parse_queue(const char *bytes, size_t length, int id, struct sysv_queue *queue);

/* The process that sent to the queue @id last, or, with @receiver, that received from it, as far as
 * the process @pid sees the same queues as we do; 0: not known. */
pid_t sysv_queue_user(pid_t pid, int id, bool receiver);

/* The same of who changed the semaphore @number of the set @id last. */
pid_t sysv_semaphore_user(pid_t pid, int id, int number);
