// SPDX-License-Identifier: Apache-2.0
#include "collect/file_iterator.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "collect/bpf_walk.h"
#include "files.lskel.h"
#include "util/file.h"
#include "util/memory.h"

static struct error read_all(int walk, struct file_record **records, size_t *count)
{
	char *bytes = NULL;
	size_t length = 0, capacity = 0;

	for (;;) {
		if (capacity - length < BPF_WALK_READ_SIZE) {
			capacity = 2 * capacity + BPF_WALK_READ_SIZE;
			bytes = reallocate(bytes, capacity, 1);
		}
		ssize_t got = read(walk, bytes + length, BPF_WALK_READ_SIZE);

		if (got == 0)
			break;
		if (got > 0)
			length += (size_t)got;
		else if (errno != EINTR && errno != EAGAIN) {
			free(bytes);
			return error_errno(errno);
		}
	}
	*records = (struct file_record *)bytes;
	*count = length / sizeof(**records);
	return NO_ERROR;
}

struct error file_iterator_read(struct file_record **records, size_t *count)
{
	struct error error = error_because("this is not the initial pid namespace");

	*records = NULL;
	*count = 0;
	if (!bpf_walk_has_our_ids())
		return error;
	struct files *program = files__open_and_load();
	if (!program)
		return error_errno(errno);
	int link cleanup_close = bpf_walk_link(program->progs.files.prog_fd, NULL);
	int walk cleanup_close = link < 0 ? -1 : bpf_walk_open(link);
	error = walk < 0 ? error_errno(errno) : read_all(walk, records, count);
	files__destroy(program);
	return error;
}
