// SPDX-License-Identifier: Apache-2.0
/* The driver, on this very process: its own functions, libc's, the vDSO's, and code of nobody's. */
#include "compile_fixture.h"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "collect/maps.h"
#include "symbolize/symbolize.h"
#include "util/file.h"

#define DEPTH 8

static size_t read_own(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)address, length};
	(void)memory;

	ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	return got < 0 ? 0 : (size_t)got;
}

static const struct memory own_memory = {.read = read_own};

/* This process with @threads threads whose stacks the tests fill in. */
struct own_process {
	struct arena *arena;
	struct process process;
	struct images *images;
	struct modules *modules;
};

static void own_process_init(struct own_process *own, size_t threads)
{
	struct text maps cleanup_text = {0};

	*own = (struct own_process){.arena = arena_create()};
	assert_false(failed(file_read(AT_FDCWD, "/proc/self/maps", 1 << 24, &maps)));
	own->process = (struct process){.pid = getpid(),
		.uid = getuid(),
		.thread_count = threads,
		.memory = &own_memory,
		.mappings = maps_parse(maps.bytes, maps.length, own->arena),
		.threads = arena_new(own->arena, struct thread, threads),
		.user_stacks = arena_new(own->arena, struct user_stack *, threads),
		.user_stack_count = threads};
	for (size_t i = 0; i < threads; i++) {
		struct user_stack *stack = arena_new(own->arena, struct user_stack, 1);

		stack->addresses = arena_new(own->arena, struct code_address, DEPTH);
		stack->signal_frame = arena_new(own->arena, bool, DEPTH);
		own->process.threads[i].user_stack = stack;
		own->process.user_stacks[i] = stack;
	}
	own->images = images_create(own->arena);
	own->modules = modules_create(own->images, &own->process, own->arena);
}

static void own_process_deinit(struct own_process *own)
{
	modules_destroy(own->modules);
	images_destroy(own->images);
	arena_destroy(own->arena);
}

static void push(struct own_process *own, size_t thread, uint64_t address, bool is_return)
{
	struct user_stack *stack = own->process.threads[thread].user_stack;

	assert_true(stack->address_count < DEPTH);
	stack->addresses[stack->address_count++] = (struct code_address){address, is_return};
}

static const struct frame *frame(const struct own_process *own, size_t thread, size_t index)
{
	const struct user_stack *stack = own->process.threads[thread].user_stack;

	assert_in_range(index, 0, stack->frame_count - 1);
	return stack->frames[index];
}

/* Its own return address: one past a call, in whichever function called. */
__attribute__((noinline)) static uint64_t return_address(void)
{
	__asm__ volatile("");
	return (uint64_t)__builtin_return_address(0);
}

__attribute__((noinline)) static uint64_t caller(unsigned *line)
{
	*line = __LINE__ + 1;
	uint64_t address = return_address();
	__asm__ volatile("");
	return address;
}

__attribute__((always_inline)) static inline uint64_t inlined_caller(unsigned *line)
{
	*line = __LINE__ + 1;
	uint64_t address = return_address();
	__asm__ volatile("");
	return address;
}

__attribute__((noinline)) static uint64_t outer_caller(unsigned *line, unsigned *outer_line)
{
	*outer_line = __LINE__ + 1;
	uint64_t address = inlined_caller(line);
	__asm__ volatile("");
	return address;
}

static void each_frame_has_symbol_offset_module_and_line(void **state)
{
	struct own_process own;
	unsigned line;
	(void)state;

	own_process_init(&own, 1);
	push(&own, 0, (uint64_t)dlsym(RTLD_DEFAULT, "poll") + 5, false);
	push(&own, 0, caller(&line), true);
	symbolize_process(&own.process, own.modules, LINES_ALL, own.arena);

	assert_int_equal(own.process.threads[0].user_stack->frame_count, 2);
	const struct frame *poll = frame(&own, 0, 0), *ours = frame(&own, 0, 1);
	assert_string_equal(poll->kind, "native");
	assert_non_null(strstr(poll->module, "/"));
	assert_non_null(poll->build_id);
	assert_string_equal(ours->symbol, "caller");
	assert_true(ours->has_offset);
	assert_int_equal(ours->offset, ours->address.value - (uint64_t)caller);
	assert_int_equal(ours->line, line);
	assert_non_null(strstr(ours->file, "tests/unit/symbolize_test.c"));
	assert_false(ours->inlined);
	own_process_deinit(&own);
}

static void inlined_frames_stand_before_the_one_that_has_the_code(void **state)
{
	struct own_process own;
	unsigned line, outer_line;
	(void)state;

	own_process_init(&own, 1);
	push(&own, 0, outer_caller(&line, &outer_line), true);
	symbolize_process(&own.process, own.modules, LINES_ALL, own.arena);

	assert_int_equal(own.process.threads[0].user_stack->frame_count, 2);
	const struct frame *inner = frame(&own, 0, 0), *outer = frame(&own, 0, 1);
	assert_string_equal(inner->symbol, "inlined_caller");
	assert_true(inner->inlined);
	assert_false(inner->has_offset);
	assert_int_equal(inner->line, line);
	assert_string_equal(outer->symbol, "outer_caller");
	assert_false(outer->inlined);
	assert_true(outer->has_offset);
	assert_int_equal(outer->line, outer_line);
	own_process_deinit(&own);
}

static void without_lines_there_is_one_frame_for_an_address(void **state)
{
	struct own_process own;
	unsigned line, outer_line;
	(void)state;

	own_process_init(&own, 1);
	push(&own, 0, outer_caller(&line, &outer_line), true);
	symbolize_process(&own.process, own.modules, LINES_NONE, own.arena);

	assert_int_equal(own.process.threads[0].user_stack->frame_count, 1);
	assert_string_equal(frame(&own, 0, 0)->symbol, "outer_caller");
	assert_null(frame(&own, 0, 0)->file);
	assert_int_equal(frame(&own, 0, 0)->line, 0);
	own_process_deinit(&own);
}

