// SPDX-License-Identifier: Apache-2.0
/*
 * The walk on real processes: a program is compiled in many ways, blocks or is stepped
 * through, and its stack is compared with what it tells of itself, or, instruction by instruction,
 * with the calls and returns that were seen to happen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "live.h"
#include "util/memory.h"

#define SOURCE "tests/unit/targets/stacks.c"

static const struct build {
	const char *name, *compiler, *flags;
	bool has_cfi;
	bool stepped; /* each_instruction() */
} builds[] = {
	{"O0", "cc", "-O0", true, true},
	{"O2", "cc", "-O2 -fomit-frame-pointer", true, true},
	{"O3", "cc", "-O3 -flto", true, false},
	{"O2-frame-pointer", "cc", "-O2 -fno-omit-frame-pointer", true, false},
	{"debug-frame", "cc", "-O2 -g -fno-asynchronous-unwind-tables -fno-unwind-tables", true,
		false},
	{"frame-pointer-only", "cc",
		"-O0 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables",
		false, true},
	{"no-header", "cc", "-O2 -Wl,--no-eh-frame-hdr", true, false},
	{"stripped", "cc", "-O2 -s", true, false},
	{"static", "cc", "-O2 -static", true, true},
	{"static-pie", "cc", "-O2 -static-pie", true, false},
	{"no-pie", "cc", "-O2 -no-pie", true, false},
	{"lazy", "cc", "-O2 -Wl,-z,lazy", true, true},
	{"musl", "musl-gcc", "-O2", false, true},
	{"musl-static", "musl-gcc", "-O2 -static", false, true},
};

static char directory[] = "/tmp/whystuck-unwind-XXXXXX";

static bool compile(const struct build *build)
{
	char command[512];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", build->compiler);
	if (system(command) != 0) {
		print_message("skipped: %s is not installed\n", build->compiler);
		return false;
	}
	snprintf(command, sizeof(command), "%s -std=gnu17 -D_GNU_SOURCE %s -o %s/%s %s -lpthread",
		build->compiler, build->flags, directory, build->name, SOURCE);
	assert_int_equal(system(command), 0);
	return true;
}

/* A running target, and what it wrote of its stack. */
struct target {
	pid_t pid;
	FILE *output;
	uint64_t returns[4096];
	size_t return_count;
};

