// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "collect/hidepid.h"
#include "collect/kernel_stack.h"
#include "collect/maps.h"
#include "collect/proc.h"

#define STAT_REST                                                                                  \
	" S 17 3 3 0 -1 4194624 0 0 0 0 5 6 0 0 20 0 9 0 126427 3133440 379 184467 4096 "          \
	"8192 140724832744400 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

static bool parse_stat(const char *text, struct proc_stat *stat)
{
	return proc_parse_stat(text, strlen(text), stat);
}

static void stat_of_a_plain_task(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_true(parse_stat("42 (cat)" STAT_REST, &stat));
	assert_int_equal(stat.pid, 42);
	assert_string_equal(stat.comm, "cat");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 17);
	assert_int_equal(stat.flags, 4194624);
	assert_int_equal(stat.start_ticks, 126427);
	assert_int_equal(stat.start_code, 4096);
	assert_int_equal(stat.start_stack, 140724832744400);
	assert_int_equal(stat.cpu, 1);
}

static void stat_with_a_name_made_to_mislead(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_true(parse_stat("42 (a) R 1 (b))" STAT_REST, &stat));
	assert_string_equal(stat.comm, "a) R 1 (b)");
	assert_int_equal(stat.state, 'S');
	assert_true(parse_stat("42 (a\\nb\\\\n\x1b[1m)" STAT_REST, &stat));
	assert_string_equal(stat.comm, "a\nb\\n\x1b[1m");
	assert_true(parse_stat("42 ()" STAT_REST, &stat));
	assert_string_equal(stat.comm, "");
	assert_true(parse_stat("42 (ends in \\)" STAT_REST, &stat));
	assert_string_equal(stat.comm, "ends in \\");
}

static void stat_that_is_cut_off_or_absurd(void **state)
{
	static const char whole[] = "42 (cat)" STAT_REST;
	struct proc_stat stat;

	(void)state;
	/* CPU is the 39th field; what follows it is not needed. */
	for (size_t length = 0; length < strlen(whole) - 30; length++)
		assert_false(proc_parse_stat(whole, length, &stat));
	assert_false(parse_stat("99999999999 (cat)" STAT_REST, &stat));
	assert_false(parse_stat("(cat)" STAT_REST, &stat));
	assert_false(parse_stat(")42 (cat", &stat));
}

static void status_names_ids_of_namespaces(void **state)
{
	static const char text[] = "Name:\tTracerPid:\t7\nTgid:\t42\nPid:\t43\nTracerPid:\t99\n"
				   "Uid:\t1\t1000\t1\t1\nNSpid:\t42\t17\t3\n";
	struct proc_status status;

	(void)state;
	assert_true(proc_parse_status(text, strlen(text), &status));
	assert_int_equal(status.process, 42);
	assert_int_equal(status.tracer, 99);
	assert_int_equal(status.uid, 1000);
	assert_int_equal(status.namespace_pid, 3);
	assert_false(proc_parse_status("Pid:\t3\n", 7, &status));
}

static bool parse_syscall(const char *text, struct proc_syscall *syscall)
{
	return proc_parse_syscall(text, strlen(text), syscall);
}

static void syscall_of_a_blocked_task(void **state)
{
	struct proc_syscall syscall;

	(void)state;
	assert_true(parse_syscall("0 0x3 0x7fdb5c923000 0x20000 0x22 0xffffffffffffffff 0x0 "
				  "0x7ffd0daab128 0x7fdb5ca9d2ad\n",
		&syscall));
	assert_true(syscall.entry.known && syscall.entry.in_syscall && !syscall.running);
	assert_int_equal(syscall.entry.number, 0);
	assert_int_equal(syscall.entry.arguments[1], 0x7fdb5c923000);
	assert_int_equal(syscall.entry.arguments[4], UINT64_MAX);
	assert_int_equal(syscall.sp, 0x7ffd0daab128);
	assert_int_equal(syscall.pc, 0x7fdb5ca9d2ad);
}

static void syscall_of_a_task_outside_of_one(void **state)
{
	struct proc_syscall syscall;

	(void)state;
	assert_true(parse_syscall("running\n", &syscall));
	assert_true(syscall.running && !syscall.entry.known);
	assert_true(parse_syscall("-1 0x7ffd0daab128 0x401000\n", &syscall));
	assert_true(syscall.entry.known && !syscall.entry.in_syscall && !syscall.running);
	assert_int_equal(syscall.pc, 0x401000);
}

