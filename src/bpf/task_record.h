/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) OR Apache-2.0 */
/* What the task iterator writes for each thread: read by collect/task_iterator.c. */
#pragma once

#include <linux/types.h>

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#define TASK_RECORD_REGISTERS 21 /* struct pt_regs, arch/x86/include/asm/ptrace.h */
#elif defined(__aarch64__) || defined(__TARGET_ARCH_arm64)
#define TASK_RECORD_REGISTERS 34 /* struct user_pt_regs: x0 to x30, sp, pc, pstate */
#else
#error "no register layout for this architecture"
#endif

#define TASK_RECORD_COMM 16
#define TASK_RECORD_FRAMES 64

struct task_record {
	__u32 size; /* of this record, in bytes: the next one begins there */
	__u32 pid, tid;
	__u32 state, exit_state; /* include/linux/sched.h */
	__u32 flags;             /* PF_… */
	__u32 on_cpu;
	__u32 cpu;
	__u64 switches;      /* voluntary and not: it changes whenever the thread has run */
	__u64 exec_start_ns; /* when it was last charged for running, by its CPU's own clock */
	__s64 syscall;       /* aarch64: the number; x86-64 has it among the registers */
	__u64 registers[TASK_RECORD_REGISTERS]; /* in user mode; zero for kernel threads */
	char comm[TASK_RECORD_COMM];
	__u64 frames[TASK_RECORD_FRAMES]; /* the kernel stack, innermost first, as far as `size`
					     says */
};
