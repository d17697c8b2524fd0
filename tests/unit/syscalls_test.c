// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "fake_target.h"
#include "syscalls/syscalls.h"

#define AT 0x7ffd1c2a0000 /* where the target's things stand */
#define NOWHERE 0xdead000

static int set_up(void **state)
{
	struct fake_target *target = allocate(sizeof(*target));

	fake_init(target);
	*state = target;
	return 0;
}

static int tear_down(void **state)
{
	fake_deinit(*state);
	free(*state);
	return 0;
}

static struct syscall_call *decode(struct fake_target *target)
{
	const char *name = syscall_name(&fake_arch, target->thread.entry.number);
	struct call call = call_find(&fake_arch, syscall_row_find(name), &target->thread);

	return syscall_decode(&fake_arch, &call, &target->process, &target->thread, target->arena);
}

static void assert_text(struct fake_target *target, const char *name,
	const uint64_t arguments[SYSCALL_ARGUMENTS], const char *expected)
{
	fake_call(target, name, arguments);
	assert_string_equal(decode(target)->text, expected);
}

static void accept_shows_the_listening_socket(void **state)
{
	struct fake_target *target = *state;

	fake_open(target, 3, DESCRIPTOR_SOCKET, "TCP 127.0.0.1:8080");
	fake_call(target, "accept", ARGUMENTS(3, AT, AT + 16));
	struct syscall_call *call = decode(target);

	assert_int_equal(call->number, SYS_accept);
	assert_string_equal(call->name, "accept");
	assert_string_equal(
		call->text, "accept(3<TCP 127.0.0.1:8080>, 0x7ffd1c2a0000, 0x7ffd1c2a0010)");
	assert_int_equal(call->argument_count, 3);
	assert_string_equal(call->arguments[0].name, "sockfd");
	assert_string_equal(call->arguments[0].value, "3");
	assert_string_equal(call->arguments[0].text, "3<TCP 127.0.0.1:8080>");
	assert_string_equal(call->arguments[1].name, "addr");
	assert_string_equal(call->arguments[1].value, "0x7ffd1c2a0000");
}

static void reads_and_writes(void **state)
{
	struct fake_target *target = *state;
	const struct iovec vectors[] = {{(void *)0x1000, 10}, {(void *)0x2000, 20}};

	fake_open(target, 0, DESCRIPTOR_TTY, "/dev/pts/3");
	fake_place(target, AT, vectors, sizeof(vectors));
	assert_text(target, "read", ARGUMENTS(0, AT, 1024),
		"read(0</dev/pts/3>, 0x7ffd1c2a0000, 1024)");
	assert_text(
		target, "write", ARGUMENTS(9, 0, SIZE_MAX), "write(9, NULL, 18446744073709551615)");
	assert_text(target, "pread64", ARGUMENTS(9, AT, 5, UINT64_MAX),
		"pread64(9, 0x7ffd1c2a0000, 5, -1)");
	assert_text(
		target, "readv", ARGUMENTS(9, AT, 2), "readv(9, [{0x1000, 10}, {0x2000, 20}], 2)");
	assert_text(target, "sendfile", ARGUMENTS(0, 9, 0, 4096),
		"sendfile(0</dev/pts/3>, 9, NULL, 4096)");
}

static void a_hostile_count_of_vectors_is_bounded(void **state)
{
	struct fake_target *target = *state;
	struct iovec vectors[1000] = {{0}};

	fake_place(target, AT, vectors, sizeof(vectors));
	fake_call(target, "writev", ARGUMENTS(1, AT, INT_MAX));
	const char *text = decode(target)->text;
	assert_non_null(strstr(text, "{0x0, 0}, … 2147483631 more], 2147483647)"));
	assert_true(strlen(text) < 300);
	assert_text(target, "writev", ARGUMENTS(1, NOWHERE, 3), "writev(1, 0xdead000, 3)");
	assert_text(target, "writev", ARGUMENTS(1, AT, 0), "writev(1, [], 0)");
}

