// SPDX-License-Identifier: Apache-2.0
/* What the kernel's own functions tell: waits that no syscall's arguments name. */
#include <string.h>

#include "util/memory.h"
#include "waits/kinds.h"

/*
 * Functions by what they show; one that ends with * stands for all that begin so. Names are those
 * of Linux 5.10 to 6.18: mm/{filemap,memcontrol,memcontrol-v1,vmscan}.c, block/,
 * fs/{jbd2,fuse,nfs,smb,userfaultfd,coredump}, net/sunrpc, kernel/{signal,freezer,fork,exit}.c,
 * kernel/locking.
 */
static const struct {
	const char *function;
	uint64_t traits;
} functions[] = {
	{"io_schedule*", KERNEL_DISK},
	{"bit_wait_io*", KERNEL_DISK},
	{"folio_wait_bit*", KERNEL_DISK},
	{"folio_wait_writeback*", KERNEL_DISK},
	{"wait_on_page_bit*", KERNEL_DISK},
	{"__wait_on_buffer", KERNEL_DISK},
	{"__bread_gfp", KERNEL_DISK},
	{"ext4_wait_block_bitmap", KERNEL_DISK},
	{"submit_bio_wait", KERNEL_DISK},
	{"__iomap_dio_rw", KERNEL_DISK},
	{"iomap_dio_rw", KERNEL_DISK},
	{"__blkdev_direct_IO*", KERNEL_DISK},
	{"blkdev_direct_IO*", KERNEL_DISK},
	{"__blockdev_direct_IO", KERNEL_DISK},
	{"blk_mq_get_tag", KERNEL_DISK},
	{"blkdev_issue_flush", KERNEL_DISK},
	{"jbd2_log_wait_commit", KERNEL_DISK},
	{"wait_transaction_locked", KERNEL_DISK},
	{"xfs_log_force*", KERNEL_DISK},
	{"xlog_wait_on_iclog", KERNEL_DISK},
	{"wait_for_commit", KERNEL_DISK},
	{"balance_dirty_pages*", KERNEL_THROTTLED},
	{"rpc_wait_bit_killable", KERNEL_NFS},
	{"nfs_wait_bit_killable", KERNEL_NFS},
	{"nfs_wait_on_request", KERNEL_NFS},
	{"nfs_file_*", KERNEL_NFS},
	{"nfs4_file_*", KERNEL_NFS},
	{"nfs_wb_*", KERNEL_NFS},
	{"nfs_direct_wait", KERNEL_NFS},
	{"nfs_start_io_*", KERNEL_LOCK}, /* of the inode: fs/nfs/io.c */
	{"cifs_*", KERNEL_SMB},
	{"smb2_*", KERNEL_SMB},
	{"SMB2_*", KERNEL_SMB},
	{"compound_send_recv", KERNEL_SMB},
	{"request_key*", KERNEL_ASIDE},
	{"request_wait_answer", KERNEL_FUSE},
	{"fuse_simple_request", KERNEL_FUSE},
	{"__fuse_simple_request", KERNEL_FUSE},
	{"rwsem_down_read_slowpath", KERNEL_LOCK},
	{"rwsem_down_write_slowpath", KERNEL_LOCK},
	{"down_read*", KERNEL_LOCK},
	{"down_write*", KERNEL_LOCK},
	{"__down_common", KERNEL_LOCK},
	{"__mutex_lock*", KERNEL_LOCK},
	{"mutex_lock*", KERNEL_LOCK},
	{"percpu_rwsem_wait", KERNEL_LOCK},
	{"__percpu_down_read", KERNEL_LOCK},
	{"percpu_down_write", KERNEL_LOCK},
	{"exc_page_fault", KERNEL_FAULT},
	{"asm_exc_page_fault", KERNEL_FAULT},
	{"do_user_addr_fault", KERNEL_FAULT},
	{"do_page_fault", KERNEL_FAULT},
	{"el0_da", KERNEL_FAULT}, /* arm64's: of data, and of instructions */
	{"el0_ia", KERNEL_FAULT},
	{"lock_mm_and_find_vma", KERNEL_FAULT},
	{"handle_mm_fault", KERNEL_FAULT},
	{"handle_userfault", KERNEL_USERFAULT},
	{"mem_cgroup_handle_over_high", KERNEL_MEMORY_HIGH},
	{"__mem_cgroup_handle_over_high", KERNEL_MEMORY_HIGH},
	{"mem_cgroup_oom_synchronize", KERNEL_OOM},
	{"try_to_free_mem_cgroup_pages", KERNEL_CGROUP_RECLAIM},
	{"try_to_free_pages", KERNEL_RECLAIM},
	{"do_coredump", KERNEL_COREDUMP},
	{"vfs_coredump", KERNEL_COREDUMP},
	{"coredump_task_exit", KERNEL_COREDUMP},
	{"wait_for_vfork_done", KERNEL_VFORK},
	{"do_freezer_trap", KERNEL_FROZEN},
	{"__refrigerator", KERNEL_FROZEN},
	{"wait_for_partner", KERNEL_FIFO},
	{"fifo_open", KERNEL_FIFO},
	{"process_one_work", KERNEL_WORK},
	{"do_exit", KERNEL_EXIT},
	{"do_group_exit", KERNEL_EXIT},
	{"schedule*", KERNEL_SCHEDULER},
	{"__schedule*", KERNEL_SCHEDULER},
	{"wait_for_completion*", KERNEL_SCHEDULER},
	{"__wait_for_common", KERNEL_SCHEDULER},
};

