// SPDX-License-Identifier: Apache-2.0
/* Arguments that lead to arrays and structures in the target's memory. */
#include <endian.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "syscalls/argument.h"
#include "syscalls/watches.h"
#include "util/endpoint.h"
#include "util/memory.h"
#include "util/signals.h"

static const struct name poll_items[] = {
	NAME(POLLIN),
	NAME(POLLPRI),
	NAME(POLLOUT),
	NAME(POLLERR),
	NAME(POLLHUP),
	NAME(POLLNVAL),
	NAME(POLLRDNORM),
	NAME(POLLRDBAND),
	NAME(POLLWRNORM),
	NAME(POLLWRBAND),
	NAME(POLLMSG),
	NAME(POLLREMOVE),
	NAME(POLLRDHUP),
};
const struct names poll_events = NAMES(poll_items);

static const struct name epoll_items[] = {
	NAME(EPOLLIN),
	NAME(EPOLLPRI),
	NAME(EPOLLOUT),
	NAME(EPOLLERR),
	NAME(EPOLLHUP),
	NAME(EPOLLRDNORM),
	NAME(EPOLLRDBAND),
	NAME(EPOLLWRNORM),
	NAME(EPOLLWRBAND),
	NAME(EPOLLMSG),
	NAME(EPOLLRDHUP),
	NAME(EPOLLEXCLUSIVE),
	NAME(EPOLLWAKEUP),
	NAME(EPOLLONESHOT),
	{(uint32_t)EPOLLET, "EPOLLET"},
};
const struct names epoll_events = NAMES(epoll_items);

size_t read_array(const struct memory *memory, uint64_t address, void *to, size_t size,
	uint64_t count, size_t limit)
{
	if (count > limit)
		count = limit;
	if (!memory || !address || !count)
		return 0;
	return memory->read(memory, address, to, size * (size_t)count) / size;
}

/* The beginning that all arrays share: whether @value leads anywhere; else what it is instead. */
static bool is_null(const struct argument *argument, struct text *text)
{
	if (!argument->value)
		text_append(text, "NULL");
	return !argument->value;
}

/* The argument after this one. */
static uint64_t next_argument(const struct argument *argument)
{
	return argument->index + 1 < SYSCALL_ARGUMENTS ? argument->all[argument->index + 1] : 0;
}

static void append_rest(struct text *text, uint64_t total, size_t shown)
{
	if (total > shown)
		text_append_format(text, "%s… %llu more", shown ? ", " : "",
			(unsigned long long)(total - shown));
	text_append(text, "]");
}

static bool append_pollfds(const struct argument *argument, struct text *text)
{
	struct pollfd pollfds[ARRAY_SHOWN];
	uint64_t total = (uint32_t)next_argument(argument);

	if (is_null(argument, text))
		return true;
	size_t shown = read_array(argument->process->memory, argument->value, pollfds,
		sizeof(pollfds[0]), total, ARRAY_SHOWN);
	if (!shown && total)
		return false;
	text_append(text, "[");
	for (size_t i = 0; i < shown; i++) {
		text_append(text, i ? ", {" : "{");
		if (pollfds[i].fd < 0)
			text_append_format(text, "%d", pollfds[i].fd);
		else
			append_descriptor(text, argument->process, pollfds[i].fd);
		text_append(text, ", ");
		append_flags(text, (uint16_t)pollfds[i].events, &poll_events);
		text_append(text, "}");
	}
	append_rest(text, total, shown);
	return true;
}

static bool append_fd_set(const struct argument *argument, struct text *text)
{
	struct watches watches = {.count = 0};

	if (is_null(argument, text))
		return true;
	if (!watches_add_set(
		    &watches, argument->process->memory, argument->value, (int)argument->all[0], 0))
		return false;
	text_append(text, "[");
	for (size_t i = 0; i < watches.count; i++) {
		text_append(text, i ? ", " : "");
		append_descriptor(text, argument->process, watches.items[i].fd);
	}
	append_rest(text, watches.total, watches.count);
	return true;
}

