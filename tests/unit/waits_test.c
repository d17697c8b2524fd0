// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/wait.h>

#include "waits_fixture.h"

static void states(void **state)
{
	struct fake_target *target = *state;

	target->thread.state = 'R';
	target->thread.cpu = 1;
	assert_wait(target, "running", false, "runs on CPU 1");
	target->thread.cpu = -1;
	assert_wait(target, "running", false, "runs");
	target->thread.state = 'T';
	assert_wait(target, "stopped", false, "is stopped by a signal: SIGCONT lets it go on");
	target->thread.state = 't';
	assert_wait(target, "traced", false, "is stopped by its tracer");
	target->process.tracer = 12;
	struct wait *wait =
		assert_wait(target, "traced", false, "is stopped by its tracer (pid 12)");
	assert_int_equal(wait->holders[0].pid, 12);
	target->thread.state = 'Z';
	assert_wait(target, "zombie", false,
		"has ended; its parent (pid 77) has not taken its exit status");
	target->thread.state = 'X';
	assert_wait(target, "dead", false, "has ended");
	target->thread.state = 'S';
	assert_wait(target, "unknown", false, "waits, for what can't be seen");
	target->thread.state = 0;
	assert_null(explain(target));
}

static void a_main_thread_that_left_its_process_to_others(void **state)
{
	struct fake_target *target = *state;
	struct thread threads[3] = {{.tid = 4242, .state = 'Z'}, {.tid = 4243, .state = 'S'},
		{.tid = 4244, .state = 'R'}};
	struct waits waits = {
		.process = &target->process, .arena = target->arena, .clock = fake_clock};
	const struct call none = {0};

	target->process.threads = threads;
	target->process.thread_count = 3;
	assert_string_equal(wait_explain(&waits, &threads[0], &none)->sentence,
		"has ended; 2 other threads of its process go on");
	threads[2].state = 'Z';
	assert_string_equal(wait_explain(&waits, &threads[0], &none)->sentence,
		"has ended; 1 other thread of its process goes on");
}

static void sleeping(void **state)
{
	struct fake_target *target = *state;
	const struct timespec request = {100, 0}, rest = {30, 0};
	const struct timespec moment = {1764000000 + 86400, 0}, endless = {INT64_MAX, 0};

	fake_place(target, AT, &request, sizeof(request));
	fake_place(target, AT + 16, &rest, sizeof(rest));
	fake_place(target, AT + 32, &moment, sizeof(moment));
	fake_place(target, AT + 48, &endless, sizeof(endless));
	target->thread.blocked_ns = 10 * NS_PER_SECOND;
	assert_call(target, "nanosleep", ARGUMENTS(AT, 0), "sleep", true,
		"sleeps until 16:01:30, 1 min 30 s left");
	assert_call(target, "clock_nanosleep", ARGUMENTS(CLOCK_MONOTONIC, 0, AT, AT + 16), "sleep",
		true, "sleeps until 16:01:30, 1 min 30 s left");
	assert_call(target, "clock_nanosleep", ARGUMENTS(CLOCK_REALTIME, TIMER_ABSTIME, AT + 32, 0),
		"sleep", true, "sleeps until 2025-11-25 16:00:00, 1 d 0 h left");
	assert_call(
		target, "nanosleep", ARGUMENTS(AT + 48, 0), "sleep", true, "sleeps without end");
	assert_call(target, "nanosleep", ARGUMENTS(1, 0), "sleep", true, "sleeps");
	assert_call(target, "clock_nanosleep", ARGUMENTS(CLOCK_PROCESS_CPUTIME_ID, 0, AT, 0),
		"sleep", true, "sleeps until a clock of CPU time has advanced");
	target->thread.blocked_ns = -1;
	assert_call(target, "nanosleep", ARGUMENTS(AT, 0), "sleep", true,
		"sleeps until 16:01:40 at the latest, at most 1 min 40 s left");
}