static void strings_are_bounded_and_escaped(void **state)
{
	struct fake_target *target = *state;
	char endless[4096];

	memset(endless, 'a', sizeof(endless));
	fake_place(target, AT, "/tmp/\033[31m\n\"x", 14);
	fake_place(target, AT + 0x1000, endless, sizeof(endless));
	fake_place(target, AT + 0x8000, "cut", 3);
	assert_text(target, "openat",
		ARGUMENTS((uint32_t)AT_FDCWD, AT, O_WRONLY | O_CREAT | O_CLOEXEC, 0644),
		"openat(AT_FDCWD, \"/tmp/\\x1b[31m\\n\\\"x\", O_WRONLY|O_CREAT|O_CLOEXEC, 0644)");
	assert_text(target, "openat", ARGUMENTS(7, NOWHERE, O_RDONLY, 1),
		"openat(7, 0xdead000, O_RDONLY)");
	assert_text(target, "unlink", ARGUMENTS(AT + 0x8000), "unlink(\"cut\"…)");
	assert_text(target, "unlink", ARGUMENTS(0), "unlink(NULL)");
	fake_call(target, "unlink", ARGUMENTS(AT + 0x1000));
	const char *text = decode(target)->text;
	assert_int_equal(strspn(text + strlen("unlink(\""), "a"), STRING_SHOWN);
	assert_string_equal(strstr(text, "a\""), "a\"…)");
}

static void addresses_of_sockets(void **state)
{
	struct fake_target *target = *state;
	const struct sockaddr_in internet = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x0a000001)};

	fake_place(target, AT, &internet, sizeof(internet));
	assert_text(target, "connect", ARGUMENTS(3, AT, sizeof(internet)),
		"connect(3, {10.0.0.1:80}, 16)");
	assert_text(
		target, "connect", ARGUMENTS(3, AT, UINT32_MAX), "connect(3, 0x7ffd1c2a0000, -1)");
	assert_text(target, "connect", ARGUMENTS(3, NOWHERE, 16), "connect(3, 0xdead000, 16)");
	assert_text(target, "connect", ARGUMENTS(3, 0, 16), "connect(3, NULL, 16)");
	assert_text(target, "sendto", ARGUMENTS(3, AT, 5, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0),
		"sendto(3, 0x7ffd1c2a0000, 5, MSG_DONTWAIT|MSG_NOSIGNAL, NULL, 0)");
	assert_text(target, "recvfrom", ARGUMENTS(3, AT, 5, 0, AT, AT),
		"recvfrom(3, 0x7ffd1c2a0000, 5, 0, 0x7ffd1c2a0000, 0x7ffd1c2a0000)");
}

static void messages(void **state)
{
	struct fake_target *target = *state;
	const struct iovec vector = {(void *)0x1000, 64};
	const struct msghdr header = {.msg_iov = (void *)(AT + 256), .msg_iovlen = 1};
	const struct msghdr hostile = {.msg_iov = (void *)NOWHERE, .msg_iovlen = SIZE_MAX};

	fake_place(target, AT, &header, sizeof(header));
	fake_place(target, AT + 256, &vector, sizeof(vector));
	fake_place(target, AT + 512, &hostile, sizeof(hostile));
	assert_text(target, "recvmsg", ARGUMENTS(3, AT, 0),
		"recvmsg(3, {msg_name=0x0, msg_iov=[{0x1000, 64}], msg_controllen=0}, 0)");
	assert_text(target, "sendmsg", ARGUMENTS(3, AT + 512, 0),
		"sendmsg(3, {msg_name=0x0, msg_iov=0xdead000, msg_controllen=0}, 0)");
}