static bool append_sockaddr(const struct argument *argument, struct text *text)
{
	unsigned char address[sizeof(struct sockaddr_storage)];
	uint32_t length = (uint32_t)next_argument(argument);

	if (is_null(argument, text))
		return true;
	/* The kernel refuses longer ones (net/socket.c, move_addr_to_kernel()). */
	if (length > sizeof(address) ||
		!memory_read(argument->process->memory, argument->value, address, length))
		return false;
	text_append(text, "{");
	text_append_sockaddr(text, address, length);
	text_append(text, "}");
	return true;
}

/* A set is of 8 bytes: the calls fail at once when they are told another size (kernel/signal.c). */
static bool append_sigset_at(const struct argument *argument, struct text *text, uint64_t address)
{
	uint64_t mask;

	if (!address) {
		text_append(text, "NULL");
		return true;
	}
	if (!memory_read(argument->process->memory, address, &mask, sizeof(mask)))
		return false;
	text_append(text, "[");
	text_append_signals(text, mask);
	text_append(text, "]");
	return true;
}

static bool append_sigset(const struct argument *argument, struct text *text)
{
	return append_sigset_at(argument, text, argument->value);
}

static bool append_sigset_and_size(const struct argument *argument, struct text *text)
{
	struct {
		uint64_t address, size;
	} pack;

	if (is_null(argument, text))
		return true;
	if (!memory_read(argument->process->memory, argument->value, &pack, sizeof(pack)))
		return false;
	text_append(text, "{");
	if (!append_sigset_at(argument, text, pack.address))
		text_append_format(text, "0x%llx", (unsigned long long)pack.address);
	text_append_format(text, ", %llu}", (unsigned long long)pack.size);
	return true;
}

static bool append_iovec_at(
	const struct argument *argument, struct text *text, uint64_t address, uint64_t total)
{
	struct iovec vectors[ARRAY_SHOWN];
	size_t shown = read_array(argument->process->memory, address, vectors, sizeof(vectors[0]),
		total, ARRAY_SHOWN);

	if (!shown && total)
		return false;
	text_append(text, "[");
	for (size_t i = 0; i < shown; i++)
		text_append_format(text, "%s{0x%llx, %zu}", i ? ", " : "",
			(unsigned long long)(uintptr_t)vectors[i].iov_base, vectors[i].iov_len);
	append_rest(text, total, shown);
	return true;
}

static bool append_iovec(const struct argument *argument, struct text *text)
{
	return is_null(argument, text) ||
	       append_iovec_at(argument, text, argument->value, next_argument(argument));
}

static bool append_msghdr(const struct argument *argument, struct text *text)
{
	struct msghdr header;

	if (is_null(argument, text))
		return true;
	if (!memory_read(argument->process->memory, argument->value, &header, sizeof(header)))
		return false;
	text_append_format(
		text, "{msg_name=0x%llx, msg_iov=", (unsigned long long)(uintptr_t)header.msg_name);
	if (!append_iovec_at(
		    argument, text, (uint64_t)(uintptr_t)header.msg_iov, header.msg_iovlen))
		text_append_format(text, "0x%llx", (unsigned long long)(uintptr_t)header.msg_iov);
	text_append_format(text, ", msg_controllen=%zu}", header.msg_controllen);
	return true;
}

static bool append_sembuf(const struct argument *argument, struct text *text)
{
	static const struct name items[] = {NAME(IPC_NOWAIT), NAME(SEM_UNDO)};
	static const struct names flags = NAMES(items);
	struct sembuf operations[ARRAY_SHOWN];
	uint64_t total = next_argument(argument);

	if (is_null(argument, text))
		return true;
	size_t shown = read_array(argument->process->memory, argument->value, operations,
		sizeof(operations[0]), total, ARRAY_SHOWN);
	if (!shown && total)
		return false;
	text_append(text, "[");
	for (size_t i = 0; i < shown; i++) {
		text_append_format(text, "%s{%u, %d, ", i ? ", " : "", operations[i].sem_num,
			operations[i].sem_op);
		append_flags(text, (uint16_t)operations[i].sem_flg, &flags);
		text_append(text, "}");
	}
	append_rest(text, total, shown);
	return true;
}

