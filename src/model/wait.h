// SPDX-License-Identifier: Apache-2.0
/* Wait: what a thread waits for, in one sentence, and on whom. By explain/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Somebody that is waited on. */
struct holder {
	pid_t pid;
	pid_t tid;          /* 0: the process as a whole, or a goroutine */
	uint64_t goroutine; /* of that process; 0: none, or not known */
	const char *text;   /* "the other end of the pipe" */
};

struct wait {
	const char *kind;     /* a word of docs/waits.md: "socket-accept". Static */
	const char *text;     /* JSON's: "a client to connect to TCP 127.0.0.1:8080"; escaped */
	const char *sentence; /* for people: "waits for a client to connect to …"; escaped */
	bool idle; /* a normal rest: a pool's thread, an event loop, an empty accept queue */
	struct holder *holders;
	size_t holder_count;
};
