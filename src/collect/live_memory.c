// SPDX-License-Identifier: Apache-2.0
#include "collect/live_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Whether the process is there still, and thus what was just read by its id was its own.
 * A descriptor of /proc/PID serves as a pidfd here since Linux 5.1, kernel/signal.c.
 */
static bool is_alive(const struct live_memory *memory)
{
	return syscall(SYS_pidfd_send_signal, memory->directory, 0, NULL, 0) == 0 || errno != ESRCH;
}

/*
 * Through /proc/PID/mem, for where seccomp filters forbid process_vm_readv(). It is not asked for
 * what that could not read: it gives zeros for guard pages.
 */
static size_t read_file(struct live_memory *memory, uint64_t address, void *to, size_t length)
{
	if (memory->file < 0)
		memory->file = openat(memory->directory, "mem", O_RDONLY | O_CLOEXEC);
	if (memory->file < 0 || address > INT64_MAX)
		return 0;
	ssize_t got = pread(memory->file, to, length, (off_t)address);
	return got < 0 ? 0 : (size_t)got;
}

static size_t read_memory(const struct memory *base, uint64_t address, void *to, size_t length)
{
	struct live_memory *memory = (struct live_memory *)base;
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)address, length};

	if (length == 0)
		return 0;
	ssize_t got = process_vm_readv(memory->pid, &local, 1, &remote, 1, 0);
	if (got > 0)
		return is_alive(memory) ? (size_t)got : 0;
	return errno == EPERM || errno == ENOSYS ? read_file(memory, address, to, length) : 0;
}

void live_memory_init(struct live_memory *memory, pid_t pid, int directory)
{
	*memory = (struct live_memory){
		.memory.read = read_memory,
		.pid = pid,
		.directory = directory,
		.file = -1,
	};
}

void live_memory_deinit(struct live_memory *memory)
{
	if (memory->file >= 0)
		close(memory->file);
}
