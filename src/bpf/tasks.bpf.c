// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * A record for each thread: what the scheduler knows of it, its user registers and its
 * raw kernel stack. It only reads: nothing is stopped, and no task is written to.
 *
 * The kernel's structs are declared with the few members that are used; CO-RE finds where
 * they are on the kernel at hand.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/task_record.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

struct sched_entity {
	__u64 exec_start;
} __attribute__((preserve_access_index));

struct signal_struct {
	int nr_threads;
} __attribute__((preserve_access_index));

struct cred {
	struct {
		__u32 val;
	} euid;
} __attribute__((preserve_access_index));

struct upid {
	int nr;
} __attribute__((preserve_access_index));

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __attribute__((preserve_access_index));

struct thread_info {
	__u32 cpu;
} __attribute__((preserve_access_index));

#if defined(__TARGET_ARCH_arm64)
struct thread_struct {
	struct {
		unsigned long tp_value;
	} uw;
} __attribute__((preserve_access_index));
#define THREAD_POINTER(task) ((task)->thread.uw.tp_value)
#else
struct thread_struct {
	unsigned long fsbase;
} __attribute__((preserve_access_index));
#define THREAD_POINTER(task) ((task)->thread.fsbase)
#endif

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state; /* `state` before 5.14, which has no light skeletons either */
	int exit_state;
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	int pid, tgid;
	unsigned int ptrace;
	struct task_struct *parent;
	struct cred *real_cred;
	struct pid *thread_pid;
	unsigned long nvcsw, nivcsw;
	__u64 start_boottime;
	struct signal_struct *signal;
	char comm[TASK_RECORD_COMM];
	struct thread_struct thread;
} __attribute__((preserve_access_index));

/* Where the kernel has the field: include/linux/sched.h. */
struct task_struct___blocker {
	unsigned long blocker;
} __attribute__((preserve_access_index));

struct counter {
	long counter;
} __attribute__((preserve_access_index));

struct mutex {
	struct counter owner;
} __attribute__((preserve_access_index));

struct rw_semaphore {
	struct counter owner;
} __attribute__((preserve_access_index));

struct semaphore {
	unsigned long last_holder;
} __attribute__((preserve_access_index));

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

#if defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 user_regs[TASK_RECORD_REGISTERS];
	__s32 syscallno;
} __attribute__((preserve_access_index));
#endif

/* Of the one walk that is under way: the program is used by a single thread of its loader. */
struct task_filter filter;
struct task_walked walked;
static struct task_record record; /* larger than a program's stack may be */

/* As task_state_index() has it, include/linux/sched.h. */
static __u32 state_of(struct task_struct *task)
{
	enum {
		REPORTED = 0x7f,
		UNINTERRUPTIBLE = 0x2,
		IDLE = 0x402,
		RTLOCK = 0x1000,
		FROZEN = 0x8000,
		IDLE_INDEX = 8
	};
	__u32 scheduler = task->__state, state = (scheduler | (__u32)task->exit_state) & REPORTED;
	__u32 index = 0;

	if ((scheduler & IDLE) == IDLE)
		return IDLE_INDEX;
	if (scheduler & (RTLOCK | FROZEN))
		state = UNINTERRUPTIBLE;
#pragma unroll
	for (int bit = 0; bit < 7; bit++) {
		if (state >> bit & 1)
			index = bit + 1;
	}
	return index;
}

static void read_mark(struct task_mark *mark, struct task_struct *task)
{
	mark->pid = task->tgid;
	mark->tid = task->pid;
	mark->on_cpu = task->on_cpu;
	mark->state = state_of(task);
	mark->start_ns = task->start_boottime;
	mark->switches = task->nvcsw + task->nivcsw;
	mark->exec_start_ns = task->se.exec_start;
}

static void read_registers(struct task_struct *task)
{
	void *registers = (void *)bpf_task_pt_regs(task);

	/* User registers stand first in pt_regs on both architectures, in the order that user space
	 * knows. */
	bpf_probe_read_kernel(record.registers, sizeof(record.registers), registers);
#if defined(__TARGET_ARCH_arm64)
	record.syscall = BPF_CORE_READ((struct pt_regs *)registers, syscallno);
#endif
}