bool kernel_function_is(const char *function, const char *pattern)
{
	while (*pattern && *pattern == *function) {
		pattern++;
		function++;
	}
	return *pattern == '*' || (!*pattern && (!*function || *function == '.'));
}

static uint64_t function_traits(const char *function)
{
	uint64_t traits = 0;

	for (size_t i = 0; function && i < array_length(functions); i++) {
		if (kernel_function_is(function, functions[i].function))
			traits |= functions[i].traits;
	}
	return traits;
}

/*
 * What is below a lock, a page fault or the like waits for that, not for its storage: a write(2) to
 * NFS from memory that has to be read from a disk first.
 */
uint64_t kernel_traits(struct waits *waits, const struct thread *thread)
{
	static const uint64_t needed_first = KERNEL_LOCK | KERNEL_FAULT | KERNEL_ASIDE |
					     KERNEL_MEMORY_HIGH | KERNEL_OOM |
					     KERNEL_CGROUP_RECLAIM | KERNEL_RECLAIM;
	static const uint64_t storage =
		KERNEL_DISK | KERNEL_THROTTLED | KERNEL_NFS | KERNEL_SMB | KERNEL_FUSE;
	const struct kernel_stack *stack = thread->kernel_stack;

	if (!stack)
		return function_traits(thread->wchan);
	size_t slot = stack_slot(stack);
	if (waits->cache[slot].stack != stack) {
		uint64_t traits = 0;

		for (size_t i = 0; i < stack->count; i++) {
			uint64_t more = function_traits(stack->frames[i].symbol);

			if (traits & needed_first)
				more &= ~storage;
			traits |= more;
		}
		waits->cache[slot].stack = stack;
		waits->cache[slot].traits = traits;
	}
	return waits->cache[slot].traits;
}

const char *kernel_function(const struct thread *thread, uint64_t traits)
{
	const struct kernel_stack *stack = thread->kernel_stack;

	for (size_t i = 0; stack && i < stack->count; i++) {
		const char *function = stack->frames[i].symbol;

		if (function && !(function_traits(function) & traits))
			return function;
	}
	return stack && stack->count ? NULL : thread->wchan;
}

static bool explain_coredump(struct waiting *waiting)
{
	if (!(waiting->kernel & KERNEL_COREDUMP))
		return false;
	say(waiting, "waits for the core dump of its process to be written");
	return true;
}

/*
 * The child runs in the memory of its parent, which is all that tells it from others; the parent
 * has got no child since.
 */
static void add_vfork_child(struct waiting *waiting)
{
	struct surroundings *surroundings = waiting->process->surroundings;

	if (!surroundings)
		return;
	struct parties child = surroundings->vfork_child(
		surroundings, waiting->process->pid, waiting->thread->tid);
	add_parties(waiting, &child, "the child");
}

/*
 * The parent in vfork() rests in wait_for_vfork_done(), which gcc puts into kernel_clone()
 * (kernel/fork.c); that waits for nothing else.
 */
static bool explain_vfork(struct waiting *waiting)
{
	const struct syscall_row *row = waiting->call->row;

	if (!(waiting->kernel & KERNEL_VFORK)) {
		if (!row || row->class != CALL_CLONE)
			return false;
		const char *function = kernel_function(waiting->thread, KERNEL_SCHEDULER);
		if (!function || !kernel_function_is(function, "kernel_clone"))
			return false;
	}
	say(waiting, "waits for its vfork child to exec or end");
	add_vfork_child(waiting);
	return true;
}

