// SPDX-License-Identifier: Apache-2.0
#include "collect/live_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/file.h"
#include "util/memory.h"

/* The smallest that pages are: what lies in one can be read all or not at all. */
#define PAGE 4096

/* So many pieces are read by one call: where it gets stuck they are lost together. */
#define PIECES 64

/* For what is read in one call; and in a hurry, while threads are stopped. */
#define PATIENCE_NS (2 * NS_PER_SECOND)
#define HURRY_NS (100 * NS_PER_MS)
#define HURRY_PER_PIECE_NS (100 * 1000)

/* The longest time for which it is believed that the mmap_lock is still free. */
#define PROOF_NS (10 * NS_PER_MS)

/* One reading under guard: heap memory that both have, who asked and the guard, where no answer
 * comes. */
struct transfer {
	atomic_int owners;
	pid_t pid;
	int directory;
	bool prove;
	atomic_size_t done; /* of pieces */
	size_t count;
	struct piece pieces[];
};

/*
 * Waits until the process's mmap_lock is free, or for ever if it is stuck: in a way that the end of
 * this program ends. process_vm_readv() waits for it in one that nothing ends
 * (mm/process_vm_access.c, mmap_read_lock(); mm/memory.c, __access_remote_vm():
 * mmap_read_lock_killable()).
 */
static void await_lock(int directory, uint64_t address)
{
	int file cleanup_close = openat(directory, "mem", O_RDONLY | O_CLOEXEC);
	char byte;

	/* Where nothing is to be read the lock was had all the same. */
	if (file >= 0 && address <= INT64_MAX && pread(file, &byte, 1, (off_t)address) < 0)
		return;
}

/*
 * Through /proc/PID/mem, for where seccomp filters forbid process_vm_readv(). It is not asked for
 * what that could not read: it gives zeros for guard pages.
 */
static void read_by_file(struct transfer *transfer)
{
	int file cleanup_close = openat(transfer->directory, "mem", O_RDONLY | O_CLOEXEC);
	int error = file < 0 ? errno : EFAULT;

	for (size_t i = 0; i < transfer->count; i++) {
		struct piece *piece = &transfer->pieces[i];
		ssize_t got = -1;

		if (file >= 0 && piece->address <= INT64_MAX)
			got = pread(file, piece->to, piece->length, (off_t)piece->address);
		piece->got = got < 0 ? 0 : (size_t)got;
		piece->error = got > 0 ? 0 : error;
		atomic_store(&transfer->done, i + 1);
	}
}

/*
 * Reads pieces[0 … count), at most PIECES. Where one can't be read to its end, the call ends there:
 * that one is cut off, and the next call goes on behind it. false: such calls are forbidden.
 */
static bool read_batch(pid_t pid, struct piece *pieces, size_t count)
{
	struct iovec local[PIECES], remote[PIECES];

	for (size_t i = 0; i < count; i++) {
		local[i] = (struct iovec){pieces[i].to, pieces[i].length};
		remote[i] = (struct iovec){(void *)(uintptr_t)pieces[i].address, pieces[i].length};
	}
	for (size_t i = 0; i < count;) {
		ssize_t got = process_vm_readv(pid, local + i, count - i, remote + i, count - i, 0);
		int error = got < 0 ? errno : EFAULT;
		size_t left = got < 0 ? 0 : (size_t)got;

		if (error == EPERM || error == ENOSYS)
			return false;
		for (; i < count && pieces[i].length <= left; i++) {
			pieces[i].got = pieces[i].length;
			left -= pieces[i].length;
		}
		if (i == count)
			break;
		pieces[i].got = left;
		pieces[i].error = left ? 0 : error;
		i++;
	}
	return true;
}

static void read_pieces(void *argument)
{
	struct transfer *transfer = argument;

	if (transfer->prove)
		await_lock(transfer->directory, transfer->pieces[0].address);
	for (size_t i = 0; i < transfer->count;) {
		size_t count = transfer->count - i < PIECES ? transfer->count - i : PIECES;

		if (!read_batch(transfer->pid, transfer->pieces + i, count)) {
			read_by_file(transfer);
			return;
		}
		i += count;
		atomic_store(&transfer->done, i);
	}
}

void live_memory_believe(struct live_memory *memory)
{
	memory->proved_ns = clock_ns(CLOCK_MONOTONIC);
}

