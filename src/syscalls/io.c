// SPDX-License-Identifier: Apache-2.0
/* Reading, writing and copying by descriptor, and what controls a descriptor. */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <sys/file.h>

#include "syscalls/table.h"

static const struct name rwf_items[] = {
	NAME(RWF_HIPRI),
	NAME(RWF_DSYNC),
	NAME(RWF_SYNC),
	NAME(RWF_NOWAIT),
	NAME(RWF_APPEND),
};
static const struct names rwf_flags = NAMES(rwf_items);

static const struct name splice_items[] = {
	NAME(SPLICE_F_MOVE),
	NAME(SPLICE_F_NONBLOCK),
	NAME(SPLICE_F_MORE),
	NAME(SPLICE_F_GIFT),
};
static const struct names splice_flags = NAMES(splice_items);

static const struct name flock_items[] = {
	NAME(LOCK_SH),
	NAME(LOCK_EX),
	NAME(LOCK_NB),
	NAME(LOCK_UN),
};
static const struct names flock_operations = NAMES(flock_items);

static const struct name fcntl_items[] = {
	NAME(F_DUPFD),
	NAME(F_GETFD),
	NAME(F_SETFD),
	NAME(F_GETFL),
	NAME(F_SETFL),
	NAME(F_GETLK),
	NAME(F_SETLK),
	NAME(F_SETLKW),
	NAME(F_SETOWN),
	NAME(F_GETOWN),
	NAME(F_SETSIG),
	NAME(F_GETSIG),
	NAME(F_OFD_GETLK),
	NAME(F_OFD_SETLK),
	NAME(F_OFD_SETLKW),
	NAME(F_SETLEASE),
	NAME(F_GETLEASE),
	NAME(F_NOTIFY),
	NAME(F_DUPFD_CLOEXEC),
	NAME(F_SETPIPE_SZ),
	NAME(F_GETPIPE_SZ),
	NAME(F_ADD_SEALS),
	NAME(F_GET_SEALS),
};
static const struct names fcntl_commands = NAMES(fcntl_items);

static const struct name enter_items[] = {
	NAME(IORING_ENTER_GETEVENTS),
	NAME(IORING_ENTER_SQ_WAKEUP),
	NAME(IORING_ENTER_SQ_WAIT),
	NAME(IORING_ENTER_EXT_ARG),
	NAME(IORING_ENTER_REGISTERED_RING),
};
static const struct names enter_flags = NAMES(enter_items);

static const struct name whence_items[] = {
	NAME(SEEK_SET),
	NAME(SEEK_CUR),
	NAME(SEEK_END),
	NAME(SEEK_DATA),
	NAME(SEEK_HOLE),
};
static const struct names whences = NAMES(whence_items);

/* Commands that only ask take no third argument. */
static size_t fcntl_used(const uint64_t *arguments)
{
	switch ((int)arguments[1]) {
	case F_GETFD:
	case F_GETFL:
	case F_GETOWN:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_GET_SEALS:
		return 2;
	default:
		return 3;
	}
}

#define FD                                                                                         \
	{                                                                                          \
		"fd", &argument_descriptor                                                         \
	}
#define BUFFER                                                                                     \
	{                                                                                          \
		"buf", &argument_pointer                                                           \
	}
#define COUNT                                                                                      \
	{                                                                                          \
		"count", &argument_size                                                            \
	}
#define VECTOR                                                                                     \
	{                                                                                          \
		"iov", &argument_iovec                                                             \
	}
#define VECTOR_COUNT                                                                               \
	{                                                                                          \
		"iovcnt", &argument_int                                                            \
	}
#define OFFSET                                                                                     \
	{                                                                                          \
		"offset", &argument_long                                                           \
	}