/* The address after a call that ends its function is the next function's first. */
static void a_return_address_belongs_to_the_function_before_it(void **state)
{
	struct own_process own;
	(void)state;

	own_process_init(&own, 1);
	push(&own, 0, (uint64_t)outer_caller, false);
	push(&own, 0, (uint64_t)outer_caller, true);
	symbolize_process(&own.process, own.modules, LINES_NONE, own.arena);

	assert_string_equal(frame(&own, 0, 0)->symbol, "outer_caller");
	assert_int_equal(frame(&own, 0, 0)->offset, 0);
	const char *before = frame(&own, 0, 1)->symbol;
	assert_true(!before || strcmp(before, "outer_caller") != 0);
	own_process_deinit(&own);
}

static void a_signal_frame_is_looked_up_as_it_stands(void **state)
{
	struct own_process own;
	(void)state;

	own_process_init(&own, 1);
	push(&own, 0, (uint64_t)caller, true);
	own.process.threads[0].user_stack->signal_frame[0] = true;
	symbolize_process(&own.process, own.modules, LINES_NONE, own.arena);

	assert_string_equal(frame(&own, 0, 0)->kind, "signal");
	assert_string_equal(frame(&own, 0, 0)->symbol, "caller");
	own_process_deinit(&own);
}

static void threads_share_the_frames_of_an_address(void **state)
{
	struct own_process own;
	unsigned line;
	(void)state;

	own_process_init(&own, 3);
	for (size_t i = 0; i < 3; i++) {
		push(&own, i, caller(&line), true);
		push(&own, i, (uint64_t)return_address, i == 2);
	}
	symbolize_process(&own.process, own.modules, LINES_NONE, own.arena);

	assert_ptr_equal(frame(&own, 0, 0), frame(&own, 2, 0));
	assert_ptr_equal(frame(&own, 0, 1), frame(&own, 1, 1));
	assert_ptr_not_equal(frame(&own, 0, 1), frame(&own, 2, 1)); /* there it is a return */
	own_process_deinit(&own);
}

static void the_vdso_has_names(void **state)
{
	struct own_process own;
	size_t named = 0;
	(void)state;

	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	if (!vdso) {
		print_message("left out: no vDSO here\n");
		skip();
	}
	own_process_init(&own, 1);
	/* All of its code: some of the addresses are in functions. */
	for (uint64_t at = vdso; at < vdso + 0x2000; at += 0x40) {
		own.process.threads[0].user_stack->address_count = 0;
		push(&own, 0, at, false);
		symbolize_process(&own.process, own.modules, LINES_NONE, own.arena);
		const struct frame *found = frame(&own, 0, 0);
		if (!found->symbol)
			continue;
		assert_string_equal(found->module, "[vdso]");
		named++;
	}
	assert_true(named > 0);
	own_process_deinit(&own);
}

static void code_of_no_file_is_named_by_the_perf_map(void **state)
{
	struct own_process own;
	char path[64];
	(void)state;

	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(code != MAP_FAILED);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	FILE *map = fopen(path, "we");
	assert_non_null(map);
	fprintf(map, "%lx 40 Interpreter\n%lx 40 JS:~main /x.js:3\n", (uint64_t)code,
		(uint64_t)code + 0x40);
	assert_int_equal(fclose(map), 0);

	own_process_init(&own, 1);
	push(&own, 0, (uint64_t)code + 0x44, false);
	push(&own, 0, (uint64_t)code + 0x40, true);
	push(&own, 0, (uint64_t)code + 0x100, true);
	push(&own, 0, 0x10, true);
	symbolize_process(&own.process, own.modules, LINES_ALL, own.arena);
	unlink(path);

	assert_string_equal(frame(&own, 0, 0)->symbol, "JS:~main /x.js:3");
	assert_int_equal(frame(&own, 0, 0)->offset, 4);
	assert_null(frame(&own, 0, 0)->module);
	assert_string_equal(frame(&own, 0, 0)->kind, "native");
	assert_string_equal(frame(&own, 0, 1)->symbol, "Interpreter");
	assert_null(frame(&own, 0, 2)->symbol);
	assert_false(frame(&own, 0, 2)->has_offset);
	assert_null(frame(&own, 0, 3)->symbol);
	munmap(code, 4096);
	own_process_deinit(&own);
}

static void look_again_gives_the_same_names(void **state)
{
	struct own_process own;
	unsigned line;
	(void)state;

	own_process_init(&own, 1);
	push(&own, 0, caller(&line), true);
	symbolize_process(&own.process, own.modules, LINES_NONE, own.arena);
	symbolize_process(&own.process, own.modules, LINES_ALL, own.arena);
	assert_string_equal(frame(&own, 0, 0)->symbol, "caller");
	assert_int_equal(frame(&own, 0, 0)->line, line);
	own_process_deinit(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_has_symbol_offset_module_and_line),
		cmocka_unit_test(inlined_frames_stand_before_the_one_that_has_the_code),
		cmocka_unit_test(without_lines_there_is_one_frame_for_an_address),
		cmocka_unit_test(a_return_address_belongs_to_the_function_before_it),
		cmocka_unit_test(a_signal_frame_is_looked_up_as_it_stands),
		cmocka_unit_test(threads_share_the_frames_of_an_address),
		cmocka_unit_test(the_vdso_has_names),
		cmocka_unit_test(code_of_no_file_is_named_by_the_perf_map),
		cmocka_unit_test(look_again_gives_the_same_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