static void poll_names_its_descriptors(void **state)
{
	struct fake_target *target = *state;
	const struct pollfd polled[] = {{3, POLLIN, 0}, {5, POLLIN | POLLOUT, 0}, {-1, 0, 0}};
	struct pollfd many[1000];

	for (int i = 0; i < 1000; i++)
		many[i] = (struct pollfd){i + 100, POLLIN, 0};
	fake_open(target, 3, DESCRIPTOR_SOCKET, "TCP 127.0.0.1:80");
	fake_place(target, AT, polled, sizeof(polled));
	fake_place(target, AT + 0x1000, many, sizeof(many));
	assert_text(target, "poll", ARGUMENTS(AT, 3, 5000),
		"poll([{3<TCP 127.0.0.1:80>, POLLIN}, {5, POLLIN|POLLOUT}, {-1, 0}], 3, 5000 ms)");
	assert_text(target, "poll", ARGUMENTS(AT, 2, (uint32_t)-1),
		"poll([{3<TCP 127.0.0.1:80>, POLLIN}, {5, POLLIN|POLLOUT}], 2, -1)");
	assert_text(target, "poll", ARGUMENTS(0, 0, 0), "poll(NULL, 0, 0)");
	assert_text(
		target, "poll", ARGUMENTS(NOWHERE, 1U << 31, 0), "poll(0xdead000, -2147483648, 0)");
	fake_call(target, "poll", ARGUMENTS(AT + 0x1000, 1000, 0));
	assert_non_null(strstr(decode(target)->text, "{115, POLLIN}, … 984 more], 1000, 0)"));
	fake_call(target, "poll", ARGUMENTS(AT + 0x1000, 1U << 31, 0));
	assert_non_null(strstr(decode(target)->text, "… 2147483632 more]"));
}

static void select_stops_at_its_limit(void **state)
{
	struct fake_target *target = *state;
	const struct timeval time = {3, 500000};
	fd_set reads, all;

	FD_ZERO(&reads);
	FD_SET(3, &reads);
	FD_SET(5, &reads);
	FD_SET(64, &reads);
	memset(&all, 0xff, sizeof(all));
	fake_open(target, 3, DESCRIPTOR_SOCKET, "UDP 0.0.0.0:53");
	fake_place(target, AT, &reads, sizeof(reads));
	fake_place(target, AT + 0x1000, &all, sizeof(all));
	fake_place(target, AT + 0x2000, &time, sizeof(time));
	assert_text(target, "select", ARGUMENTS(65, AT, 0, 0, AT + 0x2000),
		"select(65, [3<UDP 0.0.0.0:53>, 5, 64], NULL, NULL, {3.5 s})");
	assert_text(target, "select", ARGUMENTS(64, AT, 0, 0, 0),
		"select(64, [3<UDP 0.0.0.0:53>, 5], NULL, NULL, NULL)");
	assert_text(target, "select", ARGUMENTS(2, 0, AT + 0x1000, 0, NOWHERE),
		"select(2, NULL, [0, 1], NULL, 0xdead000)");
	assert_text(target, "select", ARGUMENTS((uint32_t)-1, AT, 0, 0, 0),
		"select(-1, [], NULL, NULL, NULL)");
	fake_call(target, "select", ARGUMENTS(INT_MAX, AT + 0x1000, NOWHERE, 0, 0));
	assert_string_equal(decode(target)->text,
		"select(2147483647, [0, 1, 2, 3<UDP 0.0.0.0:53>, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "
		"14, 15, … 1008 more], 0xdead000, NULL, NULL)");
}