static bool append_futex_waitv(const struct argument *argument, struct text *text)
{
	struct futex_waitv waiters[ARRAY_SHOWN];
	uint64_t total = (uint32_t)next_argument(argument);

	if (is_null(argument, text))
		return true;
	size_t shown = read_array(argument->process->memory, argument->value, waiters,
		sizeof(waiters[0]), total, ARRAY_SHOWN);
	if (!shown && total)
		return false;
	text_append(text, "[");
	for (size_t i = 0; i < shown; i++)
		text_append_format(text, "%s{val=%llu, uaddr=0x%llx, flags=0x%x}", i ? ", " : "",
			(unsigned long long)waiters[i].val, (unsigned long long)waiters[i].uaddr,
			waiters[i].flags);
	append_rest(text, total, shown);
	return true;
}

/* A futex's fourth argument: a time to wait, a moment to wait until, or a count. */
static bool append_futex_timeout(const struct argument *argument, struct text *text)
{
	switch ((uint32_t)argument->all[1] & (uint32_t)FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return argument_timespec.append(argument, text);
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return argument_moment.append(argument, text);
	default:
		text_append_format(text, "%u", (uint32_t)argument->value);
		return true;
	}
}

static bool append_epoll_event(const struct argument *argument, struct text *text)
{
	struct epoll_event event;

	if (is_null(argument, text))
		return true;
	if (!memory_read(argument->process->memory, argument->value, &event, sizeof(event)))
		return false;
	text_append(text, "{");
	append_flags(text, event.events, &epoll_events);
	text_append_format(text, ", 0x%llx}", (unsigned long long)event.data.u64);
	return true;
}

static bool append_file_lock(const struct argument *argument, struct text *text)
{
	static const struct name type_items[] = {NAME(F_RDLCK), NAME(F_WRLCK), NAME(F_UNLCK)};
	static const struct names types = NAMES(type_items);
	static const struct name whence_items[] = {NAME(SEEK_SET), NAME(SEEK_CUR), NAME(SEEK_END)};
	static const struct names whences = NAMES(whence_items);
	struct flock lock;

	if (is_null(argument, text))
		return true;
	if (!memory_read(argument->process->memory, argument->value, &lock, sizeof(lock)))
		return false;
	const char *type = name_of((uint64_t)lock.l_type, &types);
	const char *whence = name_of((uint64_t)lock.l_whence, &whences);
	if (!type || !whence)
		return false;
	text_append_format(text, "{%s, %s, %lld, %lld}", type, whence, (long long)lock.l_start,
		(long long)lock.l_len);
	return true;
}

static bool append_fcntl(const struct argument *argument, struct text *text)
{
	switch ((int)argument->all[argument->index - 1]) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return append_file_lock(argument, text);
	case F_SETFL:
		return argument_open_flags.append(argument, text);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETFD:
	case F_SETOWN:
	case F_SETSIG:
	case F_SETPIPE_SZ:
		text_append_format(text, "%d", (int)argument->value);
		return true;
	default:
		return false;
	}
}

const struct argument_type argument_pollfds = {BARE_HEXADECIMAL, append_pollfds};
const struct argument_type argument_fd_set = {BARE_HEXADECIMAL, append_fd_set};
const struct argument_type argument_sockaddr = {BARE_HEXADECIMAL, append_sockaddr};
const struct argument_type argument_sigset = {BARE_HEXADECIMAL, append_sigset};
const struct argument_type argument_sigset_and_size = {BARE_HEXADECIMAL, append_sigset_and_size};
const struct argument_type argument_iovec = {BARE_HEXADECIMAL, append_iovec};
const struct argument_type argument_msghdr = {BARE_HEXADECIMAL, append_msghdr};
const struct argument_type argument_sembuf = {BARE_HEXADECIMAL, append_sembuf};
const struct argument_type argument_futex_waitv = {BARE_HEXADECIMAL, append_futex_waitv};
const struct argument_type argument_futex_timeout = {BARE_HEXADECIMAL, append_futex_timeout};
const struct argument_type argument_epoll_event = {BARE_HEXADECIMAL, append_epoll_event};
const struct argument_type argument_fcntl = {BARE_HEXADECIMAL, append_fcntl};
