/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) OR Apache-2.0 */
/* What the task iterator is asked, and what it writes: shared with collect/task_iterator.c. */
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

/* The letters of /proc/PID/stat (fs/proc/array.c, task_state_array), by a record's state. */
#define TASK_STATE_LETTERS "RSDTtXZPI"

/* Which tasks of those that are walked are written of, and how much. */
struct task_filter {
	__u32 first_process, last_process;
	__u32 thread; /* 0: all */
	__u32 states; /* 1 << state for each that is wanted */
	__u32 no_kernel_threads;
	__u32 brief; /* of each a struct task_mark alone */
};

/*
 * Who a task is, and whether it ran: two marks with the same values prove that it did not in
 * between, if it was on no CPU at either time.
 */
struct task_mark {
	__u32 pid, tid;
	__u32 on_cpu;
	__u32 state;         /* an index of TASK_STATE_LETTERS */
	__u64 start_ns;      /* CLOCK_BOOTTIME: another task that has the same id has another */
	__u64 switches;      /* voluntary and not: it changes whenever the task has run */
	__u64 exec_start_ns; /* when it was last charged for running, by its CPU's own clock */
};

/*
 * The lock of the kernel's that a task sleeps for uninterruptibly, where the kernel keeps account
 * of it (task_struct.blocker, Linux 6.16 and later with CONFIG_DETECT_HUNG_TASK_BLOCKER).
 */
enum task_blocker_kind {
	TASK_BLOCKER_NONE,
	TASK_BLOCKER_MUTEX,
	TASK_BLOCKER_SEMAPHORE,
	TASK_BLOCKER_READ,  /* a read-write semaphore, to read */
	TASK_BLOCKER_WRITE, /* the same, to write */
};

struct task_blocker {
	__u32 kind;
	__u32 pid, tid; /* who has it; of a semaphore who got it last. 0: not known */
	__u32 is_read;  /* it is had by readers, of which this was the last to come */
};

struct task_record {
	__u32 size;  /* of this record, in bytes: the next one begins there */
	__u32 flags; /* PF_…, include/linux/sched.h */
	__u32 cpu;
	/* Of a main thread, as the status of its process has them: */
	__u32 uid;           /* effective */
	__u32 tracer;        /* 0: none */
	__u32 namespace_pid; /* its id in the innermost pid namespace; 0: it has none any more */
	struct task_mark mark;
	struct task_blocker blocker;
	__s64 syscall;        /* aarch64: the number; x86-64 has it among the registers */
	__u64 thread_pointer; /* x86-64: FS's base, aarch64: TPIDR_EL0 */
	__u64 registers[TASK_RECORD_REGISTERS]; /* in user mode; zero for kernel threads */
	char comm[TASK_RECORD_COMM];
	__u64 frames[TASK_RECORD_FRAMES]; /* the kernel stack, innermost first, as far as `size`
					     says */
};

/* What a walk met, whatever the filter. */
struct task_walked {
	__u32 tasks;
	__u32 threads; /* that the process of the last one has */
};
