// SPDX-License-Identifier: Apache-2.0
/* Calls on a process's own memory. */
#include <sys/mman.h>

#include "syscalls/table.h"

static const struct name protection_items[] = {
	NAME(PROT_READ),
	NAME(PROT_WRITE),
	NAME(PROT_EXEC),
};
static const struct names protections = NAMES(protection_items);

static const struct name map_items[] = {
	NAME(MAP_SHARED_VALIDATE),
	NAME(MAP_SHARED),
	NAME(MAP_PRIVATE),
	NAME(MAP_FIXED),
	NAME(MAP_ANONYMOUS),
	NAME(MAP_GROWSDOWN),
	NAME(MAP_LOCKED),
	NAME(MAP_NORESERVE),
	NAME(MAP_POPULATE),
	NAME(MAP_STACK),
	NAME(MAP_HUGETLB),
	NAME(MAP_FIXED_NOREPLACE),
};
static const struct names map_flags = NAMES(map_items);

static const struct name sync_items[] = {NAME(MS_ASYNC), NAME(MS_INVALIDATE), NAME(MS_SYNC)};
static const struct names sync_flags = NAMES(sync_items);

#define ADDRESS                                                                                    \
	{                                                                                          \
		"addr", &argument_pointer                                                          \
	}
#define LENGTH                                                                                     \
	{                                                                                          \
		"length", &argument_size                                                           \
	}
#define PROTECTION                                                                                 \
	{                                                                                          \
		"prot", &argument_flags, &protections                                              \
	}

static const struct syscall_row rows[] = {
	{"mmap", CALL_OTHER,
		{ADDRESS, LENGTH, PROTECTION, {"flags", &argument_flags, &map_flags},
			{"fd", &argument_descriptor}, {"offset", &argument_long}}},
	{"munmap", CALL_OTHER, {ADDRESS, LENGTH}},
	{"mprotect", CALL_OTHER, {ADDRESS, LENGTH, PROTECTION}},
	{"mremap", CALL_OTHER,
		{{"old_address", &argument_pointer}, {"old_size", &argument_size},
			{"new_size", &argument_size}, {"flags", &argument_hexadecimal},
			{"new_address", &argument_pointer}}},
	{"madvise", CALL_OTHER, {ADDRESS, LENGTH, {"advice", &argument_int}}},
	{"brk", CALL_OTHER, {ADDRESS}},
	{"mlock", CALL_OTHER, {ADDRESS, LENGTH}},
	{"mlockall", CALL_OTHER, {{"flags", &argument_hexadecimal}}},
	{"msync", CALL_OTHER, {ADDRESS, LENGTH, {"flags", &argument_flags, &sync_flags}}},
};

const struct syscall_family syscalls_memory = FAMILY(rows);
