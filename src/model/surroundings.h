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

/* A file system that a process has mounted. Raw. */
struct file_system {
	dev_t device;
	bool by_path;       /* told by a path, whose links were not followed: a guess */
	const char *type;   /* "nfs4" */
	const char *source; /* "/dev/vda1", "server:/export" */
	const char *server; /* of a network's: its address; NULL: none, or not known */
	const char *disk;   /* what it is on: "/dev/vda1", "nvme0n1"; NULL: no block device */
};

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

	/* Who has the file open. */
	struct parties (*file_openers)(
		struct surroundings *surroundings, dev_t device, ino_t inode);

	/* Who has the eventfd open that descriptor.eventfd_id of the process @pid names: of that,
	 * its @parent and its children. */
	struct parties (*eventfd_openers)(
		struct surroundings *surroundings, pid_t pid, pid_t parent, int64_t id);

	/* Who has the other end, the master, of the pseudo terminal @index of the file system
	 * @device. */
	struct parties (*terminal_masters)(
		struct surroundings *surroundings, dev_t device, unsigned index);

	/* Who serves the FUSE file system @device. */
	struct parties (*fuse_servers)(struct surroundings *surroundings, dev_t device);

	/*
	 * Who sent to the System V message queue @id last, or, with @receiver, who received from it
	 * last; 0: not known, as of another IPC namespace than ours. Which process had that id then
	 * is a guess.
	 */
	pid_t (*queue_user)(struct surroundings *surroundings, pid_t pid, int id, bool receiver);

	/* The same of who changed the semaphore @number of the System V set @id last. */
	pid_t (*semaphore_user)(struct surroundings *surroundings, pid_t pid, int id, int number);

	/*
	 * The file system @device, or, with a @path, the one on which that lies, links not
	 * followed, as @pid sees it. false: not known.
	 */
	bool (*file_system)(struct surroundings *surroundings, pid_t pid, dev_t device,
		const char *path, struct file_system *found);

	/* The child that the thread @tid of @pid lent its memory to by vfork(). */
	struct parties (*vfork_child)(struct surroundings *surroundings, pid_t pid, pid_t tid);
};
