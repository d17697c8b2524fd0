// SPDX-License-Identifier: Apache-2.0
/* A Go server with goroutines, filled in by hand. */
#pragma once

#include "render_fixture.h"

#define MINUTE (60 * NS_PER_SECOND)

#define GO_FRAME(name, at, source, number, is_hidden)                                              \
	{                                                                                          \
		.address = {(at), true}, .symbol = (name), .has_offset = true,                     \
		.offset = (at)&0xff, .module = "/srv/server", .file = "/src/" source,              \
		.line = (number), .kind = "go", .hidden = (is_hidden)                              \
	}

static const struct frame go_park = GO_FRAME("runtime.gopark", 0x4010ce, "proc.go", 398, true);
static const struct frame go_receive =
	GO_FRAME("runtime.chanrecv1", 0x402018, "chan.go", 442, true);
static const struct frame go_exit = GO_FRAME("runtime.goexit", 0x4030a1, "asm_amd64.s", 1650, true);
static const struct frame go_worker =
	GO_FRAME("main.worker", 0x40402c, "server/main.go", 41, false);
static const struct frame go_serve =
	GO_FRAME("net/http.(*conn).serve", 0x405044, "net/http/server.go", 1995, false);
static const struct frame go_main = GO_FRAME("main.main", 0x406091, "server/main.go", 17, false);
static const struct frame go_accept =
	GO_FRAME("net/http.(*Server).Serve", 0x4070f2, "net/http/server.go", 3086, false);
static const struct frame go_read =
	GO_FRAME("syscall.Syscall", 0x408005, "asm_linux_amd64.s", 27, false);
static const struct frame go_enter =
	GO_FRAME("runtime.entersyscall", 0x409001, "proc.go", 3800, true);
static const struct frame go_scheduler =
	GO_FRAME("runtime.findRunnable", 0x40a010, "proc.go", 2900, true);

static const struct frame *worker_frames[] = {&go_park, &go_receive, &go_worker, &go_exit};
static const struct frame *serve_frames[] = {&go_park, &go_serve, &go_exit};
static const struct frame *main_frames[] = {&go_enter, &go_read, &go_main, &go_exit};
static const struct frame *scheduler_frames[] = {&go_scheduler};

static struct user_stack worker_stack = {.frames = worker_frames, .frame_count = 4};
static struct user_stack serve_stack = {.frames = serve_frames, .frame_count = 3};
static struct user_stack main_stack = {.frames = main_frames, .frame_count = 4};
static struct user_stack scheduler_stack = {.frames = scheduler_frames, .frame_count = 1};

static inline void set_call(struct look *look, struct thread *thread, const char *name)
{
	thread->syscall = arena_new(look->arena, struct syscall_call, 1);
	thread->syscall->name = name;
	thread->syscall->text = arena_printf(look->arena, "%s(…)", name);
}

static inline struct goroutine waiting_goroutine(
	uint64_t id, struct user_stack *stack, const char *reason, int64_t wait_ns)
{
	return (struct goroutine){
		.id = id,
		.status = "waiting",
		.wait_reason = reason,
		.wait_ns = wait_ns,
		.stack = stack,
		.creator = &go_main,
		.creator_id = 1,
	};
}

/*
 * Five threads, of which the first runs main, in a system call, and four rest; and goroutines: 1
 * is main, 7 to 12 are workers that wait for a channel, 20 and 22 serve connections.
 */
static inline struct process *add_go_server(struct look *look)
{
	struct process *process = add_process(look, 4242, "server", 5);
	struct goroutine *goroutines = arena_new(look->arena, struct goroutine, 16);
	size_t count = 0;

	process->runtime = "go1.22.1";
	for (size_t i = 0; i < 5; i++) {
		struct thread *thread = &process->threads[i];

		set_wait(look, thread, "futex", arena_printf(look->arena, "futex 0x%zu", i), false);
		set_call(look, thread, i == 0 ? "read" : i == 3 ? "epoll_pwait" : "futex");
		thread->user_stack = i == 0 ? &main_stack : &scheduler_stack;
		thread->role = i == 0 ? NULL : "idle Go scheduler thread";
		thread->blocked_ns = (int64_t)(i + 1) * NS_PER_SECOND;
	}
	process->threads[0].goroutine = 1;
	goroutines[count++] = (struct goroutine){
		.id = 1,
		.status = "syscall",
		.wait_ns = 3 * MINUTE,
		.tid = 4242,
		.locked = true,
		.stack = &main_stack,
	};
	for (size_t i = 7; i <= 12; i++)
		goroutines[count++] = waiting_goroutine(
			i, &worker_stack, "chan receive", (int64_t)(i - 6) * 2 * MINUTE);
	goroutines[count] = waiting_goroutine(20, &serve_stack, "IO wait", -1);
	goroutines[count].creator = &go_accept;
	goroutines[count++].creator_id = 6;
	goroutines[count] = waiting_goroutine(22, &serve_stack, "IO wait", -1);
	goroutines[count].creator = &go_accept;
	goroutines[count++].creator_id = 6;
	process->goroutines = goroutines;
	process->goroutine_count = count;
	process->goroutines_left_out = 4;
	return process;
}

static inline struct wait *make_wait(struct look *look, const char *kind, const char *text)
{
	struct wait *wait = arena_new(look->arena, struct wait, 1);

	*wait = (struct wait){
		.kind = kind,
		.text = text,
		.sentence = arena_printf(look->arena, "waits for %s", text),
	};
	return wait;
}
