// SPDX-License-Identifier: Apache-2.0
/* Completion queues in which nothing completes. */
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "situations.h"

static void run_io_getevents(struct facts *facts, const char *argument)
{
	(void)argument;
	aio_context_t context = 0;
	if (syscall(SYS_io_setup, 8, &context) < 0)
		unsupported("io_setup");
	struct io_event events[4];
	struct timespec timeout = {3599, 0};
	ready(facts, SYS_io_getevents);
	must(TEMP_FAILURE_RETRY(syscall(SYS_io_getevents, context, 1, 4, events, &timeout)),
		"io_getevents");
}

static void run_io_uring_enter(struct facts *facts, const char *argument)
{
	(void)argument;
	struct io_uring_params parameters = {0};
	int fd = syscall(SYS_io_uring_setup, 8, &parameters);
	if (fd < 0)
		unsupported("io_uring_setup");
	fact_number(facts, "fd", fd);
	ready(facts, SYS_io_uring_enter);
	must(TEMP_FAILURE_RETRY(
		     syscall(SYS_io_uring_enter, fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0)),
		"io_uring_enter");
}

const struct situation async_situations[] = {
	{"io_getevents", run_io_getevents},
	{"io_uring_enter", run_io_uring_enter},
	{0},
};