static void masks_of_pselect_and_sigsuspend(void **state)
{
	struct fake_target *target = *state;
	const uint64_t mask = 1U << (SIGINT - 1) | 1U << (SIGTERM - 1);
	const uint64_t pack[2] = {AT, 8};

	fake_place(target, AT, &mask, sizeof(mask));
	fake_place(target, AT + 16, pack, sizeof(pack));
	assert_text(target, "pselect6", ARGUMENTS(0, 0, 0, 0, 0, AT + 16),
		"pselect6(0, NULL, NULL, NULL, NULL, {[INT TERM], 8})");
	assert_text(target, "rt_sigsuspend", ARGUMENTS(AT, 8), "rt_sigsuspend([INT TERM], 8)");
	assert_text(target, "rt_sigsuspend", ARGUMENTS(NOWHERE, 8), "rt_sigsuspend(0xdead000, 8)");
	assert_text(target, "rt_sigtimedwait", ARGUMENTS(AT, 0, 0, 8),
		"rt_sigtimedwait([INT TERM], NULL, NULL, 8)");
	assert_text(target, "pause", ARGUMENTS(0), "pause()");
}

static void epoll_waits(void **state)
{
	struct fake_target *target = *state;
	const struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 7};
	const struct timespec time = {90, 0};

	fake_open(target, 4, DESCRIPTOR_EPOLL, "epoll of 3 descriptors");
	fake_place(target, AT, &event, sizeof(event));
	fake_place(target, AT + 64, &time, sizeof(time));
	assert_text(target, "epoll_wait", ARGUMENTS(4, AT, 64, (uint32_t)-1),
		"epoll_wait(4<epoll of 3 descriptors>, 0x7ffd1c2a0000, 64, -1)");
	assert_text(target, "epoll_pwait2", ARGUMENTS(4, AT, 64, AT + 64, 0, 8),
		"epoll_pwait2(4<epoll of 3 descriptors>, 0x7ffd1c2a0000, 64, {1 min 30 s}, NULL, "
		"8)");
	assert_text(target, "epoll_ctl", ARGUMENTS(4, EPOLL_CTL_ADD, 9, AT),
		"epoll_ctl(4<epoll of 3 descriptors>, EPOLL_CTL_ADD, 9, {EPOLLIN|EPOLLET, 0x7})");
}

static void futex_shows_what_its_operation_looks_at(void **state)
{
	struct fake_target *target = *state;
	const struct timespec time = {2, 0};
	struct futex_waitv waiters[2] = {{.val = 1, .uaddr = AT}, {.val = 2, .uaddr = AT + 4}};

	fake_place(target, AT, &time, sizeof(time));
	fake_place(target, AT + 64, waiters, sizeof(waiters));
	assert_text(target, "futex", ARGUMENTS(AT, FUTEX_WAIT_PRIVATE, 2, AT, 1, 2),
		"futex(0x7ffd1c2a0000, FUTEX_WAIT_PRIVATE, 2, {2.0 s})");
	assert_text(target, "futex",
		ARGUMENTS(AT, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 2, AT, 0, UINT32_MAX),
		"futex(0x7ffd1c2a0000, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 2, "
		"{at 2.000000000}, NULL, 0xffffffff)");
	assert_text(target, "futex", ARGUMENTS(AT, FUTEX_WAKE, 1),
		"futex(0x7ffd1c2a0000, FUTEX_WAKE, 1)");
	assert_text(target, "futex", ARGUMENTS(AT, FUTEX_CMP_REQUEUE, 1, 5, AT, 3),
		"futex(0x7ffd1c2a0000, FUTEX_CMP_REQUEUE, 1, 5, 0x7ffd1c2a0000, 0x3)");
	assert_text(target, "futex", ARGUMENTS(AT, 99, 1, 5, 0, 3),
		"futex(0x7ffd1c2a0000, 99, 1, 5, NULL, 0x3)");
	assert_text(target, "futex_waitv", ARGUMENTS(AT + 64, 2, 0, 0, CLOCK_MONOTONIC),
		"futex_waitv([{val=1, uaddr=0x7ffd1c2a0000, flags=0x0}, "
		"{val=2, uaddr=0x7ffd1c2a0004, flags=0x0}], 2, 0x0, NULL, CLOCK_MONOTONIC)");
}

