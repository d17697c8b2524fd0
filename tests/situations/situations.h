// SPDX-License-Identifier: Apache-2.0
/*
 * Situations: known places where a process can be stuck. Each is a function that sets the scene,
 * announces it on standard output and then blocks in the one call that it is named after.
 *
 * A tracer's stop ends some calls with EINTR (signal(7)): they are made again, as programs do.
 *
 * To add one: a function and its line in the table of the file that fits, and its row in
 * tests/live/.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* What the C library makes of these functions: arm64 has only the younger syscalls. */
#ifdef SYS_pause
enum {
	PAUSE_CALL = SYS_pause,
	POLL_CALL = SYS_poll,
	EPOLL_WAIT_CALL = SYS_epoll_wait,
	VFORK_CALL = SYS_vfork,
};
#else
enum {
	PAUSE_CALL = SYS_ppoll,
	POLL_CALL = SYS_ppoll,
	EPOLL_WAIT_CALL = SYS_epoll_pwait,
	VFORK_CALL = SYS_clone,
};
#endif

/* What a test must know of the scene: one JSON object, announced when all is in place. */
struct facts {
	FILE *stream;
	char *text;
	size_t size;
};

struct situation {
	const char *name;
	/* Sets the scene, announces it and blocks; @argument is the command line's next, or NULL.
	 */
	void (*run)(struct facts *facts, const char *argument);
};

/* The tables, each ended by a situation without a name. */
extern const struct situation async_situations[];
extern const struct situation deadlock_situations[];
extern const struct situation descriptor_situations[];
extern const struct situation disk_situations[];
extern const struct situation futex_situations[];
extern const struct situation fuse_situations[];
extern const struct situation holder_situations[];
extern const struct situation holder_socket_situations[];
extern const struct situation holder_thing_situations[];
extern const struct situation hostile_situations[];
extern const struct situation ipc_situations[];
extern const struct situation lock_situations[];
extern const struct situation memory_situations[];
extern const struct situation network_disk_situations[];
extern const struct situation pipe_situations[];
extern const struct situation poll_situations[];
extern const struct situation process_situations[];
extern const struct situation share_situations[];
extern const struct situation sleep_situations[];
extern const struct situation socket_situations[];
extern const struct situation thread_situations[];

void fact_number(struct facts *facts, const char *name, long long value);
void fact_string(struct facts *facts, const char *name, const char *value); /* plain ASCII */
void fact_address(struct facts *facts, const char *name, const void *address);

/*
 * Announces the scene. The reader still has to wait until the thread `tid` is in the call
 * numbered `syscall`: nobody can announce from inside it. -1: in no call.
 */
void ready(struct facts *facts, long syscall);
/* The same where another thread or process than the caller is the one to look at. */
void ready_other(struct facts *facts, pid_t pid, pid_t tid, long syscall);

/* @result, or the end of the program with a message where it is negative. */
int must(int result, const char *what);
/* Ends the program for a reason of the machine's, by the exit status that tests skip for. */
void unsupported(const char *what) __attribute__((noreturn));

/* fork(), of a child that is killed when its parent ends. */
pid_t fork_companion(void);
/* The same of a child that does @prepare with @thing before this comes back, and then rests. */
pid_t prepared_companion(int thing, void (*prepare)(int thing));
/* Has a System V object, which outlives its processes, removed when this process has ended. */
void remove_at_end(void (*remove)(int id), int id);
void remove_queue(int id);
void remove_set(int id);
/* Rests until killed. */
void rest(void) __attribute__((noreturn));
/* Starts a thread that runs @body, or ends the program. */
void start_thread(void *(*body)(void *), void *argument);
/* Until the thread @tid of this process or of its child is in the syscall @number; bounded. */
void await_syscall(pid_t tid, long number);
/* Until the process @pid is in that state of /proc/PID/stat; bounded. */
void await_state(pid_t pid, char state);

/* An address on the loopback device with a port that the kernel chose, bound and listening. */
int listen_loopback(int family, int backlog, int *port);
int connect_loopback(int family, int port);
/* Writes to @fd until it would block. */
void fill(int fd);
