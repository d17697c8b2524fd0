// SPDX-License-Identifier: Apache-2.0
#include "collect/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/error.h"
#include "util/file.h"

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return false;
	return sets[capability / 32].effective >> capability % 32 & 1;
}

/* kernel.yama.ptrace_scope, Documentation/admin-guide/LSM/Yama.rst; 0 where there is no Yama. */
static int yama_scope(void)
{
	struct text text cleanup_text = {0};

	if (failed(file_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", 16, &text)) ||
		text.length == 0)
		return 0;
	return text.bytes[0] - '0';
}

const char *refusal_of_kernel_stack(int error)
{
	/* fs/proc/base.c, proc_pid_stack(): the capability first, then access as for ptrace. */
	if (error == EACCES && geteuid() != 0)
		return "needs CAP_SYS_ADMIN: run with sudo";
	if (error == EACCES)
		return "needs CAP_SYS_ADMIN in the initial user namespace: run as root outside of "
		       "the container";
	if (error == EPERM)
		return "the kernel refuses access to this process, although CAP_SYS_ADMIN is there "
		       "(a security module, or it has capabilities that this one lacks)";
	if (error == ENOENT)
		return "this kernel has no /proc/PID/stack (it lacks CONFIG_STACKTRACE)";
	return error_errno(error).reason;
}

const char *refusal_of_access(int error, uid_t uid)
{
	if (error != EPERM && error != EACCES)
		return error_errno(error).reason;
	int scope = yama_scope();
	if (scope >= 3)
		return "kernel.yama.ptrace_scope = 3 forbids it to everybody until the next boot";
	if (has_capability(CAP_SYS_PTRACE))
		return "the kernel refuses it, although CAP_SYS_PTRACE is there (a security "
		       "module, "
		       "a seccomp filter, or the process is in another user namespace)";
	if (scope == 2)
		return "kernel.yama.ptrace_scope = 2 asks for CAP_SYS_PTRACE: run with sudo";
	if (scope == 1 && uid == geteuid())
		return "kernel.yama.ptrace_scope = 1 allows it for one's own children only, or "
		       "with "
		       "CAP_SYS_PTRACE: run with sudo";
	return "needs CAP_SYS_PTRACE or the same user: run with sudo";
}