static void sleeps(void **state)
{
	struct fake_target *target = *state;
	const struct timespec time = {100, 0}, wrong = {-1, 5}, endless = {INT64_MAX, 0};

	fake_place(target, AT, &time, sizeof(time));
	fake_place(target, AT + 16, &wrong, sizeof(wrong));
	fake_place(target, AT + 32, &endless, sizeof(endless));
	assert_text(target, "nanosleep", ARGUMENTS(AT, 0), "nanosleep({1 min 40 s}, NULL)");
	assert_text(target, "nanosleep", ARGUMENTS(AT + 16, 0),
		"nanosleep({tv_sec=-1, tv_nsec=5}, NULL)");
	assert_text(target, "nanosleep", ARGUMENTS(AT + 32, 0), "nanosleep({106751 d 23 h}, NULL)");
	assert_text(target, "clock_nanosleep", ARGUMENTS(CLOCK_REALTIME, TIMER_ABSTIME, AT, 0),
		"clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, {at 100.000000000}, NULL)");
	/* One place for the request and the rest, once we stopped it: what stands there is the
	 * rest. */
	target->thread.stopped_ns = 1;
	assert_text(target, "clock_nanosleep", ARGUMENTS(CLOCK_REALTIME, 0, AT, AT),
		"clock_nanosleep(CLOCK_REALTIME, 0, {1 min 40 s left}, 0x7ffd1c2a0000)");
	assert_text(target, "clock_nanosleep", ARGUMENTS((uint32_t)-6, 0, AT, 0),
		"clock_nanosleep(-6, 0, {1 min 40 s}, NULL)");
}

static struct kernel_stack stack_of(struct kernel_frame *frame, const char *function)
{
	*frame = (struct kernel_frame){.symbol = function};
	return (struct kernel_stack){.frames = frame, .count = 1};
}

static void restart_syscall_says_what_it_resumes(void **state)
{
	struct fake_target *target = *state;
	const struct timespec time = {9, 0};
	const struct pollfd polled = {3, POLLIN, 0};
	struct kernel_frame frame;
	struct kernel_stack stack = stack_of(&frame, "hrtimer_nanosleep_restart");

	fake_place(target, AT, &time, sizeof(time));
	fake_place(target, AT + 16, &polled, sizeof(polled));
	fake_call(target, "restart_syscall", ARGUMENTS(CLOCK_REALTIME, 0, AT, AT));
	assert_string_equal(decode(target)->text, "restart_syscall()");

	target->thread.kernel_stack = &stack;
	struct syscall_call *call = decode(target);
	assert_string_equal(call->name, "restart_syscall");
	assert_int_equal(call->number, SYS_restart_syscall);
	assert_string_equal(call->text,
		"restart_syscall(<resumes clock_nanosleep(CLOCK_REALTIME, 0, {9.0 s left}, "
		"0x7ffd1c2a0000)>)");

	/* The functions that sleep are the scheduler's, which stacks do not show. */
	stack = stack_of(&frame, "do_syscall_64");
	fake_call(target, "restart_syscall", ARGUMENTS(AT, 0));
	assert_string_equal(
		decode(target)->text, "restart_syscall(<resumes nanosleep({9.0 s}, NULL)>)");

	stack = stack_of(&frame, "do_restart_poll.isra.0");
	fake_call(target, "restart_syscall", ARGUMENTS(AT + 16, 1, 500));
	assert_string_equal(
		decode(target)->text, "restart_syscall(<resumes poll([{3, POLLIN}], 1, 500 ms)>)");

	target->thread.kernel_stack = NULL;
	target->thread.wchan = "futex_wait_queue";
	fake_call(target, "restart_syscall", ARGUMENTS(AT, FUTEX_WAIT, 1, 0));
	assert_string_equal(decode(target)->text,
		"restart_syscall(<resumes futex(0x7ffd1c2a0000, FUTEX_WAIT, 1, NULL)>)");
}

