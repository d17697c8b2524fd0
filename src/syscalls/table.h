// SPDX-License-Identifier: Apache-2.0
/* The families of syscalls, each with the rows of one file. */
#pragma once

#include "syscalls/syscalls.h"

/* Rows end where nothing more needs to be said; the rest is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct syscall_family {
	const struct syscall_row *rows;
	size_t count;
};

#define FAMILY(rows)                                                                               \
	{                                                                                          \
		(rows), sizeof(rows) / sizeof((rows)[0])                                           \
	}

extern const struct syscall_family syscalls_files;
extern const struct syscall_family syscalls_io;
extern const struct syscall_family syscalls_ipc;
extern const struct syscall_family syscalls_memory;
extern const struct syscall_family syscalls_poll;
extern const struct syscall_family syscalls_processes;
extern const struct syscall_family syscalls_sockets;
extern const struct syscall_family syscalls_synchronization;
extern const struct syscall_family syscalls_system;
