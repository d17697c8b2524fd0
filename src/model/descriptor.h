// SPDX-License-Identifier: Apache-2.0
/* Descriptor: what an open file descriptor of a process is, and who is at its other end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum descriptor_kind {
	DESCRIPTOR_UNKNOWN, /* open, but what it is could not be read */
	DESCRIPTOR_FILE,
	DESCRIPTOR_DIRECTORY,
	DESCRIPTOR_PIPE,
	DESCRIPTOR_FIFO,
	DESCRIPTOR_SOCKET,
	DESCRIPTOR_EVENTFD,
	DESCRIPTOR_TIMERFD,
	DESCRIPTOR_SIGNALFD,
	DESCRIPTOR_INOTIFY,
	DESCRIPTOR_FANOTIFY,
	DESCRIPTOR_EPOLL,
	DESCRIPTOR_PIDFD,
	DESCRIPTOR_IO_URING,
	DESCRIPTOR_MESSAGE_QUEUE, /* POSIX */
	DESCRIPTOR_TTY,
	DESCRIPTOR_CHARACTER_DEVICE,
	DESCRIPTOR_BLOCK_DEVICE,
	DESCRIPTOR_ANONYMOUS, /* another anon_inode; `path` names it */
};

/* A process at the other end of a pipe or socket. */
struct peer {
	pid_t pid;
	const char *comm; /* raw */
	int fd;           /* its descriptor of that end; -1: not known */
};

struct socket_facts {
	int family;                /* AF_INET …; AF_UNSPEC where it could not be found */
	int type;                  /* SOCK_STREAM …; 0: not known */
	int protocol;              /* IPPROTO_TCP …, or the netlink family's protocol */
	const char *protocol_name; /* "TCP", "UDP", "unix", "netlink", as /proc/PID/fd's
				      system.sockprotoname or sock_diag tell; never NULL */
	int state;                 /* TCP_ESTABLISHED … of linux/tcp_states; 0: none */
	struct sockaddr_storage local, remote; /* ss_family AF_UNSPEC: none */
	socklen_t local_length, remote_length; /* 0: none; for text_append_sockaddr() */
	const char *path;    /* unix: bound path, raw; abstract names begin with '@' and end here at
				their first NUL, in `local` they are whole; NULL: none */
	uint64_t peer_inode; /* of the connected socket on this machine; 0: none known */
	bool peer_not_accepted; /* the connection still waits for the other side's accept(); the
				   peers are the processes that listen */
	bool is_client;         /* the connection was made from this end, to a server */
	bool has_queues;
	uint32_t receive_queue; /* bytes; listening: connections that wait for accept() */
	uint32_t send_queue;    /* bytes; listening: the backlog's limit */
};

/* A descriptor that an epoll instance watches. */
struct watched {
	int fd;
	uint32_t events; /* EPOLLIN … */
	ino_t inode; /* of the file that `fd` was when it was added; `fd` may be another one now.
			0: not known */
};

struct descriptor {
	int fd;
	enum descriptor_kind kind;
	const char
		*path; /* the link /proc/PID/fd/N, raw, " (deleted)" taken off; NULL: unreadable */
	bool deleted;
	unsigned flags; /* O_RDONLY …, from fdinfo; 0 where unreadable */
	int64_t position;
	dev_t device; /* of the file's file system */
	ino_t inode;
	dev_t represents;            /* devices: their number */
	struct socket_facts *socket; /* kind SOCKET */
	struct peer *peers; /* processes at the other end: pipe, FIFO, unix, TCP on this machine,
			       and whom a pidfd names */
	size_t peer_count;
	bool peers_partial;      /* some processes could not be looked into */
	bool readable, writable; /* as it was opened; neither with O_PATH */
	uint64_t counter;        /* eventfd's count */
	int64_t eventfd_id;      /* which eventfd it is, whoever has it open; -1: not known */
	int clock;               /* timerfd's clock */
	int64_t expires_ns;      /* timerfd: from now; -1: disarmed */
	int64_t interval_ns;     /* timerfd: 0 for one shot */
	uint64_t ticks;          /* timerfd: how often it has fired since it was last read */
	uint64_t signals;        /* signalfd: bit n - 1 for signal n */
	pid_t pid;               /* pidfd: whom it names; -1: ended; 0: not known */
	struct watched *watched; /* epoll; a bounded number of them */
	size_t watched_count;

	/* What stands between < and > after its number: "TCP 127.0.0.1:8080", "pipe:[123] ← cat
	 * (pid 7)",
	 * "/var/log/x"; "?" where it is not known. Escaped; never NULL. */
	const char *text;
	const char *problem; /* why not all could be known, with the remedy; NULL: all is */
};

/*
 * Source of a process's descriptors: live in collect/, made up in tests. What is found
 * is remembered, so that one look tells one story.
 */
struct descriptors {
	/* The descriptor, owned by the source; NULL where @fd is not open. */
	const struct descriptor *(*find)(struct descriptors *descriptors, int fd);
	/* All open numbers, rising, in the source's memory; their count. */
	size_t (*list)(struct descriptors *descriptors, const int **fds);
	/* Whether the socket with that inode is the end of a connection from which that was made,
	 * to a server, without describing it; NULL: not known of any. */
	bool (*is_client)(struct descriptors *descriptors, ino_t inode);
};