static void file_locks(void **state)
{
	struct fake_target *target = *state;
	const struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	const struct flock wrong = {.l_type = 99};

	fake_open(target, 3, DESCRIPTOR_FILE, "/var/lock/x");
	fake_place(target, AT, &lock, sizeof(lock));
	fake_place(target, AT + 64, &wrong, sizeof(wrong));
	assert_text(target, "fcntl", ARGUMENTS(3, F_SETLKW, AT),
		"fcntl(3</var/lock/x>, F_SETLKW, {F_WRLCK, SEEK_SET, 10, 5})");
	assert_text(target, "fcntl", ARGUMENTS(3, F_SETLKW, AT + 64),
		"fcntl(3</var/lock/x>, F_SETLKW, 0x7ffd1c2a0040)");
	assert_text(target, "fcntl", ARGUMENTS(3, F_GETFL, AT), "fcntl(3</var/lock/x>, F_GETFL)");
	assert_text(target, "flock", ARGUMENTS(3, 2), "flock(3</var/lock/x>, LOCK_EX)");
}

static void inter_process_communication(void **state)
{
	struct fake_target *target = *state;
	const struct sembuf operations[] = {{0, -1, 0}, {1, 2, SEM_UNDO}};

	fake_place(target, AT, operations, sizeof(operations));
	assert_text(target, "semop", ARGUMENTS(32768, AT, 2),
		"semop(32768, [{0, -1, 0}, {1, 2, SEM_UNDO}], 2)");
	assert_text(target, "semtimedop", ARGUMENTS(1, NOWHERE, SIZE_MAX, 0),
		"semtimedop(1, 0xdead000, 18446744073709551615, NULL)");
	assert_text(target, "msgrcv", ARGUMENTS(5, AT, 64, (uint64_t)-3, 0),
		"msgrcv(5, 0x7ffd1c2a0000, 64, -3, 0)");
	assert_text(target, "mq_timedreceive", ARGUMENTS(3, AT, 64, 0, 0),
		"mq_timedreceive(3, 0x7ffd1c2a0000, 64, NULL, NULL)");
}

static void processes(void **state)
{
	struct fake_target *target = *state;

	assert_text(target, "wait4", ARGUMENTS((uint32_t)-1, 0, WNOHANG | WUNTRACED, 0),
		"wait4(-1, NULL, WNOHANG|WUNTRACED, NULL)");
	assert_text(target, "waitid", ARGUMENTS(P_PID, 9, 0, WEXITED, 0),
		"waitid(P_PID, 9, NULL, WEXITED, NULL)");
	assert_text(target, "kill", ARGUMENTS(9, SIGTERM), "kill(9, SIGTERM)");
	assert_text(target, "kill", ARGUMENTS(9, 900), "kill(9, 900)");
	assert_text(target, "exit_group", ARGUMENTS(3), "exit_group(3)");
	assert_text(target, "ptrace", ARGUMENTS(4, 12, 0, 0),
		"ptrace(PTRACE_POKETEXT, 12, NULL, NULL)");
}

static void requests_of_ioctl(void **state)
{
	struct fake_target *target = *state;

	assert_text(target, "ioctl", ARGUMENTS(0, 0x5401, AT),
		"ioctl(0, _IO('T', 0x1), 0x7ffd1c2a0000)");
	assert_text(
		target, "ioctl", ARGUMENTS(0, 0x80045430, 0), "ioctl(0, _IOR('T', 0x30, 4), 0x0)");
	assert_text(
		target, "ioctl", ARGUMENTS(0, 0xc0080027, 0), "ioctl(0, _IOWR(0x0, 0x27, 8), 0x0)");
}

static void flags_keep_what_has_no_name(void **state)
{
	struct fake_target *target = *state;

	assert_text(target, "mmap",
		ARGUMENTS(
			0, 4096, PROT_READ | 0x1000, MAP_PRIVATE | MAP_ANONYMOUS, (uint32_t)-1, 0),
		"mmap(NULL, 4096, PROT_READ|0x1000, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)");
	assert_text(target, "splice", ARGUMENTS(1, 0, 2, 0, 10, 0x100),
		"splice(1, NULL, 2, NULL, 10, 0x100)");
}

