// SPDX-License-Identifier: Apache-2.0
/* Waits fixture: what a made-up thread in a call waits for, at a moment that stands still. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "fake_target.h"
#include "util/clock.h"
#include "waits/waits.h"

#define AT 0x7ffd1c2a0000 /* where the target's things stand */
#define NOW (1764000000 * NS_PER_SECOND)

/* Every clock shows one moment: 2025-11-24 16:00:00 UTC. */
static inline int64_t fake_clock(clockid_t clock)
{
	(void)clock;
	return NOW;
}

static inline int set_up(void **state)
{
	struct fake_target *target = allocate(sizeof(*target));

	setenv("TZ", "UTC", 1);
	tzset();
	fake_init(target);
	*state = target;
	return 0;
}

static inline int tear_down(void **state)
{
	fake_deinit(*state);
	free(*state);
	return 0;
}

static inline struct wait *explain(struct fake_target *target)
{
	struct waits waits = {
		.process = &target->process, .arena = target->arena, .clock = fake_clock};
	const struct syscall_entry *entry = &target->thread.entry;
	const char *name = entry->in_syscall ? syscall_name(&fake_arch, entry->number) : NULL;
	struct call call = call_find(&fake_arch, syscall_row_find(name), &target->thread);

	return wait_explain(&waits, &target->thread, &call);
}

static inline struct wait *assert_wait(
	struct fake_target *target, const char *kind, bool idle, const char *sentence)
{
	struct wait *wait = explain(target);

	assert_non_null(wait);
	assert_string_equal(wait->sentence, sentence);
	assert_string_equal(wait->kind, kind);
	assert_int_equal(wait->idle, idle);
	return wait;
}

/* The wait of a thread in this call. */
static inline struct wait *assert_call(struct fake_target *target, const char *name,
	const uint64_t arguments[SYSCALL_ARGUMENTS], const char *kind, bool idle,
	const char *sentence)
{
	fake_call(target, name, arguments);
	return assert_wait(target, kind, idle, sentence);
}

/* Gives the thread a kernel stack of these functions, the innermost first. */
static inline void set_kernel_stack(
	struct fake_target *target, const char *const *functions, size_t count)
{
	struct kernel_stack *stack = arena_new(target->arena, struct kernel_stack, 1);

	stack->frames = arena_new(target->arena, struct kernel_frame, count);
	stack->count = count;
	for (size_t i = 0; i < count; i++)
		stack->frames[i].symbol = functions[i];
	target->thread.kernel_stack = stack;
}

#define KERNEL(target, ...)                                                                        \
	do {                                                                                       \
		static const char *const functions_[] = {__VA_ARGS__};                             \
		set_kernel_stack(target, functions_, array_length(functions_));                    \
	} while (0)

/* The same for the user stack; "" is a function of libc that has lost its name. */
static inline void set_user_stack(
	struct fake_target *target, const char *const *functions, size_t count)
{
	struct user_stack *stack = arena_new(target->arena, struct user_stack, 1);

	stack->frames = arena_new(target->arena, const struct frame *, count);
	stack->frame_count = count;
	for (size_t i = 0; i < count; i++) {
		struct frame *frame = arena_new(target->arena, struct frame, 1);

		frame->symbol = functions[i][0] ? functions[i] : NULL;
		frame->module = "/lib/libc.so.6";
		stack->frames[i] = frame;
	}
	target->thread.user_stack = stack;
}

#define USER(target, ...)                                                                          \
	do {                                                                                       \
		static const char *const functions_[] = {__VA_ARGS__};                             \
		set_user_stack(target, functions_, array_length(functions_));                      \
	} while (0)

static inline void add_peer(struct fake_target *target, struct descriptor *descriptor, pid_t pid)
{
	descriptor->peers = arena_new(target->arena, struct peer, 1);
	descriptor->peers[0] = (struct peer){.pid = pid, .comm = "cat", .fd = -1};
	descriptor->peer_count = 1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
