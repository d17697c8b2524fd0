// SPDX-License-Identifier: Apache-2.0
/* Waiting for several descriptors. */
#include <sys/epoll.h>

#include "syscalls/table.h"

static const struct name control_items[] = {
	NAME(EPOLL_CTL_ADD),
	NAME(EPOLL_CTL_DEL),
	NAME(EPOLL_CTL_MOD),
};
static const struct names controls = NAMES(control_items);

#define EPOLL                                                                                      \
	{                                                                                          \
		"epfd", &argument_descriptor                                                       \
	}
#define EVENTS                                                                                     \
	{                                                                                          \
		"events", &argument_pointer                                                        \
	}
#define MAX_EVENTS                                                                                 \
	{                                                                                          \
		"maxevents", &argument_int                                                         \
	}
#define MASK                                                                                       \
	{                                                                                          \
		"sigmask", &argument_sigset                                                        \
	}
#define MASK_SIZE                                                                                  \
	{                                                                                          \
		"sigsetsize", &argument_size                                                       \
	}
#define SETS                                                                                       \
	{"nfds", &argument_int}, {"readfds", &argument_fd_set}, {"writefds", &argument_fd_set},    \
	{                                                                                          \
		"exceptfds", &argument_fd_set                                                      \
	}

static const struct syscall_row rows[] = {
	{"poll", CALL_POLL,
		{{"fds", &argument_pollfds}, {"nfds", &argument_int},
			{"timeout", &argument_milliseconds}}},
	{"ppoll", CALL_POLL,
		{{"fds", &argument_pollfds}, {"nfds", &argument_int}, {"tmo_p", &argument_timespec},
			MASK, MASK_SIZE}},
	{"select", CALL_SELECT, {SETS, {"timeout", &argument_timeval}}},
	{"pselect6", CALL_SELECT,
		{SETS, {"timeout", &argument_timespec}, {"sigmask", &argument_sigset_and_size}}},
	{"epoll_wait", CALL_EPOLL,
		{EPOLL, EVENTS, MAX_EVENTS, {"timeout", &argument_milliseconds}}},
	{"epoll_pwait", CALL_EPOLL,
		{EPOLL, EVENTS, MAX_EVENTS, {"timeout", &argument_milliseconds}, MASK, MASK_SIZE}},
	{"epoll_pwait2", CALL_EPOLL,
		{EPOLL, EVENTS, MAX_EVENTS, {"timeout", &argument_timespec}, MASK, MASK_SIZE}},
	{"epoll_ctl", CALL_OTHER,
		{EPOLL, {"op", &argument_choice, &controls}, {"fd", &argument_descriptor},
			{"event", &argument_epoll_event}}},
	{"epoll_create", CALL_OTHER, {{"size", &argument_int}}},
	{"epoll_create1", CALL_OTHER, {{"flags", &argument_open_flags}}},
};

const struct syscall_family syscalls_poll = FAMILY(rows);