static void a_sleep_that_was_interrupted(void **state)
{
	struct fake_target *target = *state;
	const struct timespec request = {100, 0}, rest = {30, 0};

	fake_place(target, AT, &request, sizeof(request));
	fake_place(target, AT + 16, &rest, sizeof(rest));
	target->thread.blocked_ns = 10 * NS_PER_SECOND;
	KERNEL(target, "hrtimer_nanosleep", "hrtimer_nanosleep_restart");
	struct wait *wait = assert_call(target, "restart_syscall", ARGUMENTS(0, 0, AT, AT + 16),
		"sleep", true, "sleeps until 16:00:20, 20.0 s left");
	assert_string_equal(wait->text, wait->sentence);
	/* Our own stop, too, makes the kernel write what remains: that is fresh. */
	target->thread.stopped_ns = 1000;
	assert_call(target, "restart_syscall", ARGUMENTS(0, 0, AT, AT + 16), "sleep", true,
		"sleeps until 16:00:30, 30.0 s left");
	assert_call(target, "clock_nanosleep", ARGUMENTS(0, 0, AT + 16, AT + 16), "sleep", true,
		"sleeps until 16:00:30, 30.0 s left");
	/* Without a place for it, what remains is with the kernel alone. */
	assert_call(target, "restart_syscall", ARGUMENTS(0, 0, AT, 0), "sleep", true,
		"sleeps until 16:01:30 at the latest, at most 1 min 30 s left");
}

static void polling_nothing_is_sleeping(void **state)
{
	struct fake_target *target = *state;

	assert_call(target, "poll", ARGUMENTS(0, 0, 1000), "sleep", true,
		"sleeps until 16:00:01 at the latest, at most 1.0 s left");
	assert_call(
		target, "select", ARGUMENTS(0, 0, 0, 0, 0), "sleep", true, "waits for a signal");
}

static void children_and_signals(void **state)
{
	struct fake_target *target = *state;
	const uint64_t mask = 1U << (SIGINT - 1);
	const struct timespec time = {2, 0};

	fake_place(target, AT, &mask, sizeof(mask));
	fake_place(target, AT + 16, &time, sizeof(time));
	struct wait *wait = assert_call(
		target, "wait4", ARGUMENTS(4243), "child", false, "waits for child 4243 to end");
	assert_int_equal(wait->holders[0].pid, 4243);
	assert_call(target, "wait4", ARGUMENTS((uint32_t)-1), "child", true,
		"waits for any child to end");
	assert_call(target, "wait4", ARGUMENTS((uint32_t)-9), "child", true,
		"waits for any child of process group 9 to end");
	assert_call(target, "wait4", ARGUMENTS((uint32_t)INT_MIN), "child", true,
		"waits for any child to end");
	assert_call(target, "waitid", ARGUMENTS(P_PID, 9, 0, WEXITED), "child", false,
		"waits for child 9 to end");
	assert_call(target, "waitid", ARGUMENTS(P_ALL, 0, 0, WSTOPPED), "child", true,
		"waits for any child to stop or go on");
	fake_open(target, 5, DESCRIPTOR_PIDFD, "pidfd")->pid = 99;
	assert_call(target, "waitid", ARGUMENTS(P_PIDFD, 5, 0, WEXITED), "child", false,
		"waits for child 99 to end");
	target->process.namespace_pid = 0;
	wait = assert_call(target, "wait4", ARGUMENTS(3), "child", false,
		"waits for child 3 to end (a pid of its own namespace)");
	assert_int_equal(wait->holder_count, 0);

	assert_call(target, "pause", ARGUMENTS(0), "signal", true, "waits for a signal");
	assert_call(
		target, "rt_sigsuspend", ARGUMENTS(AT, 8), "signal", true, "waits for a signal");
	assert_call(target, "rt_sigtimedwait", ARGUMENTS(AT, 0, AT + 16, 8), "signal", true,
		"waits for a signal: [INT], at most 2.0 s more");
	assert_call(target, "ptrace", ARGUMENTS(16, 9), "ptrace", false,
		"waits in ptrace of process 9");
}