static bool explain_frozen(struct waiting *waiting)
{
	if (!(waiting->kernel & KERNEL_FROZEN))
		return false;
	say(waiting, "is frozen by its cgroup");
	return true;
}

void say_purpose(struct waiting *waiting)
{
	if (waiting->kernel & KERNEL_FAULT) {
		say(waiting, ": a page fault");
	} else if (waiting->call->name) {
		say(waiting, ": ");
		say_call(waiting);
	}
}

/* Who has it. Readers come and go without account: of them, and of a semaphore, the kernel knows
 * the last one that got it. */
static void add_kernel_lock_owner(struct waiting *waiting)
{
	const struct kernel_lock *lock = &waiting->thread->kernel_lock;
	bool is_last = lock->kind == KERNEL_LOCK_SEMAPHORE || lock->is_read;

	if (!lock->pid || !lock->tid)
		return;
	struct holder *holder = add_holder(waiting, is_last ? SURE_MAY : SURE_OWNS, lock->pid,
		lock->tid, is_last ? "was the last to get the lock" : "holds the lock");
	if (holder)
		holder->uncertain = is_last;
	if (!is_last)
		holders_are_all(waiting);
}

static bool explain_kernel_lock(struct waiting *waiting)
{
	static const char *const words[] = {
		[KERNEL_LOCK_NONE] = "a lock",
		[KERNEL_LOCK_MUTEX] = "a mutex",
		[KERNEL_LOCK_SEMAPHORE] = "a semaphore",
		[KERNEL_LOCK_READ] = "a read-write lock, to read",
		[KERNEL_LOCK_WRITE] = "a read-write lock, to write",
	};
	const struct kernel_lock *lock = &waiting->thread->kernel_lock;

	if (waiting->thread->state != 'D' || !(lock->kind || waiting->kernel & KERNEL_LOCK))
		return false;
	const char *function = kernel_function(waiting->thread, KERNEL_LOCK | KERNEL_SCHEDULER);
	say(waiting, "waits for %s%s in the kernel", words[lock->kind],
		lock->kind > KERNEL_LOCK_SEMAPHORE ? "," : "");
	if (function) {
		say(waiting, ", in ");
		say_escaped(waiting, function);
	}
	say_purpose(waiting);
	add_kernel_lock_owner(waiting);
	return true;
}

static bool explain_exit(struct waiting *waiting)
{
	const struct syscall_row *row = waiting->call->row;

	if (!(waiting->kernel & KERNEL_EXIT) && !(row && row->class == CALL_EXIT))
		return false;
	say(waiting, "is ending");
	return true;
}

/* Kernel threads rest unless they work on an item, or sleep without a way to be interrupted. */
static bool explain_kernel_thread(struct waiting *waiting)
{
	const struct thread *thread = waiting->thread;

	if (!waiting->process->is_kernel)
		return false;
	waiting->idle =
		thread->state == 'I' || (thread->state == 'S' && !(waiting->kernel & KERNEL_WORK));
	if (waiting->idle) {
		say(waiting, "waits for work");
		return true;
	}
	const char *function = kernel_function(thread, KERNEL_SCHEDULER);
	say(waiting, "waits in the kernel");
	if (function) {
		say(waiting, ", in ");
		say_escaped(waiting, function);
	}
	return true;
}

static const struct wait_kind rows[] = {
	{"coredump", false, CALL_OTHER, explain_coredump},
	{"vfork", false, CALL_OTHER, explain_vfork},
	{"frozen", false, CALL_OTHER, explain_frozen},
};

const struct wait_kinds waits_in_kernel = KINDS(rows);

/* Tried after what waits for storage: on the way there locks are taken and tasks end. */
static const struct wait_kind own_rows[] = {
	{"kernel-lock", false, CALL_OTHER, explain_kernel_lock},
	{"exit", false, CALL_OTHER, explain_exit},
	{"kernel", false, CALL_OTHER, explain_kernel_thread},
};

const struct wait_kinds waits_of_kernel = KINDS(own_rows);

/*
 * Where the call is not known, as for a user who may not look, what wchan or the stack shows
 * still names the kind: these functions serve one purpose only.
 */