static void start(struct target *target, const char *build, const char *mode)
{
	char path[128];
	int ends[2];

	snprintf(path, sizeof(path), "%s/%s", directory, build);
	assert_int_equal(pipe(ends), 0);
	target->return_count = 0;
	target->pid = fork();
	if (target->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(path, path, mode, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	target->output = fdopen(ends[0], "r");
}

static void wait_until_ready(struct target *target)
{
	char line[64];

	while (fgets(line, sizeof(line), target->output) && strcmp(line, "ready\n") != 0) {
		assert_true(target->return_count < array_length(target->returns));
		target->returns[target->return_count++] = strtoull(line, NULL, 16);
	}
	assert_string_equal(line, "ready\n");
}

static void stop(pid_t tid)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
	assert_int_equal(waitpid(tid, &status, __WALL), tid);
	assert_true(WIFSTOPPED(status));
}

static void finish(struct target *target)
{
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
	fclose(target->output);
}

static void print_stack(const struct user_stack *stack, struct live *live)
{
	for (size_t i = 0; i < stack->address_count; i++) {
		const struct module *module =
			modules_find(live->modules, code_lookup(stack->addresses[i]));

		print_message("  %2zu 0x%llx %s+0x%llx%s\n", i,
			(unsigned long long)stack->addresses[i].value, module ? module->path : "-",
			(unsigned long long)(stack->addresses[i].value -
					     (module ? module->bias : 0)),
			stack->signal_frame[i] ? " signal" : "");
	}
	print_message("  %s %s\n", stack_end_name(stack->end),
		stack->end_detail ? stack->end_detail : "");
	for_each_gap (gap, &live->process.gaps)
		print_message("  gap: %s\n", gap->reason);
}

/* What the C library may add: to write and to pause; to raise a signal; to start a program. */
#define INNER_FRAMES 12
#define SIGNAL_FRAMES 4
#define OUTER_FRAMES 3

/*
 * Whether @stack is what the target told, with nothing between its functions but a signal's frames,
 * and only the C library's before and after.
 */
static bool same_as_told(const struct user_stack *stack, const struct target *target)
{
	size_t told = 0, between = 0, limit = INNER_FRAMES;

	for (size_t i = 0; i < stack->address_count; i++) {
		if (told < target->return_count &&
			(stack->addresses[i].value == target->returns[told] ||
				(told && !target->returns[told]))) {
			told++;
			between = 0;
			limit = told == target->return_count ? OUTER_FRAMES : 0;
		} else if (++between > limit) {
			return false;
		}
		if (stack->signal_frame[i])
			limit = between + SIGNAL_FRAMES;
	}
	return told == target->return_count;
}

static void check_blocked(const char *build, const char *mode, enum stack_end end)
{
	struct target target;
	struct live live;
	pid_t tid;

	start(&target, build, mode);
	wait_until_ready(&target);
	tid = target.pid;
	if (strcmp(mode, "thread") == 0) {
		char path[64];
		struct dirent *entry;

		snprintf(path, sizeof(path), "/proc/%d/task", (int)target.pid);
		DIR *tasks = opendir(path);
		while ((entry = readdir(tasks)))
			tid = atoi(entry->d_name) > tid ? atoi(entry->d_name) : tid;
		closedir(tasks);
	}
	stop(tid);
	live_begin(&live, tid);
	const struct user_stack *stack = live_unwind(&live, 4096);
	bool same = same_as_told(stack, &target);
	if (stack->end != end || !same) {
		print_message("%s %s:\n", build, mode);
		print_stack(stack, &live);
		for (size_t i = 0; i < target.return_count; i++)
			print_message("  told 0x%llx\n", (unsigned long long)target.returns[i]);
	}
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
	assert_true(same);
	assert_string_equal(stack_end_name(stack->end), stack_end_name(end));
	live_end(&live);
	finish(&target);
}

/* The calls that are under way, as they were seen: where each return address lies, outermost first.
 */
struct calls {
	struct call {
		uint64_t slot, address;
	} items[1024];
	size_t count;
};

static bool is_call(const uint8_t *code)
{
	while (*code == 0x3e || *code == 0xf2 || (*code & 0xf0) == 0x40)
		code++;
	return *code == 0xe8 || (*code == 0xff && (code[1] >> 3 & 7) == 2);
}

/* Takes the last step of the target into account, from @before. */
static void follow_calls(struct live *live, struct calls *calls, const struct registers *before,
	const uint8_t *code, const struct registers *after)
{
	uint64_t sp = after->value[arch_native->sp], pushed = 0;
	uint64_t old_sp = before->value[arch_native->sp], old_pc = before->value[arch_native->pc];

	while (calls->count && calls->items[calls->count - 1].slot < sp)
		calls->count--;
	if (sp + 8 != old_sp || !is_call(code) ||
		!memory_read(&live->memory, sp, &pushed, sizeof(pushed)) || pushed <= old_pc ||
		pushed > old_pc + 8)
		return;
	assert_true(calls->count < array_length(calls->items));
	calls->items[calls->count++] = (struct call){.slot = sp, .address = pushed};
}

enum verdict { RIGHT, CUT_SHORT, WRONG };

/* A stack may end early where it says so; what it has must be right. */
static enum verdict compare_with_calls(const struct user_stack *stack, const struct calls *calls)
{
	bool complete = stack->end == STACK_COMPLETE;

	if (stack->address_count > calls->count + 1 ||
		(complete && stack->address_count != calls->count + 1))
		return WRONG;
	for (size_t i = 0; i + 1 < stack->address_count; i++) {
		if (stack->addresses[1 + i].value != calls->items[calls->count - 1 - i].address)
			return WRONG;
	}
	return complete ? RIGHT : CUT_SHORT;
}

static void wait_for_trap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
}