static void locks_on_files(void **state)
{
	struct fake_target *target = *state;
	const struct flock lock = {.l_type = F_WRLCK, .l_start = 0, .l_len = 100};
	const struct flock whole = {.l_type = F_RDLCK};
	const struct flock hostile = {.l_type = F_RDLCK, .l_start = INT64_MAX, .l_len = INT64_MAX};

	fake_open(target, 3, DESCRIPTOR_FILE, "/var/lock/x");
	fake_place(target, AT, &lock, sizeof(lock));
	fake_place(target, AT + 64, &whole, sizeof(whole));
	fake_place(target, AT + 128, &hostile, sizeof(hostile));
	assert_call(target, "flock", ARGUMENTS(3, LOCK_EX), "file-lock", false,
		"waits for the lock on /var/lock/x (flock, exclusive)");
	assert_call(target, "flock", ARGUMENTS(3, LOCK_SH), "file-lock", false,
		"waits for the lock on /var/lock/x (flock, shared)");
	assert_call(target, "fcntl", ARGUMENTS(3, F_SETLKW, AT), "file-lock", false,
		"waits for the lock on /var/lock/x (fcntl, write, bytes 0 to 99)");
	assert_call(target, "fcntl", ARGUMENTS(3, F_OFD_SETLKW, AT + 64), "file-lock", false,
		"waits for the lock on /var/lock/x (fcntl, open file description, read, "
		"from byte 0)");
	assert_call(target, "fcntl", ARGUMENTS(3, F_SETLKW, AT + 128), "file-lock", false,
		"waits for the lock on /var/lock/x (fcntl, read)");
	assert_call(target, "fcntl", ARGUMENTS(3, F_SETLKW, 1), "file-lock", false,
		"waits for the lock on /var/lock/x (fcntl)");
	assert_call(target, "fcntl", ARGUMENTS(3, F_GETFL), "syscall", false,
		"waits in fcntl of /var/lock/x");
}

static void opening_a_fifo(void **state)
{
	struct fake_target *target = *state;

	fake_place(target, AT, "/tmp/fi\033fo", 11);
	KERNEL(target, "wait_for_partner", "fifo_open", "do_dentry_open");
	assert_call(target, "openat", ARGUMENTS((uint32_t)AT_FDCWD, AT, O_RDONLY), "fifo-open",
		false, "waits for a writer to open FIFO /tmp/fi\\x1bfo");
	assert_call(target, "open", ARGUMENTS(AT, O_WRONLY), "fifo-open", false,
		"waits for a reader to open FIFO /tmp/fi\\x1bfo");
	assert_call(target, "openat2", ARGUMENTS((uint32_t)AT_FDCWD, 1, 1, 24), "fifo-open", false,
		"waits for a process to open FIFO 0x1");
	KERNEL(target, "tty_open");
	assert_call(target, "open", ARGUMENTS(AT, O_RDONLY), "syscall", false,
		"waits in open of \"/tmp/fi\\x1bfo\" (kernel: tty_open)");
}

static void messages_and_semaphores(void **state)
{
	struct fake_target *target = *state;
	const struct sembuf down = {2, -3, 0}, zero = {0, 0, 0};

	fake_open(target, 3, DESCRIPTOR_MESSAGE_QUEUE, "/queue");
	fake_place(target, AT, &down, sizeof(down));
	fake_place(target, AT + 16, &zero, sizeof(zero));
	assert_call(target, "mq_timedreceive", ARGUMENTS(3), "message-queue", true,
		"waits for a message in queue /queue");
	assert_call(target, "mq_timedsend", ARGUMENTS(3), "message-queue", false,
		"waits for room in message queue /queue");
	assert_call(target, "msgrcv", ARGUMENTS(5, 0, 0, (uint64_t)INT64_MIN), "message-queue",
		true, "waits for a message in SysV queue 5 of type 9223372036854775808 or less");
	assert_call(target, "msgsnd", ARGUMENTS(5), "message-queue", false,
		"waits for room in SysV message queue 5");
	assert_call(target, "semop", ARGUMENTS(9, AT, 1), "semaphore-sysv", false,
		"waits for SysV semaphore 2 of set 9 to reach 3");
	assert_call(target, "semop", ARGUMENTS(9, AT + 16, 1), "semaphore-sysv", false,
		"waits for SysV semaphore 0 of set 9 to become 0");
	assert_call(target, "semtimedop", ARGUMENTS(9, 1, SIZE_MAX), "semaphore-sysv", false,
		"waits for SysV semaphore set 9 to allow all its operations");
	assert_call(target, "io_getevents", ARGUMENTS(9, 2), "aio", false,
		"waits for 2 asynchronous operations to complete");
	assert_call(target, "io_uring_enter", ARGUMENTS(9, 0, 1, 1), "io-uring", true,
		"waits for 1 completion of io_uring 9");
}

