// SPDX-License-Identifier: Apache-2.0
/* What the scenes have in common: announcing, companions, sockets on the loopback device. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "situations.h"
#include "switch.h"

#define SKIP 77 /* automake's exit status for a test that cannot be run here */

void fact_number(struct facts *facts, const char *name, long long value)
{
	fprintf(facts->stream, "\"%s\": %lld, ", name, value);
}

void fact_string(struct facts *facts, const char *name, const char *value)
{
	fprintf(facts->stream, "\"%s\": \"%s\", ", name, value);
}

void fact_address(struct facts *facts, const char *name, const void *address)
{
	fprintf(facts->stream, "\"%s\": \"%p\", ", name, address);
}

void ready_other(struct facts *facts, pid_t pid, pid_t tid, long syscall)
{
	fclose(facts->stream);
	printf("{%s\"pid\": %d, \"tid\": %d, \"syscall\": %ld}\n", facts->text, pid, tid, syscall);
	free(facts->text);
	fflush(stdout);
}

void ready(struct facts *facts, long syscall)
{
	ready_other(facts, getpid(), gettid(), syscall);
}

int must(int result, const char *what)
{
	if (result < 0)
		err(EXIT_FAILURE, "%s", what);
	return result;
}

void unsupported(const char *what)
{
	warn("%s", what);
	exit(SKIP);
}

int make_switch(void)
{
	int file = must(memfd_create("silent", 0), "memfd_create");
	must(ftruncate(file, sizeof(atomic_int)), "ftruncate");
	return file;
}

atomic_int *map_switch(int file)
{
	void *silent = mmap(NULL, sizeof(atomic_int), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (silent == MAP_FAILED)
		unsupported("mmap");
	return silent;
}

pid_t fork_companion(void)
{
	pid_t parent = getpid();
	pid_t child = must(fork(), "fork");
	if (child)
		return child;
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	return 0;
}

pid_t prepared_companion(int thing, void (*prepare)(int thing))
{
	int done[2];
	must(pipe(done), "pipe");
	pid_t pid = fork_companion();
	if (!pid) {
		close(done[0]);
		prepare(thing);
		must(write(done[1], "", 1), "write");
		close(done[1]);
		rest();
	}
	char byte;
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		errx(EXIT_FAILURE, "a companion did not get ready");
	close(done[0]);
	return pid;
}

void remove_queue(int id)
{
	msgctl(id, IPC_RMID, NULL);
}

void remove_set(int id)
{
	semctl(id, 0, IPC_RMID);
}

/*
 * System V objects outlive their processes, and taking one away wakes who waits for it: a process
 * that is no child of this one does it when this one has ended, which it sees by a pipe that nobody
 * else can write to.
 */
void remove_at_end(void (*remove)(int id), int id)
{
	int ends[2];
	must(pipe2(ends, O_CLOEXEC), "pipe2");
	pid_t between = must(fork(), "fork");
	if (!between) {
		if (must(fork(), "fork"))
			_exit(EXIT_SUCCESS);
		char byte;
		close(ends[1]);
		close(STDOUT_FILENO);
		while (read(ends[0], &byte, 1) > 0)
			;
		remove(id);
		_exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	must(waitpid(between, NULL, 0), "waitpid");
}

void rest(void)
{
	for (;;)
		pause();
}

void start_thread(void *(*body)(void *), void *argument)
{
	pthread_t thread;
	errno = pthread_create(&thread, NULL, body, argument);
	if (errno)
		err(EXIT_FAILURE, "pthread_create");
}

/* The first bytes of a file in /proc; empty where it cannot be read. */
static void read_proc(const char *path, char *text, size_t size)
{
	text[0] = '\0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t length = read(fd, text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(fd);
}

#define ATTEMPTS 5000
#define ATTEMPT_US 1000

void await_syscall(pid_t tid, long number)
{
	char path[64], text[128];
	snprintf(path, sizeof path, "/proc/%d/syscall", tid);
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		read_proc(path, text, sizeof text);
		char *end;
		long found = strtol(text, &end, 10);
		if (end != text && found == number)
			return;
		usleep(ATTEMPT_US);
	}
	errx(EXIT_FAILURE, "task %d did not come to syscall %ld", tid, number);
}

void await_state(pid_t pid, char state)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		read_proc(path, text, sizeof text);
		const char *end = strrchr(text, ')');
		if (end && end[1] && end[2] == state)
			return;
		usleep(ATTEMPT_US);
	}
	errx(EXIT_FAILURE, "process %d did not come to state %c", pid, state);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t loopback(union address *address, int family, int port)
{
	memset(address, 0, sizeof *address);
	address->any.sa_family = family;
	if (family == AF_INET6) {
		address->v6.sin6_addr = in6addr_loopback;
		address->v6.sin6_port = htons(port);
		return sizeof address->v6;
	}
	address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->v4.sin_port = htons(port);
	return sizeof address->v4;
}

int listen_loopback(int family, int backlog, int *port)
{
	int fd = socket(family, SOCK_STREAM, 0);
	if (fd < 0)
		unsupported("socket");
	union address address;
	socklen_t length = loopback(&address, family, 0);
	if (bind(fd, &address.any, length) < 0)
		unsupported("bind to the loopback device");
	must(listen(fd, backlog), "listen");
	must(getsockname(fd, &address.any, &length), "getsockname");
	*port = ntohs(family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
	return fd;
}

int connect_loopback(int family, int port)
{
	int fd = must(socket(family, SOCK_STREAM, 0), "socket");
	union address address;
	socklen_t length = loopback(&address, family, port);
	must(connect(fd, &address.any, length), "connect");
	return fd;
}

void fill(int fd)
{
	int flags = must(fcntl(fd, F_GETFL), "fcntl");
	must(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
	static const char block[4096];
	/* Single bytes at last, so that not even one more finds room. */
	for (size_t size = sizeof block; size; size /= 4096)
		while (write(fd, block, size) > 0)
			;
	must(fcntl(fd, F_SETFL, flags), "fcntl");
}
