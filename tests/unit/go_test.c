// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "go_fixture.h"
#include "runtimes/go/build_info.h"
#include "runtimes/go/functions.h"

static int setup(void **state)
{
	*state = fixture_create();
	return 0;
}

static int teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void versions(void **state)
{
	(void)state;
	unsigned minor;
	bool uncertain;

	assert_true(go_version_minor("go1.22.1", &minor));
	assert_int_equal(minor, 22);
	assert_true(go_version_minor("go1.23rc1", &minor));
	assert_int_equal(minor, 23);
	assert_false(go_version_minor("go2", &minor));
	assert_null(go_layout_find(15, &uncertain));
	assert_int_equal(go_layout_find(19, &uncertain)->g.goid, 152);
	assert_false(uncertain);
	assert_int_equal(go_layout_find(99, &uncertain)->minor, GO_LAST_MINOR);
	assert_true(uncertain);
}

static void build_version_inline(void **state)
{
	struct fixture *fixture = *state;
	static const char info[] = "\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x12go1.23.4 X:nothing";

	memcpy(fixture->bytes + AT_BSS, info, sizeof(info));
	assert_string_equal(
		go_build_version(&fixture->memory, at(AT_BSS), fixture->arena), "go1.23.4");
	/* The length says more than there is. */
	fixture->bytes[AT_BSS + 32] = 0xff;
	fixture->bytes[AT_BSS + 33] = 0xff;
	assert_null(go_build_version(&fixture->memory, at(AT_BSS), fixture->arena));
}

static void build_version_by_pointer(void **state)
{
	struct fixture *fixture = *state;

	memcpy(fixture->bytes + AT_BSS, "\xff Go buildinf:\x08\0", 16);
	put64(fixture, AT_BSS + 16, at(AT_BSS + 64));
	put64(fixture, AT_BSS + 64, at(AT_BSS + 80));
	put64(fixture, AT_BSS + 72, 8);
	memcpy(fixture->bytes + AT_BSS + 80, "go1.17.3", 8);
	assert_string_equal(
		go_build_version(&fixture->memory, at(AT_BSS), fixture->arena), "go1.17.3");
}

static void function_of_an_address(void **state)
{
	struct fixture *fixture = *state;
	struct go_function function;
	int32_t size;

	assert_true(fixture_open(fixture));
	const struct go_pclntab *table = &fixture->go.modules[0].table;
	assert_true(go_function_find(table, WORKER_ENTRY + 5, &function, fixture->arena));
	assert_string_equal(function.name, "main.worker");
	assert_int_equal(function.entry, WORKER_ENTRY);
	assert_int_equal(function.end, GOPARK_ENTRY);
	assert_true(go_frame_size(table, &function, WORKER_ENTRY + 5, &size));
	assert_int_equal(size, WORKER_FRAME);
	assert_false(go_function_find(table, TEXT_END, &function, fixture->arena));
	assert_false(go_function_find(table, FIXTURE_TEXT - 1, &function, fixture->arena));
}

static void inlined_calls(void **state)
{
	struct fixture *fixture = *state;
	struct go_function function;
	struct go_call calls[GO_INLINE_MAX];

	assert_true(fixture_open(fixture));
	const struct go_pclntab *table = &fixture->go.modules[0].table;
	assert_true(go_function_find(table, WORKER_ENTRY, &function, fixture->arena));
	assert_int_equal(
		go_calls_find(table, &function, WORKER_ENTRY + 0x50, calls, fixture->arena), 2);
	assert_string_equal(calls[0].name, "main.receive");
	assert_string_equal(calls[0].file, "/src/main.go");
	assert_int_equal(calls[0].line, 42);
	assert_string_equal(calls[1].name, "main.worker");
	assert_int_equal(
		go_calls_find(table, &function, WORKER_ENTRY + 0x30, calls, fixture->arena), 1);
}

/* A tree whose calls stand for each other would never end. */
static void inline_tree_in_a_circle(void **state)
{
	struct fixture *fixture = *state;
	struct go_function function;
	struct go_call calls[GO_INLINE_MAX];

	put32(fixture, AT_TREE + fixture->layout->inlined.parent_pc, 0x50);
	assert_true(fixture_open(fixture));
	const struct go_pclntab *table = &fixture->go.modules[0].table;
	assert_true(go_function_find(table, WORKER_ENTRY, &function, fixture->arena));
	assert_int_equal(
		go_calls_find(table, &function, WORKER_ENTRY + 0x50, calls, fixture->arena),
		GO_INLINE_MAX);
}