void live_memory_give_up(struct live_memory *memory)
{
	if (memory->process->is_stuck)
		return;
	memory->process->is_stuck = true;
	gaps_add(&memory->process->gaps, memory->arena, STAGE_PROCESS,
		"its memory gave no answer within 2 s: a page of it is delivered by nobody (by its "
		"userfaultfd, or by a file system that it has mapped), or a thread that is stuck "
		"holds the lock of its address space");
}

static void drop(void *argument)
{
	struct transfer *transfer = argument;

	if (atomic_fetch_sub(&transfer->owners, 1) == 1)
		free(transfer);
}

/* The transfer with room for so many bytes behind its pieces. */
static struct transfer *transfer_create(
	const struct live_memory *memory, const struct piece *pieces, size_t count, size_t room)
{
	size_t size = count * sizeof(*pieces);
	struct transfer *transfer = allocate(sizeof(*transfer) + size + room);

	*transfer = (struct transfer){
		.owners = 2,
		.pid = memory->pid,
		.directory = memory->directory,
		.prove = clock_ns(CLOCK_MONOTONIC) - memory->proved_ns > PROOF_NS,
		.count = count,
	};
	memcpy(transfer->pieces, pieces, size);
	return transfer;
}

/* false: it failed, and the transfer is to be dropped; else to be freed. */
static bool run(struct live_memory *memory, struct transfer *transfer, bool hurry)
{
	int64_t hurry_ns = HURRY_NS + (int64_t)transfer->count * HURRY_PER_PIECE_NS;
	struct error error =
		hurry ? guard_call_apart(memory->guard, read_pieces, drop, transfer, hurry_ns)
		      : guard_call(memory->guard, read_pieces, drop, transfer, PATIENCE_NS);

	if (!failed(error)) {
		memory->proved_ns = clock_ns(CLOCK_MONOTONIC);
		return true;
	}
	if (error.number != ETIMEDOUT)
		gaps_add(&memory->process->gaps, memory->arena, STAGE_PROCESS,
			"no thread could be started to read its memory with: %s", error.reason);
	else if (!hurry)
		live_memory_give_up(memory);
	return false;
}

bool live_memory_gather(struct live_memory *memory, struct piece *pieces, size_t count, bool hurry)
{
	size_t done = 0;
	bool ended = true;

	if (!memory->process->is_stuck && count) {
		struct transfer *transfer = transfer_create(memory, pieces, count, 0);

		ended = run(memory, transfer, hurry);
		done = ended ? count : atomic_load(&transfer->done);
		memcpy(pieces, transfer->pieces, done * sizeof(*pieces));
		if (ended)
			free(transfer);
		else
			drop(transfer);
	}
	for (size_t i = done; i < count; i++) {
		pieces[i].got = 0;
		pieces[i].error = ETIMEDOUT;
	}
	return ended;
}

/*
 * Whether the process is there still, and thus what was just read by its id was its own.
 * A descriptor of /proc/PID serves as a pidfd here since Linux 5.1, kernel/signal.c.
 */
static bool is_alive(const struct live_memory *memory)
{
	return syscall(SYS_pidfd_send_signal, memory->directory, 0, NULL, 0) == 0 || errno != ESRCH;
}

