// SPDX-License-Identifier: Apache-2.0
/*
 * Open files: which process has which file open, found by one scan of all processes, by /proc or,
 * where they are many, by BPF. What the files are to those who wait for them is for others to say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

/* Devices that have another end: Documentation/admin-guide/devices.txt of the kernel. */
#define DEVICE_FUSE makedev(10, 229)
#define DEVICE_PTMX makedev(5, 2)

/*
 * That a process has a file open: one that is no directory, and no device but those above, which
 * have another end.
 */
struct open_file {
	dev_t device;
	ino_t inode;
	dev_t represents; /* devices: their number */
	pid_t pid;
	int fd;
	/* Of pipes, FIFOs and sockets. Neither: opened with O_PATH, which is no end of anything. */
	bool readable, writable;
};

struct open_files {
	const struct open_file *items; /* those of one file by rising pid, then fd; the table's */
	size_t count;
};

/* What one has to be able to do with a file to be at the other end of it. */
enum peer_access {
	PEER_ANY, /* to read or to write */
	PEER_READS,
	PEER_WRITES,
	OPEN_ANYHOW, /* for files that have no other end */
};

/* What was found: all zero at first; the scan is made when something is first asked for. */
struct open_file_table {
	bool scanned, partial;
	struct open_file *files; /* heap, by device, inode, pid and fd */
	size_t file_count, file_capacity;

	/* What was found last. All processes that read a pipe ask who writes it: to go through
	 * the readers for each of them would take the square of their number. */
	dev_t device;
	ino_t inode;
	enum peer_access access;
	struct open_file *found; /* heap */
	size_t found_count, found_capacity;
};

void open_files_deinit(struct open_file_table *table);

/* Has no scan made: nobody is found to have anything open. */
void open_files_leave_out(struct open_file_table *table);

/*
 * Who has the file open with that access, this process left out: until the next call.
 */
struct open_files open_files_find(
	struct open_file_table *table, dev_t device, ino_t inode, enum peer_access access);

/* The same of all files, those of one file together. */
struct open_files open_files_all(struct open_file_table *table);

/* Whether the scan could not look into some processes. */
bool open_files_partial(struct open_file_table *table);

/*
 * Opens the directory "fd" of the process whose directory of /proc is @process: its main thread's,
 * or, where that has ended before the others and so has none, another thread's. -1 with errno
 * where it can't be had. The caller closes it.
 */
int open_files_directory(int process);