static void syscall_that_makes_no_sense(void **state)
{
	struct proc_syscall syscall;

	(void)state;
	assert_false(parse_syscall("", &syscall));
	assert_false(parse_syscall("0 0x3 0x7fdb5c923000\n", &syscall));
	assert_false(
		parse_syscall("0 0x3 0x1ffffffffffffffff 0x0 0x0 0x0 0x0 0x0 0x0\n", &syscall));
	assert_false(parse_syscall("-1 0x1", &syscall));
	assert_false(parse_syscall("99999999999999999999 0x1", &syscall));
}

static int64_t exec_start(const char *text)
{
	int64_t ns;

	return proc_parse_exec_start(text, strlen(text), &ns) ? ns : -1;
}

static void exec_start_in_nanoseconds(void **state)
{
	(void)state;
	assert_int_equal(exec_start("cat (6824, #threads: 1)\n-----\n"
				    "se.exec_start                  :       1264208.404487\n"
				    "se.vruntime                    :            84.491518\n"),
		1264208404487);
	assert_int_equal(exec_start("cat (1, #threads: 1)\nse.vruntime : 84.491518\n"), -1);
	assert_int_equal(exec_start("se.exec_start : 99999999999999999999.000000\n"), -1);
	assert_int_equal(exec_start("se.exec_start : 1.5\n"), -1);
}

/* The name stands raw in the first line, and is 15 bytes at most. */
static void exec_start_forged_by_a_name(void **state)
{
	(void)state;
	assert_int_equal(exec_start("\nse.exec_start: (6824, #threads: 1)\n---\n"
				    "se.exec_start      :       7.000001\n"),
		7000001);
}

static void command_lines(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	const char **arguments;

	(void)state;
	assert_int_equal(proc_parse_cmdline("a\0b c\0", 6, arena, &arguments), 2);
	assert_string_equal(arguments[0], "a");
	assert_string_equal(arguments[1], "b c");
	assert_int_equal(proc_parse_cmdline("a\0\0", 3, arena, &arguments), 2);
	assert_string_equal(arguments[1], "");
	assert_int_equal(proc_parse_cmdline("cut", 3, arena, &arguments), 1);
	assert_string_equal(arguments[0], "cut");
	assert_int_equal(proc_parse_cmdline("", 0, arena, &arguments), 0);
	assert_int_equal(proc_parse_cmdline("\0\0\0\0", 4, arena, &arguments), 0);
	/* nginx writes its title over arguments and environment. */
	assert_int_equal(proc_parse_cmdline("nginx: worker\0\0\0\0\0\0", 19, arena, &arguments), 1);
	assert_string_equal(arguments[0], "nginx: worker");
}