/*
 * The lock's address with its type in two bits (include/linux/hung_task.h); the owner's task with
 * flags below it (kernel/locking/mutex.c, rwsem.c).
 */
static void read_blocker(struct task_struct *task)
{
	enum { TYPE = 3, MUTEX = 0, SEMAPHORE = 1, READ = 2, MUTEX_FLAGS = 7, RWSEM_FLAGS = 3 };
	struct task_struct___blocker *with_blocker = (struct task_struct___blocker *)task;
	struct task_blocker *blocker = &record.blocker;
	unsigned long owner;

	__builtin_memset(blocker, 0, sizeof(*blocker));
	if (!bpf_core_field_exists(with_blocker->blocker))
		return;
	unsigned long lock = BPF_CORE_READ(with_blocker, blocker);
	if (!lock)
		return;
	__u32 type = lock & TYPE;
	lock &= ~(unsigned long)TYPE;
	blocker->kind = type + TASK_BLOCKER_MUTEX;
	if (type == MUTEX) {
		owner = (unsigned long)BPF_CORE_READ((struct mutex *)lock, owner.counter) &
			~(unsigned long)MUTEX_FLAGS;
	} else if (type == SEMAPHORE) {
		owner = BPF_CORE_READ((struct semaphore *)lock, last_holder);
	} else {
		owner = (unsigned long)BPF_CORE_READ((struct rw_semaphore *)lock, owner.counter);
		blocker->is_read = owner & 1; /* RWSEM_READER_OWNED */
		owner &= ~(unsigned long)RWSEM_FLAGS;
	}
	if (!owner)
		return;
	blocker->pid = BPF_CORE_READ((struct task_struct *)owner, tgid);
	blocker->tid = BPF_CORE_READ((struct task_struct *)owner, pid);
}

/* What fs/proc/array.c, proc_pid_status() tells of it. */
static void read_status(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	unsigned int level = BPF_CORE_READ(pid, level);
	int number = 0;

	bpf_probe_read_kernel(&number, sizeof(number),
		(void *)pid + bpf_core_field_offset(struct pid, numbers) +
			(__u64)level * bpf_core_type_size(struct upid) +
			bpf_core_field_offset(struct upid, nr));
	record.namespace_pid = number;
	record.uid = BPF_CORE_READ(task, real_cred, euid.val);
	record.tracer = task->ptrace ? BPF_CORE_READ(task, parent, pid) : 0;
}

SEC("iter/task")
int tasks(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct task_mark *mark = &record.mark;

	if (!task)
		return 0;
	walked.tasks++;
	walked.threads = task->signal->nr_threads;
	__u32 process = task->tgid;
	if (process < filter.first_process || process > filter.last_process)
		return 0;
	if (filter.thread && filter.thread != (__u32)task->pid)
		return 0;
	if (filter.no_kernel_threads && task->flags & PF_KTHREAD)
		return 0;
	read_mark(mark, task);
	if (!(filter.states >> (mark->state & 31) & 1))
		return 0;
	if (filter.brief) {
		bpf_seq_write(context->meta->seq, mark, sizeof(*mark));
		return 0;
	}
	record.flags = task->flags;
	record.cpu = task->thread_info.cpu;
	record.uid = record.tracer = record.namespace_pid = 0;
	if (task->pid == task->tgid)
		read_status(task);
	record.thread_pointer = THREAD_POINTER(task);
	bpf_probe_read_kernel(record.comm, sizeof(record.comm), task->comm);
	if (task->flags & PF_KTHREAD)
		__builtin_memset(record.registers, 0, sizeof(record.registers));
	else
		read_registers(task);

	read_blocker(task);
	long stack_size = bpf_get_task_stack(task, record.frames, sizeof(record.frames), 0);
	if (stack_size < 0)
		stack_size = 0;
	__u64 size = __builtin_offsetof(struct task_record, frames) + (__u64)stack_size;
	/*
	 * The bound must stand on the register that is handed on: 6.1's verifier does not carry it
	 * over from another one that clang may derive.
	 */
	barrier_var(size);
	if (size > sizeof(record))
		return 0;
	record.size = (__u32)size;
	bpf_seq_write(context->meta->seq, &record, (__u32)size);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