static void mounts_ioctls_and_copies(void **state)
{
	struct fake_target *target = *state;

	fake_place(target, AT, "/dev/sda1", 10);
	fake_place(target, AT + 16, "/mnt", 5);
	fake_open(target, 3, DESCRIPTOR_FILE, "/etc/passwd");
	assert_call(target, "mount", ARGUMENTS(AT, AT + 16), "mount", false,
		"waits for the mount of \"/dev/sda1\" on \"/mnt\"");
	assert_call(target, "umount2", ARGUMENTS(AT + 16), "mount", false,
		"waits for the unmount of \"/mnt\"");
	assert_call(target, "ioctl", ARGUMENTS(3, 0x5409), "ioctl", false,
		"waits in ioctl _IO('T', 0x9) of /etc/passwd");
	fake_open(target, 4, DESCRIPTOR_PIPE, "pipe:[5]")->writable = true;
	add_peer(target, &target->open[1], 7);
	assert_call(target, "sendfile", ARGUMENTS(9, 3, 0, 100), "splice", false,
		"waits for room in 9, to copy to it from 3</etc/passwd> (sendfile)");
	struct wait *wait = assert_call(target, "splice", ARGUMENTS(4, 0, 3, 0), "splice", false,
		"waits for data on 4<pipe:[5]>, to copy it to 3</etc/passwd> (splice)");
	assert_int_equal(wait->holders[0].pid, 7);
	assert_call(target, "tee", ARGUMENTS(4, 9), "splice", false,
		"waits for 4<pipe:[5]> or 9, to copy from the one to the other (tee)");
	assert_call(target, "vmsplice", ARGUMENTS(4, AT, 1, 0), "splice", false,
		"waits for room in 4<pipe:[5]> (vmsplice)");
	assert_call(target, "vmsplice", ARGUMENTS(9, AT, 1, 0), "splice", false,
		"waits for 9 (vmsplice)");
	assert_call(target, "exit_group", ARGUMENTS(0), "exit", false, "is ending");
	assert_call(
		target, "getrandom", ARGUMENTS(AT, 16, 0), "syscall", false, "waits in getrandom");
}

/* Their client has asked for something else first. */
static void before_a_network_disk(void **state)
{
	struct fake_target *target = *state;

	fake_open(target, 3, DESCRIPTOR_FILE, "/data/x");
	target->thread.state = 'D';
	KERNEL(target, "folio_wait_bit_common", "filemap_fault", "exc_page_fault",
		"fault_in_readable", "nfs_file_write");
	assert_call(target, "write", ARGUMENTS(3), "page-fault", false,
		"waits for the disk: a page fault");
	KERNEL(target, "nfs_start_io_read", "nfs_file_read", "vfs_read");
	assert_call(target, "read", ARGUMENTS(3), "kernel-lock", false,
		"waits for a lock in the kernel, in nfs_file_read: read of /data/x");
	KERNEL(target, "io_schedule", "try_to_free_pages", "cifs_strict_readv");
	assert_call(target, "read", ARGUMENTS(3), "memory", false,
		"waits for memory to be freed: the machine is short of it: read of /data/x");
	KERNEL(target, "request_key_tag", "dns_query", "cifs_mount");
	assert_call(target, "fstat", ARGUMENTS(3), "syscall", false,
		"waits in fstat of /data/x (kernel: request_key_tag)");
	target->thread.kernel_lock.kind = KERNEL_LOCK_WRITE;
	KERNEL(target, "cifs_strict_writev", "vfs_write");
	assert_call(target, "write", ARGUMENTS(3), "kernel-lock", false,
		"waits for a read-write lock, to write, in the kernel, in cifs_strict_writev: "
		"write of /data/x");
}

