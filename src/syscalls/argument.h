// SPDX-License-Identifier: Apache-2.0
/*
 * Arguments: the kinds of values that syscalls take, and how each reads. What a pointer
 * leads to is read from the target and bounded: its owner may have put anything there.
 *
 * To add a kind: one const struct argument_type and its declaration here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process.h"
#include "util/text.h"

#define ARRAY_SHOWN 16   /* elements of an array; how many more there are is said */
#define STRING_SHOWN 256 /* bytes of a string */

/* A constant of the system's headers. */
struct name {
	uint64_t value;
	const char *name;
};

#define NAME(constant)                                                                             \
	{                                                                                          \
		(uint64_t)(constant), #constant                                                    \
	}

/* Names of one set of constants; for flags, those of several bits stand before their parts. */
struct names {
	const struct name *items;
	size_t count;
};

#define NAMES(array)                                                                               \
	{                                                                                          \
		(array), sizeof(array) / sizeof((array)[0])                                        \
	}

/* One argument of a call, with its neighbours: an array's length stands beside it. */
struct argument {
	const struct process *process;
	const struct thread *thread;
	const uint64_t *all; /* six */
	unsigned index;
	uint64_t value;     /* all[index] */
	const void *detail; /* of the parameter */
	bool resumed;       /* the call is one that restart_syscall resumes */
};

struct argument_type {
	enum { BARE_SIGNED, BARE_UNSIGNED, BARE_LONG, BARE_HEXADECIMAL, BARE_OCTAL } bare;
	/*
	 * Appends the decoded form. false: it can't be told, as with unreadable memory; what was
	 * appended is taken back then and the bare value stands. NULL: the bare value says all.
	 */
	bool (*append)(const struct argument *argument, struct text *text);
};

struct parameter {
	const char *name; /* as section 2 of the manual has it */
	const struct argument_type *type;
	const void *detail; /* struct names of flags and choices */
};

/* Numbers */
extern const struct argument_type argument_int;  /* 32 bits, signed */
extern const struct argument_type argument_long; /* 64 bits, signed */
extern const struct argument_type argument_size; /* 64 bits, unsigned */
extern const struct argument_type argument_hexadecimal;
extern const struct argument_type argument_mode;    /* permission bits, octal */
extern const struct argument_type argument_pointer; /* what it leads to is not shown */
extern const struct argument_type argument_flags;   /* detail: struct names */
extern const struct argument_type argument_choice;  /* one of detail: struct names */
extern const struct argument_type argument_signal;
extern const struct argument_type argument_open_flags;
extern const struct argument_type argument_futex_operation;
extern const struct argument_type argument_ioctl; /* by direction, type, number and size */

/* Descriptors, and arrays of them */
extern const struct argument_type argument_descriptor;
extern const struct argument_type argument_directory; /* or AT_FDCWD */
extern const struct argument_type argument_pollfds;   /* the next argument is their count */
extern const struct argument_type argument_fd_set;    /* the first argument is the limit */

/* Memory */
extern const struct argument_type argument_string;
extern const struct argument_type argument_sockaddr; /* the next argument is its length */
extern const struct argument_type argument_sigset;
extern const struct argument_type
	argument_sigset_and_size;                 /* pselect6's sixth: a pointer to both */
extern const struct argument_type argument_iovec; /* the next argument is their count */
extern const struct argument_type argument_msghdr;
extern const struct argument_type argument_sembuf;        /* the next argument is their count */
extern const struct argument_type argument_futex_waitv;   /* the next argument is their count */
extern const struct argument_type argument_futex_timeout; /* or the second count, by operation */
extern const struct argument_type argument_epoll_event;
extern const struct argument_type argument_fcntl; /* the meaning is that of the command before it */

/* Time */
extern const struct argument_type argument_timespec;
extern const struct argument_type argument_moment; /* of a clock, not a duration */
extern const struct argument_type argument_timeval;
extern const struct argument_type argument_milliseconds;
extern const struct argument_type argument_clock;
extern const struct argument_type argument_sleep_request; /* what remains, once interrupted */

/* Appends the names of the set bits, joined by |, the rest as a number; "0" for none. */
void append_flags(struct text *text, uint64_t value, const struct names *names);

/* The name of exactly that value, or NULL. */
const char *name_of(uint64_t value, const struct names *names);

/* Appends the descriptor's number and, where it is open and known, <what it is>. */
void append_descriptor(struct text *text, const struct process *process, int fd);

/*
 * Reads the string at @address, at most STRING_SHOWN bytes, into @buffer and tells its length;
 * *whole is false where it goes on. -1 where nothing could be read.
 */
long read_string(
	const struct memory *memory, uint64_t address, char buffer[STRING_SHOWN], bool *whole);

/*
 * How many of the @count elements of @size bytes at @address could be copied; at most @limit are
 * tried, for which @to has room.
 */
size_t read_array(const struct memory *memory, uint64_t address, void *to, size_t size,
	uint64_t count, size_t limit);

/* Reads a struct timespec or timeval as nanoseconds; false: unreadable, or no valid time. */
bool read_timespec(const struct memory *memory, uint64_t address, int64_t *ns);
bool read_timeval(const struct memory *memory, uint64_t address, int64_t *ns);

extern const struct names poll_events;
extern const struct names epoll_events;
