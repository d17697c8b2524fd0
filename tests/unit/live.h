// SPDX-License-Identifier: Apache-2.0
/* Live: a traced, stopped process as the later stages see it, for tests of the unwinder. */
#pragma once

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "collect/maps.h"
#include "elf/modules.h"
#include "unwind/unwind.h"
#include "util/file.h"

struct live {
	struct memory memory;
	pid_t pid;
	struct arena *arena;
	struct process process;
	struct thread thread;
	struct images *images;
	struct modules *modules;
};

static inline size_t live_read(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct live *live = (const struct live *)memory;
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)address, length};
	ssize_t got = process_vm_readv(live->pid, &local, 1, &remote, 1, 0);

	return got > 0 ? (size_t)got : 0;
}

/* Looks at the mappings of @pid; live_end() gives all back. */
static inline void live_begin(struct live *live, pid_t pid)
{
	struct text maps cleanup_text = {0}, exe cleanup_text = {0};
	char path[64];

	*live = (struct live){.memory.read = live_read, .pid = pid, .arena = arena_create()};
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if (failed(file_read(AT_FDCWD, path, 16 << 20, &maps)))
		abort();
	live->process.mappings = maps_parse(maps.bytes, maps.length, live->arena);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (!failed(file_read_link(AT_FDCWD, path, &exe)))
		live->process.exe = text_to_arena(&exe, live->arena);
	live->process.pid = pid;
	live->process.threads = &live->thread;
	live->process.thread_count = 1;
	live->process.memory = &live->memory;
	live->thread.tid = pid;
	live->images = images_create(live->arena);
	live->modules = modules_create(live->images, &live->process, live->arena);
}

static inline void live_end(struct live *live)
{
	modules_destroy(live->modules);
	images_destroy(live->images);
	arena_destroy(live->arena);
}

/* The registers of thread @tid, which this process traces and which is stopped. */
static inline struct registers live_registers(pid_t tid)
{
	uint64_t raw[64];
	struct iovec set = {raw, sizeof(raw)};
	struct registers registers;
	struct syscall_entry entry;

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &set) < 0 ||
		!arch_native->decode_prstatus(raw, set.iov_len, &registers, &entry))
		abort();
	return registers;
}

static inline struct user_stack *live_unwind(struct live *live, size_t max_frames)
{
	const struct registers registers = live_registers(live->pid);

	return unwind_stack(
		arch_native, live->modules, &registers, &live->memory, max_frames, live->arena);
}