/*
 * The vDSO reads the clock anew as long as the kernel has updated it meanwhile (lib/vdso/
 * gettimeofday.c): at a step's pace that may be for ever.
 */
#define STEPS_MAX 20000

/* Steps from the target's first trap to its second, or as many steps as are enough, and
 * compares the stack at each instruction. */
static void check_steps(const struct build *build, const char *mode)
{
	struct target target;
	struct live live;
	struct calls calls = {.count = 0};
	size_t steps = 0, counts[3] = {0};

	start(&target, build->name, mode);
	wait_for_trap(target.pid);
	live_begin(&live, target.pid);
	const struct user_stack *stack = live_unwind(&live, 256);
	assert_int_equal(stack->end, STACK_COMPLETE);
	/* The frames that stand at the start. Their slots are not told, but they outlive the test.
	 */
	for (size_t i = stack->address_count; i-- > 1;)
		calls.items[calls.count++] =
			(struct call){.slot = UINT64_MAX, .address = stack->addresses[i].value};
	for (; steps < STEPS_MAX; steps++) {
		const struct registers before = live_registers(target.pid);
		uint8_t code[8] = {0};

		memory_read(&live.memory, before.value[arch_native->pc], code, sizeof(code));
		if (code[0] == 0xcc)
			break;
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, target.pid, NULL, NULL), 0);
		wait_for_trap(target.pid);
		const struct registers after = live_registers(target.pid);
		follow_calls(&live, &calls, &before, code, &after);
		stack = live_unwind(&live, 256);
		enum verdict verdict = compare_with_calls(stack, &calls);
		if (verdict == RIGHT || counts[verdict]++ >= 5)
			continue;
		print_message("%s %s, step %zu, %s:\n", build->name, mode, steps,
			verdict == WRONG ? "wrong" : "cut short");
		print_stack(stack, &live);
		for (size_t i = calls.count; i-- > 0;)
			print_message(
				"  expected 0x%llx\n", (unsigned long long)calls.items[i].address);
	}
	print_message("%s %s: %zu instructions, %zu cut short, %zu wrong\n", build->name, mode,
		steps, counts[CUT_SHORT], counts[WRONG]);
	assert_true(steps > 20);
	assert_int_equal(counts[WRONG], 0);
	/* Code without call frame information can't always be followed. */
	assert_true(counts[CUT_SHORT] <= (build->has_cfi ? 0 : steps / 100));
	live_end(&live);
	finish(&target);
}

static void blocked_in_every_build(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(builds); i++) {
		if (!compile(&builds[i]))
			continue;
		check_blocked(builds[i].name, "block", STACK_COMPLETE);
		check_blocked(builds[i].name, "thread", STACK_COMPLETE);
		check_blocked(builds[i].name, "deep", STACK_COMPLETE);
	}
}

static void signal_on_an_alternate_stack(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(builds); i++) {
		if (compile(&builds[i]))
			check_blocked(builds[i].name, "signal", STACK_COMPLETE);
	}
}

static void called_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(builds); i++) {
		if (compile(&builds[i]))
			check_blocked(builds[i].name, "null-call", STACK_COMPLETE);
	}
}

static void generated_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(builds); i++) {
		if (compile(&builds[i]))
			check_blocked(builds[i].name, "jit", STACK_COMPLETE);
	}
}

static void each_instruction(void **state)
{
	static const char *const modes[] = {"step-vdso", "step-library", "step-signal"};
	(void)state;
	for (size_t i = 0; i < array_length(builds); i++) {
		if (!builds[i].stepped || !compile(&builds[i]))
			continue;
		for (size_t j = 0; j < array_length(modes); j++)
			check_steps(&builds[i], modes[j]);
	}
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocked_in_every_build),
		cmocka_unit_test(signal_on_an_alternate_stack),
		cmocka_unit_test(called_nothing),
		cmocka_unit_test(generated_code),
		cmocka_unit_test(each_instruction),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
