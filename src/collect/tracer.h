// SPDX-License-Identifier: Apache-2.0
/*
 * Tracer: stops threads by ptrace and lets them go. It knows of registers, not of what
 * they mean.
 *
 * ptrace binds a tracee to the thread that traces it, so all of this is called in one thread.
 * Some stops the target notices: a blocked epoll_wait, semop, msgrcv, sigtimedwait, io_getevents
 * or inotify read returns EINTR (signal(7), "Interruption of system calls by stop signals").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tracee {
	pid_t tid;
	enum tracee_state {
		TRACEE_FREE,    /* not seized yet, or let go */
		TRACEE_REFUSED, /* `error` tells */
		TRACEE_SEIZED,  /* asked to stop */
		TRACEE_STOPPED,
		TRACEE_GONE, /* it ended */
	} state;
	bool lost; /* it may be traced still, by another id */
	int error;
	int signal; /* that was on its way to the thread when it stopped; it is passed on */
	int64_t interrupted_at_ns; /* CLOCK_MONOTONIC */
	uint64_t stopped_ns;       /* from there until it was let go */
};

/*
 * Stops the threads: all are seized, then all asked to stop, then awaited, @patience_ns in all.
 * Those that did not stop are left SEIZED.
 */
void tracer_stop(struct tracee *tracees, size_t count, int64_t patience_ns);

/* The registers of a stopped thread, up to *size bytes, which becomes their true size. */
bool tracer_registers(const struct tracee *tracee, void *regset, size_t *size);

/*
 * Lets all go. false: some could not be (they never stopped, and only a stopped thread can be let
 * go); the kernel does that when the calling thread ends, which it must do soon.
 */
bool tracer_release(struct tracee *tracees, size_t count);