/* Whether the range lies in a copy; then its bytes are in @to. */
static bool read_known(const struct live_memory *memory, uint64_t address, void *to, size_t length)
{
	size_t low = 0, high = memory->known_count;

	/* The last that starts at the address or below it stands before `low`. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memory->known[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	const struct known_range *range = &memory->known[low - 1];
	uint64_t offset = address - range->start;
	if (offset > range->length || length > range->length - offset)
		return false;
	memcpy(to, range->bytes + offset, length);
	return true;
}

/* Bytes from the start of the range, in @to. */
static size_t read_range(struct live_memory *memory, uint64_t address, void *to, size_t length)
{
	struct piece piece = {.address = address, .length = length};
	size_t got = 0;

	if (memory->process->is_stuck)
		return 0;
	struct transfer *transfer = transfer_create(memory, &piece, 1, length);
	uint8_t *bytes = (uint8_t *)&transfer->pieces[1];
	transfer->pieces[0].to = bytes;
	if (!run(memory, transfer, false)) {
		drop(transfer);
		return 0;
	}
	if (is_alive(memory))
		got = transfer->pieces[0].got;
	memcpy(to, bytes, got);
	free(transfer);
	return got;
}

/*
 * Words of a stack are read one after the other: each page is read once. false: the range
 * does not lie in one page, or that can't be read.
 */
static bool read_in_page(struct live_memory *memory, uint64_t address, void *to, size_t length)
{
	uint64_t start = address & -(uint64_t)PAGE;
	size_t offset = address - start;

	if (length > PAGE - offset)
		return false;
	if (!memory->page)
		memory->page = allocate(PAGE);
	if (!memory->page_length || memory->page_start != start) {
		memory->page_start = start;
		memory->page_length = read_range(memory, start, memory->page, PAGE);
	}
	if (memory->page_length < offset + length)
		return false;
	memcpy(to, memory->page + offset, length);
	return true;
}

static size_t read_memory(const struct memory *base, uint64_t address, void *to, size_t length)
{
	struct live_memory *memory = (struct live_memory *)base;

	if (length == 0)
		return 0;
	if (read_known(memory, address, to, length) || read_in_page(memory, address, to, length))
		return length;
	return read_range(memory, address, to, length);
}

/* What one transfer of many ranges takes at most: it is copied once more, out of the cache then. */
#define MANY_BYTES (512 * 1024)
#define MANY_RANGES 4096

/* Reads ranges[0 … count) by one transfer; false: no answer came. */
static bool read_some(struct live_memory *memory, struct memory_range *ranges, size_t count)
{
	struct piece *pieces cleanup_free = allocate_zeroed(count, sizeof(*pieces));
	size_t room = 0;

	for (size_t i = 0; i < count; i++) {
		pieces[i] =
			(struct piece){.address = ranges[i].address, .length = ranges[i].length};
		room += ranges[i].length;
	}
	struct transfer *transfer = transfer_create(memory, pieces, count, room);
	uint8_t *bytes = (uint8_t *)&transfer->pieces[count];
	for (size_t i = 0; i < count; i++) {
		transfer->pieces[i].to = bytes;
		bytes += transfer->pieces[i].length;
	}
	if (!run(memory, transfer, false)) {
		drop(transfer);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		ranges[i].got = transfer->pieces[i].got;
		if (ranges[i].got)
			memcpy(ranges[i].to, transfer->pieces[i].to, ranges[i].got);
	}
	free(transfer);
	return true;
}

static void read_many(const struct memory *base, struct memory_range *ranges, size_t count)
{
	struct live_memory *memory = (struct live_memory *)base;

	for (size_t i = 0; i < count; i++)
		ranges[i].got = 0;
	for (size_t first = 0, end; first < count && !memory->process->is_stuck; first = end) {
		size_t bytes = ranges[first].length;

		for (end = first + 1; end < count && end - first < MANY_RANGES &&
				      bytes + ranges[end].length <= MANY_BYTES;
			end++)
			bytes += ranges[end].length;
		if (!read_some(memory, ranges + first, end - first))
			break;
	}
	if (is_alive(memory))
		return;
	for (size_t i = 0; i < count; i++)
		ranges[i].got = 0;
}

void live_memory_init(struct live_memory *memory, struct process *process, pid_t pid, int directory,
	struct guard *guard, struct arena *arena)
{
	*memory = (struct live_memory){
		.memory = {.read = read_memory, .read_many = read_many},
		.process = process,
		.arena = arena,
		.pid = pid,
		.directory = directory,
		.guard = guard,
	};
}

void live_memory_deinit(struct live_memory *memory)
{
	free(memory->known);
	free(memory->page);
}

static int by_start(const void *one, const void *other)
{
	const struct known_range *a = one, *b = other;

	return (a->start > b->start) - (a->start < b->start);
}

void live_memory_use_copies(struct live_memory *memory)
{
	const struct process *process = memory->process;

	memory->known = allocate_zeroed(process->thread_count, sizeof(*memory->known));
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct thread *thread = &process->threads[i];

		if (thread->stack_length)
			memory->known[memory->known_count++] = (struct known_range){
				thread->stack_start, thread->stack_bytes, thread->stack_length};
	}
	if (memory->known_count)
		qsort(memory->known, memory->known_count, sizeof(*memory->known), by_start);
}
