// SPDX-License-Identifier: Apache-2.0
#include "syscalls/table.h"

#include <string.h>

#include "util/memory.h"

static const struct syscall_family *const families[] = {
	&syscalls_io,
	&syscalls_synchronization,
	&syscalls_poll,
	&syscalls_sockets,
	&syscalls_processes,
	&syscalls_files,
	&syscalls_ipc,
	&syscalls_memory,
	&syscalls_system,
};

const struct syscall_row *syscall_row_find(const char *name)
{
	for (size_t i = 0; name && i < array_length(families); i++) {
		for (size_t j = 0; j < families[i]->count; j++) {
			if (strcmp(families[i]->rows[j].name, name) == 0)
				return &families[i]->rows[j];
		}
	}
	return NULL;
}

const char *syscall_name(const struct arch *arch, long number)
{
	return number >= 0 && number < arch->syscall_limit ? arch->syscall_names[number] : NULL;
}