static const struct syscall_row rows[] = {
	{"read", CALL_READ, {FD, BUFFER, COUNT}},
	{"write", CALL_WRITE, {FD, BUFFER, COUNT}},
	{"pread64", CALL_READ, {FD, BUFFER, COUNT, OFFSET}},
	{"pwrite64", CALL_WRITE, {FD, BUFFER, COUNT, OFFSET}},
	{"readv", CALL_READ, {FD, VECTOR, VECTOR_COUNT}},
	{"writev", CALL_WRITE, {FD, VECTOR, VECTOR_COUNT}},
	/* The kernel takes the offset in two halves, and ignores the second on 64 bits. */
	{"preadv", CALL_READ, {FD, VECTOR, VECTOR_COUNT, OFFSET}},
	{"pwritev", CALL_WRITE, {FD, VECTOR, VECTOR_COUNT, OFFSET}},
	{"preadv2", CALL_READ,
		{FD, VECTOR, VECTOR_COUNT, OFFSET, {"offset_high", &argument_long},
			{"flags", &argument_flags, &rwf_flags}}},
	{"pwritev2", CALL_WRITE,
		{FD, VECTOR, VECTOR_COUNT, OFFSET, {"offset_high", &argument_long},
			{"flags", &argument_flags, &rwf_flags}}},
	{"readahead", CALL_READ, {FD, OFFSET, COUNT}},
	{"getdents64", CALL_READ, {FD, {"dirp", &argument_pointer}, COUNT}},
	{"lseek", CALL_OTHER, {FD, OFFSET, {"whence", &argument_choice, &whences}}},
	{"close", CALL_OTHER, {FD}},
	{"close_range", CALL_OTHER,
		{{"first", &argument_int}, {"last", &argument_int},
			{"flags", &argument_hexadecimal}}},
	{"dup", CALL_OTHER, {{"oldfd", &argument_descriptor}}},
	{"dup2", CALL_OTHER, {{"oldfd", &argument_descriptor}, {"newfd", &argument_descriptor}}},
	{"dup3", CALL_OTHER,
		{{"oldfd", &argument_descriptor}, {"newfd", &argument_descriptor},
			{"flags", &argument_open_flags}}},
	{"pipe2", CALL_OTHER, {{"pipefd", &argument_pointer}, {"flags", &argument_open_flags}}},
	{"sendfile", CALL_COPY,
		{{"out_fd", &argument_descriptor}, {"in_fd", &argument_descriptor},
			{"offset", &argument_pointer}, COUNT}},
	{"splice", CALL_COPY,
		{{"fd_in", &argument_descriptor}, {"off_in", &argument_pointer},
			{"fd_out", &argument_descriptor}, {"off_out", &argument_pointer},
			{"len", &argument_size}, {"flags", &argument_flags, &splice_flags}}},
	{"tee", CALL_COPY,
		{{"fd_in", &argument_descriptor}, {"fd_out", &argument_descriptor},
			{"len", &argument_size}, {"flags", &argument_flags, &splice_flags}}},
	{"vmsplice", CALL_COPY,
		{FD, VECTOR, {"nr_segs", &argument_size},
			{"flags", &argument_flags, &splice_flags}}},
	{"copy_file_range", CALL_COPY,
		{{"fd_in", &argument_descriptor}, {"off_in", &argument_pointer},
			{"fd_out", &argument_descriptor}, {"off_out", &argument_pointer},
			{"size", &argument_size}, {"flags", &argument_hexadecimal}}},
	{"ioctl", CALL_IOCTL, {FD, {"request", &argument_ioctl}, {"argp", &argument_hexadecimal}}},
	{"fcntl", CALL_LOCK,
		{FD, {"cmd", &argument_choice, &fcntl_commands}, {"arg", &argument_fcntl}},
		fcntl_used},
	{"flock", CALL_LOCK, {FD, {"operation", &argument_flags, &flock_operations}}},
	{"io_setup", CALL_OTHER, {{"nr_events", &argument_int}, {"ctx_idp", &argument_pointer}}},
	{"io_destroy", CALL_AIO, {{"ctx_id", &argument_hexadecimal}}},
	{"io_submit", CALL_OTHER,
		{{"ctx_id", &argument_hexadecimal}, {"nr", &argument_long},
			{"iocbpp", &argument_pointer}}},
	{"io_getevents", CALL_AIO,
		{{"ctx_id", &argument_hexadecimal}, {"min_nr", &argument_long},
			{"nr", &argument_long}, {"events", &argument_pointer},
			{"timeout", &argument_timespec}}},
	{"io_pgetevents", CALL_AIO,
		{{"ctx_id", &argument_hexadecimal}, {"min_nr", &argument_long},
			{"nr", &argument_long}, {"events", &argument_pointer},
			{"timeout", &argument_timespec}, {"sig", &argument_sigset_and_size}}},
	{"io_uring_setup", CALL_OTHER, {{"entries", &argument_int}, {"p", &argument_pointer}}},
	{"io_uring_enter", CALL_IO_URING,
		{FD, {"to_submit", &argument_int}, {"min_complete", &argument_int},
			{"flags", &argument_flags, &enter_flags}, {"arg", &argument_pointer},
			{"argsz", &argument_size}}},
	{"io_uring_register", CALL_OTHER,
		{FD, {"opcode", &argument_int}, {"arg", &argument_pointer},
			{"nr_args", &argument_int}}},
};

const struct syscall_family syscalls_io = FAMILY(rows);