static void in_the_kernel(void **state)
{
	struct fake_target *target = *state;

	fake_open(target, 3, DESCRIPTOR_FILE, "/data/x");
	target->thread.state = 'D';
	KERNEL(target, "io_schedule", "folio_wait_bit_common", "filemap_read");
	assert_call(
		target, "read", ARGUMENTS(3), "disk", false, "waits for the disk: read of /data/x");
	KERNEL(target, "jbd2_log_wait_commit", "ext4_sync_file");
	assert_call(target, "fsync", ARGUMENTS(3), "sync", false,
		"waits for the disk: fsync of /data/x");
	KERNEL(target, "__iomap_dio_rw", "iomap_dio_rw", "ext4_file_write_iter");
	assert_call(target, "write", ARGUMENTS(3), "disk", false,
		"waits for the disk: write of /data/x");
	KERNEL(target, "balance_dirty_pages", "generic_perform_write");
	assert_call(target, "write", ARGUMENTS(3), "disk", false,
		"waits for the disk to take what was written before: write of /data/x");
	KERNEL(target, "request_wait_answer", "fuse_simple_request");
	assert_call(target, "fsync", ARGUMENTS(3), "fuse", false,
		"waits for the answer of a FUSE file system's daemon: fsync of /data/x");
	KERNEL(target, "rpc_wait_bit_killable", "__rpc_execute");
	assert_call(target, "read", ARGUMENTS(3), "network-disk", false,
		"waits for the NFS server: read of /data/x");
	KERNEL(target, "folio_wait_bit_common", "filemap_get_pages", "filemap_read",
		"nfs_file_read", "vfs_read");
	assert_call(target, "read", ARGUMENTS(3), "network-disk", false,
		"waits for the NFS server: read of /data/x");
	KERNEL(target, "nfs_direct_wait", "nfs_file_direct_read", "new_sync_read");
	assert_call(target, "read", ARGUMENTS(3), "network-disk", false,
		"waits for the NFS server: read of /data/x");
	KERNEL(target, "wait_for_response", "compound_send_recv", "cifs_send_recv",
		"SMB2_negotiate");
	assert_call(target, "fstat", ARGUMENTS(3), "network-disk", false,
		"waits for the SMB server: fstat of /data/x");
	KERNEL(target, "rwsem_down_read_slowpath", "down_read", "walk_component");
	assert_call(target, "fstat", ARGUMENTS(3), "kernel-lock", false,
		"waits for a lock in the kernel, in walk_component: fstat of /data/x");
	KERNEL(target, "__mutex_lock.constprop.0", "chrdev_open");
	assert_call(target, "fstat", ARGUMENTS(3), "kernel-lock", false,
		"waits for a lock in the kernel, in chrdev_open: fstat of /data/x");
	KERNEL(target, "do_coredump", "get_signal");
	assert_wait(
		target, "coredump", false, "waits for the core dump of its process to be written");
	KERNEL(target, "__wait_for_common", "kernel_clone", "__do_sys_vfork");
	assert_call(target, "vfork", ARGUMENTS(0), "vfork", false,
		"waits for its vfork child to exec or end");
}

static void page_faults(void **state)
{
	struct fake_target *target = *state;

	target->thread.entry.known = true;
	target->thread.state = 'D';
	KERNEL(target, "folio_wait_bit_common", "filemap_fault", "handle_mm_fault",
		"exc_page_fault");
	assert_wait(target, "page-fault", false, "waits for the disk: a page fault");
	KERNEL(target, "rwsem_down_read_slowpath", "down_read", "do_user_addr_fault",
		"exc_page_fault");
	assert_wait(target, "page-fault", false,
		"waits for the lock of its address space (mmap_lock): a page fault");
	KERNEL(target, "handle_userfault", "do_anonymous_page", "exc_page_fault");
	assert_wait(target, "page-fault", false,
		"waits for a userfaultfd handler to answer a page fault");
	KERNEL(target, "do_freezer_trap", "get_signal");
	assert_wait(target, "frozen", false, "is frozen by its cgroup");
}

static void memory_is_not_given(void **state)
{
	struct fake_target *target = *state;

	target->thread.entry.known = true;
	target->thread.state = 'D';
	KERNEL(target, "__mem_cgroup_handle_over_high", "irqentry_exit_to_user_mode",
		"asm_exc_page_fault");
	assert_wait(target, "memory", false,
		"is held back: its cgroup uses more than its memory.high: a page fault");
	KERNEL(target, "mem_cgroup_oom_synchronize", "pagefault_out_of_memory", "exc_page_fault");
	assert_wait(target, "memory", false,
		"waits for memory: its cgroup is at its limit, with the OOM killer off: a page "
		"fault");
	/* What is written to free it may be on a disk. */
	KERNEL(target, "folio_wait_writeback", "shrink_folio_list", "try_to_free_pages",
		"exc_page_fault");
	assert_wait(target, "memory", false,
		"waits for memory to be freed: the machine is short of it: a page fault");
	fake_open(target, 3, DESCRIPTOR_FILE, "/data/x");
	KERNEL(target, "reclaim_throttle", "shrink_node", "try_to_free_mem_cgroup_pages");
	assert_call(target, "read", ARGUMENTS(3), "memory", false,
		"waits for memory to be freed: its cgroup is at its limit: read of /data/x");
}

