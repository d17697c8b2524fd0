// SPDX-License-Identifier: Apache-2.0
/* Looks filled in by hand, and what a renderer makes of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "render/render.h"
#include "util/clock.h"

static const struct render_options all_options = {
	.kernel = true, .user = true, .lines = true, .width = 100};

/* What the renderer writes; the caller frees it. */
static inline char *rendered(const struct renderer *renderer, const struct look *look,
	const struct render_options *options)
{
	char *bytes = NULL;
	size_t length;
	FILE *out = open_memstream(&bytes, &length);

	renderer->render(look, options, out);
	assert_int_equal(fclose(out), 0);
	return bytes;
}

static inline struct look *look_create(void)
{
	struct arena *arena = arena_create();
	struct look *look = arena_new(arena, struct look, 1);

	look->arena = arena;
	look->taken_at_ns = 1700000000 * NS_PER_SECOND + 123 * NS_PER_MS;
	look->kernel = "6.1.0-test";
	look->processes = arena_new(arena, struct process *, 8);
	return look;
}

static inline void look_destroy(struct look *look)
{
	arena_destroy(look->arena);
}

/* Ends the look. */
static inline void assert_folded(
	struct look *look, const struct render_options *options, const char *expected)
{
	char *output = rendered(&renderer_folded, look, options);

	assert_string_equal(output, expected);
	free(output);
	look_destroy(look);
}

static inline struct process *add_process(
	struct look *look, pid_t pid, const char *comm, size_t threads)
{
	struct process *process = arena_new(look->arena, struct process, 1);
	const char **cmdline = arena_new(look->arena, const char *, 2);

	cmdline[0] = arena_printf(look->arena, "./%s", comm);
	cmdline[1] = "8080";
	*process = (struct process){
		.pid = pid,
		.ppid = 1,
		.state = 'S',
		.comm = comm,
		.cmdline = cmdline,
		.cmdline_count = 2,
		.exe = "/srv/accept",
		.cwd = "/srv",
		.uid = 1000,
		.started_at_ns = look->taken_at_ns - 12 * NS_PER_SECOND,
		.running_ns = 12 * NS_PER_SECOND,
		.threads = arena_new(look->arena, struct thread, threads),
		.thread_count = threads,
	};
	for (size_t i = 0; i < threads; i++)
		process->threads[i] = (struct thread){
			.tid = pid + (pid_t)i,
			.comm = comm,
			.state = 'S',
			.cpu = -1,
			.blocked_ns = 11800 * NS_PER_MS,
		};
	look->processes[look->process_count++] = process;
	return process;
}

static inline void set_kernel_stack(struct look *look, struct thread *thread)
{
	static const struct kernel_frame frames[] = {
		{.symbol = "inet_csk_accept", .offset = 0x246, .size = 0x380},
		{.address = UINT64_C(0xffffffff81234567),
			.symbol = "inet_accept",
			.offset = 0x45,
			.size = 0x170},
		{.symbol = "nfs_wait", .offset = 0x1, .size = 0x20, .module = "nfs"},
		{.symbol = "entry_SYSCALL_64_after_hwframe", .offset = 0x3d, .size = 0xa2},
	};

	thread->kernel_stack = arena_new(look->arena, struct kernel_stack, 1);
	thread->kernel_stack->frames = arena_copy(look->arena, frames, sizeof(frames));
	thread->kernel_stack->count = 4;
}

static inline void set_user_stack(
	struct look *look, struct thread *thread, const struct frame *frames, size_t count)
{
	struct user_stack *stack = arena_new(look->arena, struct user_stack, 1);

	stack->end = STACK_COMPLETE;
	stack->address_count = count;
	stack->frame_count = count;
	stack->frames = arena_new(look->arena, const struct frame *, count);
	for (size_t i = 0; i < count; i++)
		stack->frames[i] = arena_copy(look->arena, &frames[i], sizeof(frames[i]));
	thread->user_stack = stack;
}

static const struct frame server_frames[] = {
	{.address = {0x7f0000100017, true},
		.symbol = "accept",
		.has_offset = true,
		.offset = 0x17,
		.module = "/usr/lib/x86_64-linux-gnu/libc.so.6",
		.build_id = "0011aabb",
		.kind = "native"},
	{.address = {0x55d0c0001140, true},
		.symbol = "wait_for_client",
		.module = "/srv/accept",
		.file = "/home/x/server/accept.c",
		.line = 38,
		.inlined = true,
		.kind = "native"},
	{.address = {0x55d0c0001140, true},
		.symbol = "server_accept",
		.has_offset = true,
		.offset = 0x2c,
		.module = "/srv/accept",
		.file = "/home/x/server/accept.c",
		.line = 41,
		.kind = "native"},
	{.address = {0x55d0c0001200, false}, .module = "[vdso]", .kind = "signal"},
	{.address = {0x55d0c00012de, true},
		.module = "/srv/accept",
		.uncertain = true,
		.kind = "native"},
	{.address = {0x55d0c0001391, true},
		.symbol = "main",
		.has_offset = true,
		.offset = 0x91,
		.module = "/srv/accept",
		.file = "accept.c",
		.line = 77,
		.kind = "native"},
};
#define SERVER_FRAME_COUNT (sizeof(server_frames) / sizeof(server_frames[0]))

static inline void set_accept_call(struct look *look, struct thread *thread)
{
	static const struct syscall_argument arguments[] = {
		{"sockfd", "3", "3<TCP 127.0.0.1:8080>"},
		{"addr", "0x7ffd0010", "0x7ffd0010"},
		{"addrlen", "0x7ffd0020", "0x7ffd0020"},
	};

	thread->syscall = arena_new(look->arena, struct syscall_call, 1);
	*thread->syscall = (struct syscall_call){
		.number = 43,
		.name = "accept",
		.arguments = arena_copy(look->arena, arguments, sizeof(arguments)),
		.argument_count = 3,
		.text = "accept(3<TCP 127.0.0.1:8080>, 0x7ffd0010, 0x7ffd0020)",
	};
}

