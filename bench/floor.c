// SPDX-License-Identifier: Apache-2.0
/*
 * floor PID: the least that a look at a process without stopping it can cost. It loads the task
 * iterator, takes a pass, copies the top of each stack, takes the second, brief pass, and says
 * nothing.
 * What whystuck takes beyond this goes into unwinding, names, explanations and output.
 */
#include <err.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "collect/task_iterator.h"

/* The 22 frames of bench/target.c take 2 to 3 KiB. */
#define PIECE 4096
#define RED_ZONE 128
#define PIECES_PER_CALL 1024 /* UIO_MAXIOV, include/uapi/linux/uio.h */

#if defined(__x86_64__)
#define STACK_POINTER (offsetof(struct user_regs_struct, rsp) / sizeof(__u64))
#elif defined(__aarch64__)
#define STACK_POINTER (offsetof(struct user_regs_struct, sp) / sizeof(__u64))
#endif

static void pass(struct task_iterator *iterator, pid_t pid, const struct task_filter *filter,
	struct task_records *records)
{
	struct task_walk walk = {.first_process = pid, .last_process = pid};
	struct error error = task_iterator_pass(iterator, walk, filter, records);

	if (failed(error))
		errx(EXIT_FAILURE, "%s", error.reason);
}

static size_t count_records(const struct task_records *records)
{
	size_t count = 0;

	for (const struct task_record *record = NULL; (record = task_record_next(records, record));)
		count++;
	return count;
}

/* Copies @count pieces, one after the other, into @bytes. */
static void copy(pid_t pid, struct iovec *pieces, size_t count, char *bytes)
{
	for (size_t at = 0; at < count;) {
		size_t wanted = count - at < PIECES_PER_CALL ? count - at : PIECES_PER_CALL;
		struct iovec to = {bytes + at * PIECE, wanted * PIECE};
		ssize_t got = process_vm_readv(pid, &to, 1, pieces + at, wanted, 0);

		if (got < 0)
			got = 0;
		/* The piece in which it stopped reaches past its stack: the next ones do not. */
		at += (size_t)got / PIECE + ((size_t)got < wanted * PIECE);
	}
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
	struct task_iterator *iterator;
	const struct task_filter whole = {.states = UINT32_MAX};
	const struct task_filter brief = {.states = UINT32_MAX, .brief = true};
	struct task_records before = {0}, after = {0};
	size_t count = 0;

	if (pid < 1)
		errx(EXIT_FAILURE, "usage: floor PID");
	struct error error = task_iterator_create(&iterator);
	if (failed(error))
		errx(EXIT_FAILURE, "%s", error.reason);

	pass(iterator, pid, &whole, &before);
	struct iovec *pieces = calloc(count_records(&before) + 1, sizeof(*pieces));
	char *bytes = malloc((count_records(&before) + 1) * PIECE);
	if (!pieces || !bytes)
		err(EXIT_FAILURE, "memory");
	for (const struct task_record *record = NULL; (record = task_record_next(&before, record));)
		pieces[count++] = (struct iovec){
			(void *)(record->registers[STACK_POINTER] - RED_ZONE), PIECE};
	copy(pid, pieces, count, bytes);
	pass(iterator, pid, &brief, &after);

	task_iterator_destroy(iterator);
	task_records_deinit(&before);
	task_records_deinit(&after);
	free(pieces);
	free(bytes);
	return EXIT_SUCCESS;
}
