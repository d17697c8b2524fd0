// SPDX-License-Identifier: Apache-2.0
/* Processes and threads: their beginning, their end, and those who wait for it. */
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "syscalls/table.h"

static const struct name wait_items[] = {
	NAME(WNOHANG),
	NAME(WUNTRACED),
	NAME(WCONTINUED),
	{(uint32_t)__WNOTHREAD, "__WNOTHREAD"},
	{(uint32_t)__WALL, "__WALL"},
	{(uint32_t)__WCLONE, "__WCLONE"},
};
static const struct names wait_options = NAMES(wait_items);

static const struct name waitid_items[] = {
	NAME(WNOHANG),
	NAME(WSTOPPED),
	NAME(WEXITED),
	NAME(WCONTINUED),
	NAME(WNOWAIT),
	{(uint32_t)__WNOTHREAD, "__WNOTHREAD"},
	{(uint32_t)__WALL, "__WALL"},
	{(uint32_t)__WCLONE, "__WCLONE"},
};
static const struct names waitid_options = NAMES(waitid_items);

static const struct name id_items[] = {NAME(P_ALL), NAME(P_PID), NAME(P_PGID), NAME(P_PIDFD)};
static const struct names id_types = NAMES(id_items);

static const struct name clone_items[] = {
	NAME(CLONE_VM),
	NAME(CLONE_FS),
	NAME(CLONE_FILES),
	NAME(CLONE_SIGHAND),
	NAME(CLONE_PIDFD),
	NAME(CLONE_PTRACE),
	NAME(CLONE_VFORK),
	NAME(CLONE_PARENT),
	NAME(CLONE_THREAD),
	NAME(CLONE_NEWNS),
	NAME(CLONE_SYSVSEM),
	NAME(CLONE_SETTLS),
	NAME(CLONE_PARENT_SETTID),
	NAME(CLONE_CHILD_CLEARTID),
	NAME(CLONE_UNTRACED),
	NAME(CLONE_CHILD_SETTID),
	NAME(CLONE_NEWCGROUP),
	NAME(CLONE_NEWUTS),
	NAME(CLONE_NEWIPC),
	NAME(CLONE_NEWUSER),
	NAME(CLONE_NEWPID),
	NAME(CLONE_NEWNET),
	NAME(CLONE_IO),
};
static const struct names clone_flags = NAMES(clone_items);

static const struct name trace_items[] = {
	NAME(PTRACE_TRACEME),
	NAME(PTRACE_PEEKTEXT),
	NAME(PTRACE_PEEKDATA),
	NAME(PTRACE_PEEKUSER),
	NAME(PTRACE_POKETEXT),
	NAME(PTRACE_POKEDATA),
	NAME(PTRACE_POKEUSER),
	NAME(PTRACE_CONT),
	NAME(PTRACE_KILL),
	NAME(PTRACE_SINGLESTEP),
	NAME(PTRACE_ATTACH),
	NAME(PTRACE_DETACH),
	NAME(PTRACE_SYSCALL),
	NAME(PTRACE_SETOPTIONS),
	NAME(PTRACE_GETEVENTMSG),
	NAME(PTRACE_GETSIGINFO),
	NAME(PTRACE_SETSIGINFO),
	NAME(PTRACE_GETREGSET),
	NAME(PTRACE_SETREGSET),
	NAME(PTRACE_SEIZE),
	NAME(PTRACE_INTERRUPT),
	NAME(PTRACE_LISTEN),
};
static const struct names trace_requests = NAMES(trace_items);

#define PID                                                                                        \
	{                                                                                          \
		"pid", &argument_int                                                               \
	}
#define STATUS                                                                                     \
	{                                                                                          \
		"wstatus", &argument_pointer                                                       \
	}
#define USAGE                                                                                      \
	{                                                                                          \
		"rusage", &argument_pointer                                                        \
	}
#define DIRECTORY                                                                                  \
	{                                                                                          \
		"dirfd", &argument_directory                                                       \
	}
#define PATH                                                                                       \
	{                                                                                          \
		"pathname", &argument_string                                                       \
	}
#define ARGUMENTS                                                                                  \
	{"argv", &argument_pointer},                                                               \
	{                                                                                          \
		"envp", &argument_pointer                                                          \
	}
#define EXIT_STATUS                                                                                \
	{                                                                                          \
		"status", &argument_int                                                            \
	}

static const struct syscall_row rows[] = {
	{"wait4", CALL_CHILD, {PID, STATUS, {"options", &argument_flags, &wait_options}, USAGE}},
	{"waitid", CALL_CHILD,
		{{"idtype", &argument_choice, &id_types}, {"id", &argument_int},
			{"infop", &argument_pointer}, {"options", &argument_flags, &waitid_options},
			USAGE}},
	{"fork", CALL_CLONE, {}},
	{"vfork", CALL_CLONE, {}},
	/* The arguments after the second stand in an order of each architecture's own. */
	{"clone", CALL_CLONE,
		{{"flags", &argument_flags, &clone_flags}, {"stack", &argument_pointer}}},
	{"clone3", CALL_CLONE, {{"cl_args", &argument_pointer}, {"size", &argument_size}}},
	{"execve", CALL_OTHER, {PATH, ARGUMENTS}},
	{"execveat", CALL_OTHER, {DIRECTORY, PATH, ARGUMENTS, {"flags", &argument_hexadecimal}}},
	{"exit", CALL_EXIT, {EXIT_STATUS}},
	{"exit_group", CALL_EXIT, {EXIT_STATUS}},
	{"kill", CALL_OTHER, {PID, {"sig", &argument_signal}}},
	{"tkill", CALL_OTHER, {{"tid", &argument_int}, {"sig", &argument_signal}}},
	{"tgkill", CALL_OTHER,
		{{"tgid", &argument_int}, {"tid", &argument_int}, {"sig", &argument_signal}}},
	{"ptrace", CALL_PTRACE,
		{{"request", &argument_choice, &trace_requests}, PID, {"addr", &argument_pointer},
			{"data", &argument_pointer}}},
	{"process_vm_readv", CALL_OTHER,
		{PID, {"local_iov", &argument_iovec}, {"liovcnt", &argument_size},
			{"remote_iov", &argument_iovec}, {"riovcnt", &argument_size},
			{"flags", &argument_hexadecimal}}},
	{"getpid", CALL_OTHER, {}},
	{"gettid", CALL_OTHER, {}},
};

const struct syscall_family syscalls_processes = FAMILY(rows);