static void calls_without_a_row_show_their_registers(void **state)
{
	struct fake_target *target = *state;

	assert_text(target, "keyctl", ARGUMENTS(1, 2, 3, 4, 5, 6),
		"keyctl(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)");
	target->thread.entry.number = 100000;
	struct syscall_call *call = decode(target);
	assert_null(call->name);
	assert_string_equal(call->text, "syscall 100000(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)");
	target->thread.entry.number = -1;
	assert_null(decode(target)->name);
	target->thread.entry.in_syscall = false;
	assert_null(decode(target));
}

static void memory_that_may_not_be_read(void **state)
{
	struct fake_target *target = *state;

	target->process.memory = NULL;
	assert_text(target, "poll", ARGUMENTS(AT, 3, 10), "poll(0x7ffd1c2a0000, 3, 10 ms)");
	assert_text(
		target, "openat", ARGUMENTS(3, AT, O_RDWR), "openat(3, 0x7ffd1c2a0000, O_RDWR)");
	assert_text(target, "select", ARGUMENTS(9, AT, 0, 0, AT),
		"select(9, 0x7ffd1c2a0000, NULL, NULL, 0x7ffd1c2a0000)");
}

static const char *const aarch64_names[] = {
#include "syscalls_aarch64.inc"
};

static void every_blocking_call_has_a_row_on_both_architectures(void **state)
{
	static const char *const blocking[] = {"read", "write", "pread64", "pwrite64", "readv",
		"writev", "preadv", "pwritev", "preadv2", "pwritev2", "accept", "accept4",
		"connect", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg",
		"ppoll", "pselect6", "epoll_pwait", "epoll_pwait2", "futex", "futex_waitv",
		"nanosleep", "clock_nanosleep", "wait4", "waitid", "flock", "fcntl", "openat",
		"msgrcv", "msgsnd", "semop", "semtimedop", "mq_timedsend", "mq_timedreceive",
		"io_getevents", "io_uring_enter", "rt_sigsuspend", "rt_sigtimedwait", "fsync",
		"fdatasync", "sync", "mount", "ioctl", "sendfile", "splice", "tee", "vmsplice",
		"copy_file_range", "ptrace", "exit", "exit_group"};
	const struct arch aarch64 = {
		.syscall_names = aarch64_names, .syscall_limit = array_length(aarch64_names)};

	(void)state;
	for (size_t i = 0; i < array_length(blocking); i++) {
		if (!syscall_row_find(blocking[i]) || fake_number(&fake_arch, blocking[i]) < 0 ||
			fake_number(&aarch64, blocking[i]) < 0)
			fail_msg("%s", blocking[i]);
	}
	assert_int_equal(fake_number(&aarch64, "read"), 63);
	assert_int_equal(fake_number(&fake_arch, "read"), SYS_read);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accept_shows_the_listening_socket),
		TEST(reads_and_writes),
		TEST(a_hostile_count_of_vectors_is_bounded),
		TEST(strings_are_bounded_and_escaped),
		TEST(addresses_of_sockets),
		TEST(messages),
		TEST(poll_names_its_descriptors),
		TEST(select_stops_at_its_limit),
		TEST(masks_of_pselect_and_sigsuspend),
		TEST(epoll_waits),
		TEST(futex_shows_what_its_operation_looks_at),
		TEST(sleeps),
		TEST(restart_syscall_says_what_it_resumes),
		TEST(file_locks),
		TEST(inter_process_communication),
		TEST(processes),
		TEST(requests_of_ioctl),
		TEST(flags_keep_what_has_no_name),
		TEST(calls_without_a_row_show_their_registers),
		TEST(memory_that_may_not_be_read),
		TEST(every_blocking_call_has_a_row_on_both_architectures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
