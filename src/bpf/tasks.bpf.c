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

struct thread_info {
	__u32 cpu;
} __attribute__((preserve_access_index));

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state; /* `state` before 5.14, which has no light skeletons either */
	int exit_state;
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	int pid, tgid;
	unsigned long nvcsw, nivcsw;
	char comm[TASK_RECORD_COMM];
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

/* A record is larger than a program's stack may be. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct task_record);
} scratch SEC(".maps");

static void read_registers(struct task_record *record, struct task_struct *task)
{
	void *registers = (void *)bpf_task_pt_regs(task);

	/* User registers stand first in pt_regs on both architectures, in the order that user space
	 * knows. */
	bpf_probe_read_kernel(record->registers, sizeof(record->registers), registers);
#if defined(__TARGET_ARCH_arm64)
	record->syscall = BPF_CORE_READ((struct pt_regs *)registers, syscallno);
#endif
}

SEC("iter/task")
int tasks(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	__u32 zero = 0;
	struct task_record *record = bpf_map_lookup_elem(&scratch, &zero);

	if (!task || !record)
		return 0;
	record->pid = task->tgid;
	record->tid = task->pid;
	record->state = task->__state;
	record->exit_state = task->exit_state;
	record->flags = task->flags;
	record->on_cpu = task->on_cpu;
	record->cpu = task->thread_info.cpu;
	record->switches = task->nvcsw + task->nivcsw;
	record->exec_start_ns = task->se.exec_start;
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), task->comm);
	if (task->flags & PF_KTHREAD)
		__builtin_memset(record->registers, 0, sizeof(record->registers));
	else
		read_registers(record, task);

	long stack_size = bpf_get_task_stack(task, record->frames, sizeof(record->frames), 0);
	if (stack_size < 0)
		stack_size = 0;
	__u64 size = __builtin_offsetof(struct task_record, frames) + (__u64)stack_size;
	/*
	 * The bound must stand on the register that is handed on: 6.1's verifier does not carry it
	 * over from another one that clang may derive.
	 */
	barrier_var(size);
	if (size > sizeof(*record))
		return 0;
	record->size = (__u32)size;
	bpf_seq_write(context->meta->seq, record, (__u32)size);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