static void goroutines_by_rising_id(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fixture_open(fixture));
	assert_int_equal(fixture->go.allgs_count, 2);
	assert_int_equal(fixture->go.machine_count, 1);
	go_goroutines_find(&fixture->go, 64);
	assert_int_equal(fixture->process.goroutine_count, 2);
	const struct goroutine *goroutine = &fixture->process.goroutines[0];
	assert_int_equal(goroutine->id, 6);
	assert_string_equal(goroutine->status, "waiting");
	assert_string_equal(goroutine->wait_reason, "chan receive");
	assert_string_equal(goroutine->start->symbol, "main.worker");
	assert_string_equal(goroutine->creator->symbol, "main.worker");
	assert_int_equal(goroutine->creator_id, 1);
	assert_int_equal(goroutine->wait_ns, -1);
	const struct user_stack *stack = goroutine->stack;
	assert_int_equal(stack->end, STACK_COMPLETE);
	assert_int_equal(stack->frame_count, 4);
	assert_string_equal(stack->frames[0]->symbol, "runtime.gopark");
	assert_true(stack->frames[0]->hidden);
	assert_string_equal(stack->frames[1]->symbol, "main.receive");
	assert_true(stack->frames[1]->inlined);
	assert_string_equal(stack->frames[2]->symbol, "main.worker");
	assert_false(stack->frames[2]->hidden);
	assert_int_equal(stack->frames[2]->offset, 0x50);
	assert_string_equal(stack->frames[3]->symbol, "runtime.goexit");
	/* Both are at the same place. */
	assert_ptr_equal(stack, fixture->process.goroutines[1].stack);
}

static void dead_goroutines_are_left_out(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fixture_open(fixture));
	put32(fixture, AT_G + fixture->layout->g.atomicstatus, GO_DEAD);
	go_goroutines_find(&fixture->go, 64);
	assert_int_equal(fixture->process.goroutine_count, 1);
}

/* Its stack is being moved: nothing of it may be shown. */
static void goroutine_that_never_holds_still(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fixture_open(fixture));
	put32(fixture, AT_G + fixture->layout->g.atomicstatus, GO_WAITING | GO_SCAN);
	go_goroutines_find(&fixture->go, 64);
	assert_int_equal(fixture->process.goroutine_count, 2);
	const struct goroutine *goroutine = &fixture->process.goroutines[1];
	assert_int_equal(goroutine->id, 7);
	assert_null(goroutine->stack);
	assert_non_null(goroutine->gaps.first);
}

static void running_goroutine_of_a_thread_without_registers(void **state)
{
	struct fixture *fixture = *state;

	put32(fixture, AT_G + fixture->layout->g.atomicstatus, GO_RUNNING);
	put64(fixture, AT_G + fixture->layout->g.m, at(AT_M));
	assert_true(fixture_open(fixture));
	go_goroutines_find(&fixture->go, 64);
	const struct goroutine *goroutine = &fixture->process.goroutines[1];
	assert_int_equal(goroutine->tid, 77);
	assert_null(goroutine->stack);
	assert_int_equal(goroutine->gaps.first->stage, STAGE_USER_STACK);
}

static void list_that_is_said_to_be_endless(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fixture_open(fixture));
	put64(fixture, AT_BSS + 8, UINT64_MAX);
	go_goroutines_find(&fixture->go, 64);
	assert_true(fixture->process.goroutine_count >= 2);
	assert_non_null(fixture->process.gaps.first);
}

static void pointer_to_the_end_of_all_addresses(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fixture_open(fixture));
	put64(fixture, AT_ALLGS + 8, UINT64_MAX - 7);
	go_goroutines_find(&fixture->go, 64);
	assert_int_equal(fixture->process.goroutine_count, 1);
}

/* What stands behind a pointer to goroutines may read like a length and a capacity. */
static void slice_that_goes_on_behind_the_list(void **state)
{
	struct fixture *fixture = *state;

	put_slice(fixture, AT_BSS + 0x30, AT_ALLGS, 5);
	assert_true(fixture_open(fixture));
	assert_int_equal(fixture->go.allgs_slice, at(AT_BSS));
	assert_int_equal(fixture->go.allgs_count, 2);
}

