// SPDX-License-Identifier: Apache-2.0
/* Syscall: the call that a thread is in, as the kernel sees it and as people read it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSCALL_ARGUMENTS 6

/* By collect/. */
struct syscall_entry {
	bool known;      /* false: it could not be found out whether there is one */
	bool in_syscall; /* false: in user mode, or in the kernel for an interrupt or fault */
	long number;
	uint64_t arguments[SYSCALL_ARGUMENTS];
};

struct syscall_argument {
	const char *name;  /* as the manual page has it: "sockfd" */
	const char *value; /* the bare value: "3", "0x7ffd…" */
	const char *text;  /* decoded, escaped: "3<TCP 127.0.0.1:8080>" */
};

/* By explain/. */
struct syscall_call {
	long number;
	const char *name; /* "accept"; NULL: a number that this build does not know */
	struct syscall_argument *arguments;
	size_t argument_count;
	const char *text; /* all of it on one line, escaped */
};
