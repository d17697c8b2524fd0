// SPDX-License-Identifier: Apache-2.0
/*
 * Any call with any arguments in any state, over memory and descriptors that the fuzzer fills: the
 * input is one record of what the registers hold, and the bytes after it are what every address
 * leads to.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "explain/group.h"
#include "util/memory.h"

static const char *const names[] = {
#include "syscalls_x86_64.inc"
};

static const struct arch arch = {
	.name = "x86_64", .syscall_names = names, .syscall_limit = array_length(names)};

struct record {
	uint16_t number;
	uint8_t state, kind, kernel, user;
	uint16_t memory_limit; /* bytes that can be had at an address */
	int64_t blocked_ns;
	uint64_t arguments[SYSCALL_ARGUMENTS];
};

struct hostile {
	struct memory memory;
	struct descriptors descriptors;
	struct descriptor descriptor;
	const uint8_t *bytes;
	size_t length, limit;
};

/* The same bytes everywhere, from an offset that the address chooses. */
static size_t read_hostile(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct hostile *hostile = (const struct hostile *)memory;
	size_t offset = hostile->length ? address % hostile->length : 0;

	if (length > hostile->length - offset)
		length = hostile->length - offset;
	if (length > hostile->limit)
		length = hostile->limit;
	if (length)
		memcpy(to, hostile->bytes + offset, length);
	return length;
}

static const struct descriptor *find_hostile(struct descriptors *descriptors, int fd)
{
	struct hostile *hostile =
		(struct hostile *)((char *)descriptors - offsetof(struct hostile, descriptors));

	hostile->descriptor.fd = fd;
	return fd % 3 ? &hostile->descriptor : NULL;
}

static size_t list_hostile(struct descriptors *descriptors, const int **fds)
{
	(void)descriptors;
	*fds = NULL;
	return 0;
}

static const char *const kernel_functions[] = {NULL, "do_restart_poll", "hrtimer_nanosleep",
	"futex_wait_restart", "fifo_open", "io_schedule", "exc_page_fault", "down_read",
	"process_one_work", "kernel_clone", "ep_poll", "\033[2J", "", "do_exit",
	"posix_cpu_nsleep_restart", "handle_userfault"};

static const char *const user_functions[] = {NULL, "pthread_mutex_lock", "__pthread_cond_wait",
	"sem_wait", "___pthread_join", "_", "runtime.lock2", "runtime.notesleep",
	"a::futex::Mutex::lock_contended", "", "pthread_once", "pthread_rwlock_rdlock",
	"pthread_barrier_wait", "__timedwait", "<a::futex::RwLock>::write_contended",
	"a::futex::Parker::park"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;

	if (size < sizeof(record))
		return 0;
	memcpy(&record, data, sizeof(record));
	struct arena *arena cleanup_arena = arena_create();
	struct peer peers[] = {{.pid = 7, .comm = "c\n"}, {.pid = 4242}};
	struct watched watched[] = {
		{.fd = (int)record.arguments[5], .events = UINT32_MAX}, {.fd = -1, .inode = 9}};
	struct socket_facts socket = {.family = record.user % 20,
		.protocol_name = "TCP",
		.path = record.kernel & 16 ? "@\033" : NULL,
		.has_queues = record.kernel & 32,
		.peer_inode = record.kernel & 64};
	struct hostile hostile = {
		.memory = {.read = read_hostile},
		.descriptors = {.find = find_hostile, .list = list_hostile},
		.bytes = data + sizeof(record),
		.length = size - sizeof(record),
		.limit = record.memory_limit,
		.descriptor = {.kind = record.kind % (DESCRIPTOR_ANONYMOUS + 1),
			.text = "?",
			.path = record.kind & 32 ? "/p\n" : NULL,
			.socket = record.kind & 64 ? &socket : NULL,
			.peers = peers,
			.peer_count = (record.kind >> 6) % 3,
			.watched = watched,
			.watched_count = (record.user >> 6) % 3,
			.expires_ns = record.blocked_ns,
			.pid = (pid_t)record.arguments[1]},
	};
	memcpy(&socket.remote, &record.arguments, sizeof(record.arguments));
	struct kernel_frame kernel_frames[] = {{.symbol = kernel_functions[record.kernel % 16]},
		{.symbol = kernel_functions[record.kernel / 16]}};
	struct kernel_stack kernel_stack = {.frames = kernel_frames, .count = 2};
	const struct frame inner = {.symbol = user_functions[record.user % 16], .module = "m"};
	const struct frame outer = {.symbol = user_functions[record.user / 16]};
	const struct frame *frames[] = {&inner, &outer};
	struct user_stack user_stack = {.frames = frames, .frame_count = 2};
	size_t rest = size - sizeof(record);
	uint8_t *stack cleanup_free =
		rest ? memcpy(allocate(rest), data + sizeof(record), rest) : NULL;
	struct thread threads[2] = {{.tid = 4242,
		.state = "RSDTtZXIP"[record.state % 9],
		.blocked_ns = record.blocked_ns,
		.stopped_ns = record.state & 128,
		.entry = {.known = true, .in_syscall = true, .number = record.number % 512},
		.kernel_stack = record.state & 64 ? &kernel_stack : NULL,
		.wchan = kernel_functions[record.kernel % 16],
		.user_stack = &user_stack,
		.stack_bytes = stack,
		.stack_length = stack ? rest : 0}};
	struct process process = {.pid = 4242,
		.namespace_pid = record.state & 32 ? 4242 : 0,
		.is_kernel = record.user & 128 && record.state & 16,
		.threads = threads,
		.thread_count = 2,
		.memory = record.memory_limit ? &hostile.memory : NULL,
		.descriptors = &hostile.descriptors};

	memcpy(threads[0].entry.arguments, record.arguments, sizeof(record.arguments));
	threads[1] = threads[0];
	threads[1].tid = 4243;
	explain_process(&arch, &process, arena);
	for (size_t i = 0; i < 2; i++) {
		const struct wait *wait = threads[i].wait;

		/* One printable line, of a length that people can bear, and never none at all. */
		if (!wait || !wait->sentence[0] || strpbrk(wait->sentence, "\n\033") ||
			strlen(wait->sentence) > 4096)
			abort();
		if (strpbrk(threads[i].syscall->text, "\n\033") ||
			strlen(threads[i].syscall->text) > 32768)
			abort();
	}
	struct thread_groups groups = group_threads(&process, record.state & 1, arena);
	if (groups.count < 1 || groups.count > 2)
		abort();
	return 0;
}
