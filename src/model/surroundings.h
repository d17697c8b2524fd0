// SPDX-License-Identifier: Apache-2.0
/*
 * Surroundings: who else on the machine has to do with what a process waits for. Live in
 * collect/, where each thing is read when first asked for; made up in tests. A process without them
 * has surroundings NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process that can end a wait. */
struct party {
	pid_t pid;
	bool alone;     /* none but it can end its part: it has the lock */
	bool uncertain; /* a guess */
};

/* In the memory of whoever gives them. */
struct parties {
	const struct party *items;
	size_t count;
	bool all; /* nobody else can end the wait */
};

enum file_lock_kind {
	FILE_LOCK_FLOCK,
	FILE_LOCK_POSIX,       /* fcntl's, of a process */
	FILE_LOCK_DESCRIPTION, /* fcntl's, of an open file description */
};

/* A lock on a file that is asked for. */
struct file_lock {
	enum file_lock_kind kind;
	bool exclusive; /* else shared, a read lock */
	int fd;         /* of the process that asks */
	dev_t device;
	ino_t inode;
	bool has_range;      /* first and last are known; without, any will do */
	int64_t first, last; /* bytes; INT64_MAX: to the end of the file, however it grows */
};

#define OWN_GROUP (-1)

struct surroundings {
	/* Who has the locks that stand in the way of that which @pid asks for. */
	struct parties (*lock_holders)(
		struct surroundings *surroundings, pid_t pid, const struct file_lock *wanted);

	/* The living children of @pid, of any of its threads, or, where @tid is not 0, of that one;
	 * with @group of that process group, or of the one that @pid is in. The youngest stands
	 * last. */
	struct parties (*children)(
		struct surroundings *surroundings, pid_t pid, pid_t tid, pid_t group);

	/*
	 * Who has the unix socket open that is bound to the @length bytes at @name, an abstract
	 * one's with the NUL before it, in the network namespace of @pid: one that listens, or else
	 * one that takes datagrams.
	 */
	struct parties (*unix_socket)(struct surroundings *surroundings, pid_t pid,
		const char *name, size_t length, bool listening);

	/* The child that the thread @tid of @pid lent its memory to by vfork(). */
	struct parties (*vfork_child)(struct surroundings *surroundings, pid_t pid, pid_t tid);
};
