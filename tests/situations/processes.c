// SPDX-License-Identifier: Apache-2.0
/* Processes: waiting for children and signals, being stopped, traced and dead. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "situations.h"

static pid_t resting_child(struct facts *facts)
{
	pid_t child = fork_companion();
	if (!child)
		rest();
	fact_number(facts, "child", child);
	return child;
}

static void run_wait4(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t child = resting_child(facts);
	int status;
	ready(facts, SYS_wait4);
	must(waitpid(child, &status, 0), "waitpid");
}

static void run_wait4_any(struct facts *facts, const char *argument)
{
	(void)argument;
	resting_child(facts);
	ready(facts, SYS_wait4);
	must(waitpid(-1, NULL, 0), "waitpid");
}

static void run_waitid(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t child = resting_child(facts);
	siginfo_t information;
	ready(facts, SYS_waitid);
	must(waitid(P_PID, child, &information, WEXITED | WSTOPPED), "waitid");
}

static volatile pid_t vfork_child;

/* Uninterruptible by design of the kernel's: the parent rests in state D. */
static void run_vfork(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t parent = getpid();
	ready(facts, VFORK_CALL);
	vfork_child = vfork();
	if (!vfork_child) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		for (;;)
			pause();
	}
}

static void run_pause(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, PAUSE_CALL);
	pause();
}

static void run_sigsuspend(struct facts *facts, const char *argument)
{
	(void)argument;
	sigset_t mask;
	sigfillset(&mask);
	sigdelset(&mask, SIGUSR1);
	ready(facts, SYS_rt_sigsuspend);
	sigsuspend(&mask);
}

static void run_sigtimedwait(struct facts *facts, const char *argument)
{
	(void)argument;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	struct timespec timeout = {3599, 0};
	ready(facts, SYS_rt_sigtimedwait);
	must(TEMP_FAILURE_RETRY(sigtimedwait(&set, NULL, &timeout)), "sigtimedwait");
}

static void run_stopped(struct facts *facts, const char *argument)
{
	(void)argument;
	ready(facts, -1);
	raise(SIGSTOP);
}

/* The child is traced by its parent and has stopped; the parent waits for something else. */
static void run_traced(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t child = fork_companion();
	if (!child) {
		must(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
		raise(SIGUSR1);
		_exit(EXIT_SUCCESS);
	}
	must(waitpid(child, NULL, 0), "waitpid");
	fact_number(facts, "tracer", getpid());
	ready_other(facts, child, child, -1);
	rest();
}

/* On its way out by exit_group(), held there by its tracer. */
static void run_exit_group(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t child = fork_companion();
	if (!child) {
		must(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
		raise(SIGSTOP);
		syscall(SYS_exit_group, 7);
	}
	must(waitpid(child, NULL, 0), "waitpid");
	must(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT), "PTRACE_SETOPTIONS");
	must(ptrace(PTRACE_CONT, child, NULL, NULL), "PTRACE_CONT");
	must(waitpid(child, NULL, 0), "waitpid");
	fact_number(facts, "tracer", getpid());
	ready_other(facts, child, child, SYS_exit_group);
	rest();
}

static void run_zombie(struct facts *facts, const char *argument)
{
	(void)argument;
	pid_t child = fork_companion();
	if (!child)
		_exit(EXIT_SUCCESS);
	await_state(child, 'Z');
	fact_number(facts, "parent", getpid());
	ready_other(facts, child, child, -1);
	rest();
}

static void *outlive_main(void *data)
{
	struct facts *facts = data;
	await_state(getpid(), 'Z');
	ready(facts, PAUSE_CALL);
	rest();
}

/* The main thread has ended, another goes on. */
static void run_zombie_leader(struct facts *facts, const char *argument)
{
	(void)argument;
	start_thread(outlive_main, facts);
	syscall(SYS_exit, 0);
}

const struct situation process_situations[] = {
	{"wait4", run_wait4},
	{"wait4-any", run_wait4_any},
	{"waitid", run_waitid},
	{"vfork", run_vfork},
	{"pause", run_pause},
	{"rt_sigsuspend", run_sigsuspend},
	{"rt_sigtimedwait", run_sigtimedwait},
	{"stopped", run_stopped},
	{"traced", run_traced},
	{"exit_group", run_exit_group},
	{"zombie", run_zombie},
	{"zombie-leader", run_zombie_leader},
	{0},
};