static void list_that_no_other_variable_has(void **state)
{
	struct fixture *fixture = *state;

	put64(fixture, AT_BSS + 0x30, 0);
	(void)fixture_open(fixture);
	assert_int_equal(fixture->go.allgs_slice, 0);
}

static void threads_in_a_circle(void **state)
{
	struct fixture *fixture = *state;

	put64(fixture, AT_M + fixture->layout->m.alllink, at(AT_M));
	assert_true(fixture_open(fixture));
	assert_int_equal(fixture->go.machine_count, 1);
}

static void step_of_a_thread(void **state)
{
	struct fixture *fixture = *state;
	struct registers registers = {0};
	struct code_step step = {
		.memory = &fixture->memory, .registers = &registers, .at_instruction = true};

	assert_true(fixture_open(fixture));
	register_set(&registers, arch_native->pc, GOPARK_ENTRY + 0x10);
	register_set(&registers, arch_native->sp, at(AT_STACK + 0x100));
	assert_int_equal(fixture->go.code.step(&fixture->go.code, &step), CODE_STEPPED);
	assert_int_equal(registers.value[arch_native->pc], WORKER_ENTRY + 0x50);
	assert_false(step.at_instruction);
	assert_int_equal(fixture->go.code.step(&fixture->go.code, &step), CODE_STEPPED);
	assert_int_equal(fixture->go.code.step(&fixture->go.code, &step), CODE_OUTERMOST);
	register_set(&registers, arch_native->pc, 0x1234);
	assert_int_equal(fixture->go.code.step(&fixture->go.code, &step), CODE_FOREIGN);
}

static void what_the_traceback_hides(void **state)
{
	(void)state;
	assert_true(go_is_hidden("runtime.gopark", true, 22));
	assert_false(go_is_hidden("runtime.Gosched", true, 22));
	assert_false(go_is_hidden("main.main", true, 22));
	assert_true(go_is_hidden("_cgoexp_0_f", true, 22));
	assert_true(go_is_hidden("runtime.gopanic", true, 22));
	assert_false(go_is_hidden("runtime.gopanic", false, 22));
	assert_true(go_is_hidden("runtime.(*Func).Name", true, 22));
	assert_false(go_is_hidden("runtime.(*Func).Name", true, 23));
	assert_true(go_is_hidden("runtime.(*mheap).Grow", true, 23));
	assert_true(go_is_hidden("runtime.runCleanups", false, 24));
	assert_false(go_is_hidden("runtime.runCleanups", false, 25));
}

static void system_goroutines(void **state)
{
	(void)state;
	assert_true(go_starts_system("runtime.bgsweep"));
	assert_false(go_starts_system("runtime.main"));
	assert_false(go_starts_system("main.main"));
}

static void roles_of_threads(void **state)
{
	(void)state;
	const char *const idle[] = {
		"runtime.futex.abi0", "runtime.notesleep", "runtime.stopm", "runtime.findRunnable"};
	const char *const monitor[] = {"runtime.usleep", "runtime.sysmon", "runtime.mstart1"};
	const char *const foreign[] = {"poll", "main"};

	assert_string_equal(go_thread_role(idle, 4), "idle Go scheduler thread");
	assert_string_equal(go_thread_role(monitor, 3), "Go system monitor");
	assert_null(go_thread_role(foreign, 2));
}

#define fixture_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		fixture_test(build_version_inline),
		fixture_test(build_version_by_pointer),
		fixture_test(function_of_an_address),
		fixture_test(inlined_calls),
		fixture_test(inline_tree_in_a_circle),
		fixture_test(goroutines_by_rising_id),
		fixture_test(dead_goroutines_are_left_out),
		fixture_test(goroutine_that_never_holds_still),
		fixture_test(running_goroutine_of_a_thread_without_registers),
		fixture_test(list_that_is_said_to_be_endless),
		fixture_test(pointer_to_the_end_of_all_addresses),
		fixture_test(slice_that_goes_on_behind_the_list),
		fixture_test(list_that_no_other_variable_has),
		fixture_test(threads_in_a_circle),
		fixture_test(step_of_a_thread),
		cmocka_unit_test(what_the_traceback_hides),
		cmocka_unit_test(system_goroutines),
		cmocka_unit_test(roles_of_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