static inline void set_wait(
	struct look *look, struct thread *thread, const char *kind, const char *text, bool idle)
{
	thread->wait = arena_new(look->arena, struct wait, 1);
	*thread->wait = (struct wait){
		.kind = kind,
		.text = text,
		.sentence = arena_printf(look->arena, "waits for %s", text),
		.idle = idle,
	};
}

/* One thread in accept(), with everything known of it. */
static inline struct process *add_server(struct look *look)
{
	static struct mapping mappings[] = {
		{.start = 0x55d0c0000000,
			.end = 0x55d0c0001000,
			.inode = 7,
			.device = 1,
			.path = "/srv/accept"},
		{.start = 0x55d0c0001000,
			.end = 0x55d0c0002000,
			.offset = 0x1000,
			.inode = 7,
			.device = 1,
			.executable = true,
			.path = "/srv/accept"},
	};
	struct process *process = add_process(look, 4242, "accept", 1);
	struct thread *thread = &process->threads[0];

	process->mappings.items = mappings;
	process->mappings.count = 2;
	thread->wchan = "inet_csk_accept";
	thread->stopped_ns = 52000;
	set_kernel_stack(look, thread);
	set_user_stack(look, thread, server_frames, SERVER_FRAME_COUNT);
	set_accept_call(look, thread);
	set_wait(look, thread, "socket-accept",
		"a client to connect to TCP 127.0.0.1:8080 (listening, 0 of 5 queued)", true);
	return process;
}

/* What --process-info finds of the server. */
static inline void add_info(struct look *look, struct process *process)
{
	static struct process_limit limits[] = {
		{"Max cpu time", "unlimited", "unlimited", "seconds"},
		{"Max stack size", "8388608", "unlimited", "bytes"},
		{"Max processes", "127000", "127000", "processes"},
		{"Max open files", "1024", "1048576", "files"},
	};
	static struct process_namespace namespaces[] = {{"cgroup", 4026531835}, {"ipc", 4026531839},
		{"mnt", 4026531841}, {"net", 4026531840}, {"pid", 4026531836}, {"user", 4026531837},
		{"uts", 4026531838}};
	static struct socket_facts socket = {
		.protocol_name = "TCP", .has_queues = true, .send_queue = 5};
	static struct peer peers[] = {
		{.pid = 7, .comm = "cat", .fd = 1}, {.pid = 8, .comm = "tee", .fd = -1}};
	static const struct descriptor descriptors[] = {
		{.fd = 0, .kind = DESCRIPTOR_TTY, .path = "/dev/pts/0", .text = "/dev/pts/0"},
		{.fd = 3,
			.kind = DESCRIPTOR_SOCKET,
			.path = "socket:[99]",
			.socket = &socket,
			.text = "TCP 127.0.0.1:8080 (listening, 0 of 5 queued)"},
		{.fd = 4,
			.kind = DESCRIPTOR_PIPE,
			.path = "pipe:[100]",
			.peers = peers,
			.peer_count = 2,
			.peers_partial = true,
			.text = "pipe:[100] ← cat (pid 7)",
			.problem = "not all processes could be looked into: run with sudo"},
	};
	struct process_info *info = arena_new(look->arena, struct process_info, 1);

	info->limits = limits;
	info->limit_count = sizeof(limits) / sizeof(limits[0]);
	info->namespaces = namespaces;
	info->namespace_count = sizeof(namespaces) / sizeof(namespaces[0]);
	info->descriptor_count = sizeof(descriptors) / sizeof(descriptors[0]);
	info->descriptors =
		arena_new(look->arena, const struct descriptor *, info->descriptor_count);
	for (size_t i = 0; i < info->descriptor_count; i++)
		info->descriptors[i] = &descriptors[i];
	process->namespace_pid = 12;
	process->container = "4f5a6b";
	process->runtime = "go1.22.1";
	process->info = info;
}

#define HOSTILE "a\033[31m\n\t\"\\\xff\xfe\u202eb;c\x7f\xc2\x9b"

/* Every string that a process can choose is hostile, and every count that may be zero is. */
static inline struct process *add_hostile(struct look *look)
{
	struct process *process = add_process(look, 666, HOSTILE, 1);
	struct thread *thread = &process->threads[0];
	struct frame frames[] = {
		{.address = {0x1234, true},
			.symbol = HOSTILE,
			.has_offset = true,
			.offset = UINT64_MAX,
			.module = "/" HOSTILE,
			.build_id = "ff",
			.file = "/" HOSTILE,
			.line = UINT32_MAX,
			.kind = "native"},
		{.address = {UINT64_MAX, false},
			.symbol = "",
			.module = "/",
			.file = "",
			.kind = NULL},
		{.address = {0, true}, .module = HOSTILE "/"},
	};

	process->cmdline[0] = HOSTILE;
	process->cmdline[1] = "";
	process->exe = process->cwd = process->runtime = process->container = HOSTILE;
	thread->wchan = HOSTILE;
	thread->kernel_stack = arena_new(look->arena, struct kernel_stack, 1);
	thread->kernel_stack->frames = arena_new(look->arena, struct kernel_frame, 2);
	thread->kernel_stack->frames[0] =
		(struct kernel_frame){.symbol = HOSTILE, .offset = UINT32_MAX, .module = HOSTILE};
	thread->kernel_stack->count = 2;
	set_user_stack(look, thread, frames, 3);
	thread->user_stack->end = STACK_UNREADABLE;
	thread->user_stack->end_detail = HOSTILE;
	return process;
}