static void kernel_threads(void **state)
{
	struct fake_target *target = *state;

	target->process.is_kernel = true;
	target->thread.state = 'I';
	KERNEL(target, "worker_thread", "kthread");
	assert_wait(target, "kernel", true, "waits for work");
	target->thread.state = 'S';
	KERNEL(target, "kswapd", "kthread");
	assert_wait(target, "kernel", true, "waits for work");
	target->thread.state = 'D';
	KERNEL(target, "msleep", "disk_events_workfn", "process_one_work", "worker_thread");
	assert_wait(target, "kernel", false, "waits in the kernel, in msleep");
	KERNEL(target, "io_schedule", "jbd2_journal_commit_transaction", "kjournald2");
	assert_wait(target, "disk", false, "waits for the disk");
	KERNEL(target, "wait_for_response", "compound_send_recv", "cifs_send_recv",
		"smb2_reconnect");
	assert_wait(target, "network-disk", false, "waits for the SMB server");
	target->thread.state = 'S';
	KERNEL(target, "tcp_recvmsg", "cifs_readv_from_socket", "cifs_demultiplex_thread");
	assert_wait(target, "kernel", true, "waits for work");
}

static void what_wchan_alone_tells(void **state)
{
	struct fake_target *target = *state;

	target->thread.wchan = "ep_poll";
	assert_wait(target, "epoll", true, "waits for the descriptors of an epoll instance");
	target->thread.wchan = "futex_wait_queue";
	assert_wait(target, "futex", false, "waits for a futex");
	target->thread.wchan = "some\033thing";
	assert_wait(target, "kernel", false, "waits in the kernel, in some\\x1bthing");
	target->thread.wchan = "io_schedule";
	assert_wait(target, "disk", false, "waits for the disk");
}

/* Every kind is explained to users, and no kind is documented that there is not. */
static void each_kind_is_documented(void **state)
{
	FILE *file = fopen("docs/waits.md", "r");
	char line[2048], pattern[64];
	size_t documented = 0, kinds = 0;

	(void)state;
	assert_non_null(file);
	/* Those of goroutines come after, tests/live/test_go_waits.py sees to them. */
	while (fgets(line, sizeof(line), file) && strcmp(line, "## Goroutines\n") != 0)
		documented += strncmp(line, "| `", 3) == 0;
	for (size_t i = 0; wait_kind_word(i); i++) {
		bool found = false, repeated = false;

		for (size_t j = 0; j < i; j++)
			repeated |= strcmp(wait_kind_word(i), wait_kind_word(j)) == 0;
		kinds += !repeated;
		snprintf(pattern, sizeof(pattern), "| `%s` |", wait_kind_word(i));
		rewind(file);
		while (fgets(line, sizeof(line), file))
			found |= strncmp(line, pattern, strlen(pattern)) == 0;
		if (!found)
			fail_msg("docs/waits.md lacks %s", wait_kind_word(i));
	}
	fclose(file);
	assert_int_equal(documented, kinds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(states),
		TEST(a_main_thread_that_left_its_process_to_others),
		TEST(sleeping),
		TEST(a_sleep_that_was_interrupted),
		TEST(polling_nothing_is_sleeping),
		TEST(children_and_signals),
		TEST(locks_on_files),
		TEST(opening_a_fifo),
		TEST(messages_and_semaphores),
		TEST(mounts_ioctls_and_copies),
		TEST(before_a_network_disk),
		TEST(in_the_kernel),
		TEST(page_faults),
		TEST(memory_is_not_given),
		TEST(kernel_threads),
		TEST(what_wchan_alone_tells),
		TEST(each_kind_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
