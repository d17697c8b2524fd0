// SPDX-License-Identifier: Apache-2.0
#include "collect/sysv.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>

#include "collect/scan.h"
#include "util/file.h"

/* key msqid perms cbytes qnum lspid lrpid …; `perms` is octal, which a decimal reading passes. */
bool sysv_parse_queue(const char *bytes, size_t length, int id, struct sysv_queue *queue)
{
	enum { KEY, ID, SENDER = 5, RECEIVER, FIELDS };
	struct scan scan = scan_bytes(bytes, length), line;

	while (length && scan_line(&scan, &line)) {
		int64_t fields[FIELDS];
		int count = 0;

		while (count < FIELDS) {
			scan_blanks(&line);
			if (!scan_signed(&line, &fields[count]))
				break;
			count++;
		}
		if (count < FIELDS || fields[ID] != id || fields[SENDER] < 0 ||
			fields[SENDER] > INT_MAX || fields[RECEIVER] < 0 ||
			fields[RECEIVER] > INT_MAX)
			continue;
		*queue = (struct sysv_queue){(pid_t)fields[SENDER], (pid_t)fields[RECEIVER]};
		return true;
	}
	return false;
}

static bool same_ipc_namespace(pid_t pid)
{
	char path[sizeof("/proc//ns/ipc") + 11];
	struct stat own, other;

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	return stat("/proc/self/ns/ipc", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_ino == other.st_ino;
}

/* The process, if it lives; 0: it does not. */
static pid_t living(pid_t pid)
{
	char path[sizeof("/proc/") + 11];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return pid > 0 && stat(path, &status) == 0 ? pid : 0;
}

pid_t sysv_queue_user(pid_t pid, int id, bool receiver)
{
	struct text content cleanup_text = {0};
	struct sysv_queue queue;

	if (!same_ipc_namespace(pid) ||
		failed(file_read(AT_FDCWD, "/proc/sysvipc/msg", SYSV_SIZE_MAX, &content)) ||
		!sysv_parse_queue(content.bytes, content.length, id, &queue))
		return 0;
	return living(receiver ? queue.receiver : queue.sender);
}

pid_t sysv_semaphore_user(pid_t pid, int id, int number)
{
	return same_ipc_namespace(pid) ? living(semctl(id, number, GETPID)) : 0;
}