static void limits_by_columns(void **state)
{
	static const char text[] =
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max cpu time              unlimited            unlimited            seconds   \n"
		"Max open files            1024                 18446744073709551614 files     \n"
		"Max nice priority         0                    0                    \n"
		"cut\n";
	struct arena *arena cleanup_arena = arena_create();
	struct process_limit *limits;

	(void)state;
	assert_int_equal(proc_parse_limits(text, strlen(text), arena, &limits), 3);
	assert_string_equal(limits[0].name, "Max cpu time");
	assert_string_equal(limits[0].unit, "seconds");
	assert_string_equal(limits[1].soft, "1024");
	assert_string_equal(limits[1].hard, "18446744073709551614");
	assert_string_equal(limits[2].unit, "");
	assert_int_equal(proc_parse_limits("", 0, arena, &limits), 0);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *container(struct arena *arena, const char *cgroup)
{
	return proc_parse_container(cgroup, strlen(cgroup), arena);
}

static void containers(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	static const char *const with_id[] = {
		"0::/system.slice/docker-" ID ".scope\n",
		"12:cpu:/\n11:memory:/docker/" ID "\n",
		"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_3.slice/"
		"cri-containerd-" ID ".scope",
		"1:name=systemd:/kubepods/besteffort/pod8c7e/" ID "\n",
		"0::/machine.slice/libpod-" ID ".scope/container\n",
		"0::/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(with_id) / sizeof(with_id[0]); i++)
		assert_string_equal(container(arena, with_id[i]), ID);
	assert_string_equal(container(arena, "0::/lxc.payload.web/init.scope\n"), "web");
	assert_string_equal(container(arena, "3:pids:/lxc/web/system.slice\n"), "web");
	assert_null(container(arena, "0::/user.slice/user-1000.slice/session-2.scope\n"));
	assert_null(container(arena, "0::/\n"));
	assert_null(container(arena, "0::/x" ID "\n"));
	assert_null(container(arena, "::::\n\n:\n"));
}

static void mappings_of_all_kinds(void **state)
{
	static const char text[] =
		"5559616fb000-5559616fd000 r--p 00001000 fe:02 247134      /usr/bin/cat\n"
		"5559616fd000-555961702000 r-xp 00002000 fe:02 247134      /usr/bin/cat\n"
		"7f0000000000-7f0000001000 rw-s 00000000 00:01 5           /memfd:a b (deleted)\n"
		"7f0000001000-7f0000002000 r--p 00000000 fe:00 9           /x\\012y (deleted)\n"
		"7f0000003000-7f0000004000 rw-p 00000000 00:00 0 \n"
		"7ffd0da8d000-7ffd0daae000 rw-p 00000000 00:00 0           [stack]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]";
	struct arena *arena cleanup_arena = arena_create();
	struct mappings mappings = maps_parse(text, strlen(text), arena);

	(void)state;
	assert_int_equal(mappings.count, 7);
	assert_int_equal(mappings.items[0].offset, 0x1000);
	assert_int_equal(mappings.items[0].device, makedev(0xfe, 2));
	assert_int_equal(mappings.items[0].inode, 247134);
	assert_true(mappings.items[1].executable && !mappings.items[1].writable);
	assert_ptr_equal(mappings.items[0].path, mappings.items[1].path);
	assert_true(mappings.items[2].shared && mappings.items[2].deleted);
	assert_string_equal(mappings.items[2].path, "/memfd:a b");
	assert_string_equal(mappings.items[3].path, "/x\ny");
	assert_string_equal(mappings.items[4].path, "");
	assert_string_equal(mappings.items[5].path, "[stack]");
	assert_ptr_equal(mappings_find(&mappings, 0x7ffd0da8d000), &mappings.items[5]);
	assert_null(mappings_find(&mappings, 0x7f0000002000));
}

static void mappings_that_make_no_sense(void **state)
{
	static const char text[] = "2000-3000 r--p 00000000 00:00 0 a\n"
				   "1000-2000 r--p 00000000 00:00 0 below\n"
				   "2800-4000 r--p 00000000 00:00 0 overlaps\n"
				   "5000-5000 r--p 00000000 00:00 0 empty\n"
				   "7000-6000 r--p 00000000 00:00 0 backwards\n"
				   "10000000000000000-20000000000000000 r--p 0 00:00 0 huge\n"
				   "nonsense\n\n"
				   "8000-9000 r-\n"
				   "8000-9000 r--p 00000000 00:00 0 b";
	struct arena *arena cleanup_arena = arena_create();
	struct mappings mappings = maps_parse(text, strlen(text), arena);

	(void)state;
	assert_int_equal(mappings.count, 2);
	assert_string_equal(mappings.items[0].path, "a");
	assert_string_equal(mappings.items[1].path, "b");
}

static void kernel_frames(void **state)
{
	static const char text[] = "[<0>] inet_csk_accept+0x246/0x380\n"
				   "[<0>] nfs_wait_bit_killable+0x1f/0x80 [nfs]\n"
				   "[<0>] 0xffffffffc0001234\n"
				   "[<ffffffff81234567>] do_sys_poll+0x1/0x2\n"
				   "garbage\n"
				   "[<0>] bare\n";
	struct arena *arena cleanup_arena = arena_create();
	struct kernel_stack *stack = kernel_stack_parse(text, strlen(text), arena);

	(void)state;
	assert_int_equal(stack->count, 5);
	assert_string_equal(stack->frames[0].symbol, "inet_csk_accept");
	assert_int_equal(stack->frames[0].offset, 0x246);
	assert_int_equal(stack->frames[0].size, 0x380);
	assert_null(stack->frames[0].module);
	assert_string_equal(stack->frames[1].module, "nfs");
	assert_null(stack->frames[2].symbol);
	assert_int_equal(stack->frames[2].address, 0xffffffffc0001234);
	assert_int_equal(stack->frames[3].address, 0xffffffff81234567);
	assert_string_equal(stack->frames[4].symbol, "bare");
}

static void the_switch_to_another_task_is_no_frame(void **state)
{
	static const char text[] = "[<0>] __switch_to+0xc0/0x120\n"
				   "[<0>] do_sys_poll+0x3a0/0x5c4\n"
				   "[<0>] __switch_to+0xc0/0x120\n";
	struct arena *arena cleanup_arena = arena_create();
	struct kernel_stack *stack = kernel_stack_parse(text, strlen(text), arena);

	(void)state;
	assert_int_equal(stack->count, 2);
	assert_string_equal(stack->frames[0].symbol, "do_sys_poll");
	assert_string_equal(stack->frames[1].symbol, "__switch_to");
}

static void addresses_are_paired_by_their_number(void **state)
{
	static const char text[] = "[<0>] a+0x1/0x2\n[<0>] b+0x3/0x4\n";
	static const __u64 addresses[] = {
		0xffffffff81000001, 0xffffffff82000003, 0xffffffff83000000};
	struct arena *arena cleanup_arena = arena_create();
	struct kernel_stack *stack = kernel_stack_parse(text, strlen(text), arena);
	struct kernel_stack *paired = kernel_stack_with_addresses(stack, addresses, 2, arena);
	struct kernel_stack *unpaired = kernel_stack_with_addresses(stack, addresses, 3, arena);

	(void)state;
	assert_int_equal(paired->count, 2);
	assert_string_equal(paired->frames[1].symbol, "b");
	assert_int_equal(paired->frames[0].address, addresses[0]);
	assert_int_equal(paired->frames[1].address, addresses[1]);
	assert_int_equal(unpaired->count, 2);
	assert_string_equal(unpaired->frames[1].symbol, "b");
	assert_int_equal(unpaired->frames[1].address, 0);
	assert_int_equal(stack->frames[0].address, 0);
}

static void equal_kernel_stacks_are_one(void **state)
{
	struct arena *arena cleanup_arena = arena_create();
	struct kernel_stacks *stacks = kernel_stacks_create(arena);
	char one[] = "[<0>] a+0x1/0x2\n", two[] = "[<0>] a+0x1/0x3\n";

	(void)state;
	struct kernel_stack *first = kernel_stacks_find(stacks, one, strlen(one));
	struct kernel_stack *other = kernel_stacks_find(stacks, two, strlen(two));
	/* The text is the reader's buffer and is overwritten. */
	memcpy(two, one, sizeof(one));
	assert_ptr_equal(kernel_stacks_find(stacks, two, strlen(two)), first);
	assert_ptr_not_equal(first, other);
	assert_int_equal(kernel_stacks_find(stacks, "", 0)->count, 0);
	kernel_stacks_destroy(stacks);
}

static bool hides(const char *mountinfo)
{
	return hidepid_parse(mountinfo, strlen(mountinfo));
}

static void hidepid_of_a_mount(void **state)
{
	(void)state;
	assert_true(hides("22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=2\n"));
	assert_true(
		hides("22 27 0:21 / /proc rw shared:5 - proc proc rw,gid=4,hidepid=invisible\n"));
	assert_false(hides("22 27 0:21 / /proc rw,relatime - proc proc rw\n"));
	assert_false(hides("22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=off\n"));
	assert_false(hides("22 27 0:21 / /srv/proc rw - proc proc rw,hidepid=2\n"));
	assert_false(hides("22 27 0:21 / /proc rw - proc proc rw,hidepid=2\n"
			   "23 22 0:22 / /proc rw - proc proc rw\n"));
	assert_false(hides("22 27 0:21 / /proc\n - \n\nhidepid=2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_of_a_plain_task),
		cmocka_unit_test(stat_with_a_name_made_to_mislead),
		cmocka_unit_test(stat_that_is_cut_off_or_absurd),
		cmocka_unit_test(status_names_ids_of_namespaces),
		cmocka_unit_test(syscall_of_a_blocked_task),
		cmocka_unit_test(syscall_of_a_task_outside_of_one),
		cmocka_unit_test(syscall_that_makes_no_sense),
		cmocka_unit_test(exec_start_in_nanoseconds),
		cmocka_unit_test(exec_start_forged_by_a_name),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(limits_by_columns),
		cmocka_unit_test(containers),
		cmocka_unit_test(mappings_of_all_kinds),
		cmocka_unit_test(mappings_that_make_no_sense),
		cmocka_unit_test(kernel_frames),
		cmocka_unit_test(the_switch_to_another_task_is_no_frame),
		cmocka_unit_test(addresses_are_paired_by_their_number),
		cmocka_unit_test(equal_kernel_stacks_are_one),
		cmocka_unit_test(hidepid_of_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
