// SPDX-License-Identifier: Apache-2.0
/* Fake target: a process made up of pieces of memory, descriptors and one thread. */
#pragma once

#include <string.h>

#include "arch/arch.h"
#include "model/process.h"
#include "util/memory.h"

#define FAKE_PIECES 16
#define FAKE_DESCRIPTORS 64

struct fake_piece {
	uint64_t address;
	const void *bytes;
	size_t length;
};

struct fake_target {
	struct memory memory;
	struct fake_piece pieces[FAKE_PIECES];
	size_t piece_count;

	struct descriptors descriptors;
	struct descriptor open[FAKE_DESCRIPTORS];
	int numbers[FAKE_DESCRIPTORS];
	size_t open_count;

	struct thread thread;
	struct process process;
	struct arena *arena;
};

static size_t fake_read(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct fake_target *target = (const struct fake_target *)memory;

	for (size_t i = 0; i < target->piece_count; i++) {
		const struct fake_piece *piece = &target->pieces[i];
		uint64_t offset = address - piece->address;

		if (address < piece->address || offset >= piece->length)
			continue;
		if (length > piece->length - offset)
			length = piece->length - offset;
		memcpy(to, (const char *)piece->bytes + offset, length);
		return length;
	}
	return 0;
}

static const struct descriptor *fake_find(struct descriptors *descriptors, int fd)
{
	struct fake_target *target =
		(struct fake_target *)((char *)descriptors -
				       offsetof(struct fake_target, descriptors));

	for (size_t i = 0; i < target->open_count; i++) {
		if (target->open[i].fd == fd)
			return &target->open[i];
	}
	return NULL;
}

static inline size_t fake_list(struct descriptors *descriptors, const int **fds)
{
	struct fake_target *target =
		(struct fake_target *)((char *)descriptors -
				       offsetof(struct fake_target, descriptors));

	*fds = target->numbers;
	return target->open_count;
}

/* Gives @length bytes at @bytes, which must outlive the target, the address @address in it. */
static inline void fake_place(
	struct fake_target *target, uint64_t address, const void *bytes, size_t length)
{
	target->pieces[target->piece_count++] =
		(struct fake_piece){.address = address, .bytes = bytes, .length = length};
}

static inline struct descriptor *fake_open(
	struct fake_target *target, int fd, enum descriptor_kind kind, const char *text)
{
	struct descriptor *descriptor = &target->open[target->open_count];

	target->numbers[target->open_count++] = fd;
	*descriptor = (struct descriptor){.fd = fd, .kind = kind, .text = text};
	if (text && text[0] == '/')
		descriptor->path = text;
	return descriptor;
}

/* A process 4242 with one thread that sleeps, and nothing else. */
static inline void fake_init(struct fake_target *target)
{
	*target = (struct fake_target){
		.memory = {.read = fake_read},
		.descriptors = {.find = fake_find, .list = fake_list},
		.thread = {.tid = 4242, .comm = "target", .state = 'S', .blocked_ns = -1},
		.arena = arena_create(),
	};
	target->process = (struct process){
		.pid = 4242,
		.ppid = 77,
		.namespace_pid = 4242,
		.threads = &target->thread,
		.thread_count = 1,
		.memory = &target->memory,
		.descriptors = &target->descriptors,
	};
}

static inline void fake_deinit(struct fake_target *target)
{
	arena_destroy(target->arena);
}

static const char *const fake_names[] = {
#include "syscalls_x86_64.inc"
};

static const struct arch fake_arch = {
	.name = "x86_64",
	.syscall_names = fake_names,
	.syscall_limit = array_length(fake_names),
};

/* The number that the architecture gives the name; -1: none. */
static inline long fake_number(const struct arch *arch, const char *name)
{
	for (long i = 0; i < arch->syscall_limit; i++) {
		if (arch->syscall_names[i] && strcmp(arch->syscall_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* Puts the thread into the call with these arguments. */
static inline void fake_call(
	struct fake_target *target, const char *name, const uint64_t arguments[SYSCALL_ARGUMENTS])
{
	target->thread.entry = (struct syscall_entry){
		.known = true, .in_syscall = true, .number = fake_number(&fake_arch, name)};
	memcpy(target->thread.entry.arguments, arguments, sizeof(target->thread.entry.arguments));
}

#define ARGUMENTS(...) ((const uint64_t[SYSCALL_ARGUMENTS]){__VA_ARGS__})