static const struct {
	const char *function, *word, *sentence;
	bool idle;
} purposes[] = {
	{"ep_poll", "epoll", "waits for the descriptors of an epoll instance", true},
	{"do_epoll_wait", "epoll", "waits for the descriptors of an epoll instance", true},
	{"poll_schedule_timeout", "poll", "waits for descriptors", true},
	{"do_poll", "poll", "waits for descriptors", true},
	{"do_sys_poll", "poll", "waits for descriptors", true},
	{"do_select", "select", "waits for descriptors", true},
	{"futex_wait_queue*", "futex", "waits for a futex", false},
	{"futex_wait", "futex", "waits for a futex", false},
	{"futex_do_wait", "futex", "waits for a futex", false},
	{"hrtimer_nanosleep", "sleep", "sleeps", true},
	{"do_nanosleep", "sleep", "sleeps", true},
	{"do_wait", "child", "waits for a child", true},
	{"inet_csk_accept", "socket-accept", "waits for a client to connect", true},
	{"inet_csk_wait_for_connect", "socket-accept", "waits for a client to connect", true},
	{"sk_wait_data", "socket-receive", "waits for data on a socket", false},
	{"tcp_recvmsg_locked", "socket-receive", "waits for data on a TCP socket", false},
	{"unix_stream_read_generic", "socket-receive", "waits for data on a unix socket", false},
	{"sk_stream_wait_memory", "socket-send", "waits for room to send on a socket", false},
	{"inet_stream_connect", "socket-connect", "waits for a connection to be made", false},
	{"anon_pipe_read", "pipe-read", "waits for data on a pipe", false},
	{"pipe_read", "pipe-read", "waits for data on a pipe", false},
	{"anon_pipe_write", "pipe-write", "waits for room in a pipe", false},
	{"pipe_write", "pipe-write", "waits for room in a pipe", false},
	{"wait_for_partner", "fifo-open", "waits for the other end of a FIFO to be opened", false},
	{"n_tty_read", "tty-read", "waits for input on a terminal", true},
	{"do_sigtimedwait", "signal", "waits for a signal", true},
	{"sigsuspend", "signal", "waits for a signal", true},
	{"do_msgrcv", "message-queue", "waits for a message in a SysV queue", true},
	{"do_msgsnd", "message-queue", "waits for room in a SysV message queue", false},
	{"io_cqring_wait", "io-uring", "waits for completions of an io_uring", true},
	{"read_events", "aio", "waits for asynchronous I/O", false},
	{"eventfd_read", "eventfd-read", "waits for an eventfd to be written", true},
	{"io_wq_worker", "io-uring", "waits for work of an io_uring", true},
	{"io_sq_thread", "io-uring", "waits for work of an io_uring", true},
	{"inotify_read", "inotify-read", "waits for a change to a watched file", true},
};

static bool explain_purpose(struct waiting *waiting, const char *function)
{
	for (size_t i = 0; function && i < array_length(purposes); i++) {
		if (!kernel_function_is(function, purposes[i].function))
			continue;
		waiting->word = purposes[i].word;
		waiting->idle = purposes[i].idle;
		say(waiting, "%s", purposes[i].sentence);
		return true;
	}
	return false;
}

static bool explain_by_function(struct waiting *waiting)
{
	const struct kernel_stack *stack = waiting->thread->kernel_stack;

	if (waiting->call->name)
		return false;
	for (size_t i = 0; stack && i < stack->count; i++) {
		if (explain_purpose(waiting, stack->frames[i].symbol))
			return true;
	}
	if (explain_purpose(waiting, waiting->thread->wchan))
		return true;
	const char *function = kernel_function(waiting->thread, KERNEL_SCHEDULER);
	if (!function)
		return false;
	say(waiting, "waits in the kernel, in ");
	say_escaped(waiting, function);
	return true;
}

/* A call of which nothing more is known. */
static bool explain_call(struct waiting *waiting)
{
	const char *function = kernel_function(waiting->thread, KERNEL_SCHEDULER);

	if (!waiting->call->name)
		return false;
	say(waiting, "waits in ");
	say_call(waiting);
	if (function) {
		say(waiting, " (kernel: ");
		say_escaped(waiting, function);
		say(waiting, ")");
	}
	return true;
}

static bool explain_unknown(struct waiting *waiting)
{
	say(waiting, "waits, for what can't be seen");
	return true;
}

static const struct wait_kind last_rows[] = {
	{"kernel", false, CALL_OTHER, explain_by_function},
	{"syscall", false, CALL_OTHER, explain_call},
	{"unknown", false, CALL_OTHER, explain_unknown},
};

const struct wait_kinds waits_otherwise = KINDS(last_rows);
