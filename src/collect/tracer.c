// SPDX-License-Identifier: Apache-2.0
#include "collect/tracer.h"

#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "util/clock.h"

/* Takes the news of a seized thread, if there is some. */
static void take_news(struct tracee *tracee)
{
	int status;
	pid_t tid;

	do {
		tid = waitpid(tracee->tid, &status, __WALL | WNOHANG);
	} while (tid < 0 && errno == EINTR);
	if (tid == 0)
		return;
	if (tid < 0 || !WIFSTOPPED(status)) {
		tracee->state = TRACEE_GONE;
		/* In an exec the thread takes the process's id: it is traced still, by that name.
		 */
		tracee->lost = tid < 0;
		return;
	}
	tracee->state = TRACEE_STOPPED;
	/* Without an event it stands before the delivery of a signal; with PTRACE_EVENT_STOP the
	 * number tells of the stop alone: ptrace(2), "Group-stop". */
	tracee->signal = status >> 16 ? 0 : WSTOPSIG(status);
}

static void seize(struct tracee *tracee)
{
	/* Never with PTRACE_O_EXITKILL: when this program dies its tracees must live on. */
	if (ptrace(PTRACE_SEIZE, tracee->tid, NULL, NULL) == 0) {
		tracee->state = TRACEE_SEIZED;
		return;
	}
	tracee->error = errno;
	tracee->state = errno == ESRCH ? TRACEE_GONE : TRACEE_REFUSED;
}

void tracer_stop(struct tracee *tracees, size_t count, int64_t patience_ns)
{
	static const struct timespec pause = {.tv_nsec = 50 * 1000};

	for (size_t i = 0; i < count; i++)
		seize(&tracees[i]);
	for (size_t i = 0; i < count; i++) {
		if (tracees[i].state != TRACEE_SEIZED)
			continue;
		tracees[i].interrupted_at_ns = clock_ns(CLOCK_MONOTONIC);
		/* It fails where the thread has ended, which the wait will tell. */
		ptrace(PTRACE_INTERRUPT, tracees[i].tid, NULL, NULL);
	}
	/* All of them stop while the first is awaited: the order costs nothing. */
	int64_t deadline = clock_ns(CLOCK_MONOTONIC) + patience_ns;
	for (size_t i = 0; i < count; i++) {
		while (tracees[i].state == TRACEE_SEIZED) {
			take_news(&tracees[i]);
			if (tracees[i].state != TRACEE_SEIZED)
				break;
			if (clock_ns(CLOCK_MONOTONIC) >= deadline)
				break;
			nanosleep(&pause, NULL);
		}
	}
}

bool tracer_registers(const struct tracee *tracee, void *regset, size_t *size)
{
	struct iovec to = {regset, *size};

	if (ptrace(PTRACE_GETREGSET, tracee->tid, NT_PRSTATUS, &to) < 0)
		return false;
	*size = to.iov_len;
	return true;
}

/* false: it is still traced. */
static bool release(struct tracee *tracee)
{
	if (tracee->state == TRACEE_SEIZED)
		take_news(tracee);
	if (tracee->state == TRACEE_STOPPED) {
		if (ptrace(PTRACE_DETACH, tracee->tid, NULL, tracee->signal) == 0) {
			tracee->stopped_ns =
				(uint64_t)(clock_ns(CLOCK_MONOTONIC) - tracee->interrupted_at_ns);
			tracee->state = TRACEE_FREE;
			return true;
		}
		/* It was killed; the wait tells its end. */
		take_news(tracee);
	}
	return !tracee->lost && tracee->state != TRACEE_SEIZED && tracee->state != TRACEE_STOPPED;
}

bool tracer_release(struct tracee *tracees, size_t count)
{
	bool all = true;

	for (size_t i = 0; i < count; i++)
		all &= release(&tracees[i]);
	return all;
}
