// SPDX-License-Identifier: Apache-2.0
/* Modules of this process and of children whose files are deleted, replaced or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "live.h"
#include "util/memory.h"

static char directory[] = "/tmp/whystuck-modules-XXXXXX";

static void run(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && %s", directory, command);
	assert_int_equal(system(line), 0);
}

/* Starts `program` of the directory, which writes a line once it is there. */
static pid_t start(void)
{
	char path[128], ready;
	int ends[2];

	snprintf(path, sizeof(path), "%s/program", directory);
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* An address in the code of the program itself. */
static struct mapping *program_code(struct live *live)
{
	struct mappings *mappings = &live->process.mappings;

	for (size_t i = 0; i < mappings->count; i++) {
		if (mappings->items[i].executable && strstr(mappings->items[i].path, "/program"))
			return &mappings->items[i];
	}
	fail();
	return NULL;
}

static void this_process(void **state)
{
	struct live live;
	const uint64_t own = (uint64_t)(uintptr_t)this_process;

	(void)state;
	live_begin(&live, getpid());
	const struct module *module = modules_find(live.modules, own);
	assert_non_null(module);
	assert_string_equal(module->path, live.process.exe);
	assert_true(own >= module->start && own < module->end);
	assert_true(image_segment(module->image, own - module->bias)->executable);
	/* The bytes there are those of the file. */
	const struct segment *segment = image_segment(module->image, own - module->bias);
	uint8_t bytes[16];
	assert_true(image_read(module->image,
		segment->offset + own - module->bias - segment->address, bytes, sizeof(bytes)));
	assert_memory_equal(bytes, (const void *)(uintptr_t)own, sizeof(bytes));
	assert_ptr_equal(modules_find(live.modules, own + 1), module);

	assert_null(modules_find(live.modules, (uint64_t)(uintptr_t)directory));
	assert_null(modules_find(live.modules, (uint64_t)(uintptr_t)&live));
	assert_null(modules_find(live.modules, 0));
	assert_null(modules_find(live.modules, UINT64_MAX));
	live_end(&live);
}

static void vdso(void **state)
{
	const uint64_t address = getauxval(AT_SYSINFO_EHDR);
	struct live live, other;
	pid_t pid = start();

	(void)state;
	live_begin(&live, getpid());
	const struct module *module = modules_find(live.modules, address);
	assert_non_null(module);
	assert_string_equal(module->path, "[vdso]");
	assert_int_equal(module->bias, address);
	/* Another process's is the same image. */
	live_begin(&other, pid);
	struct modules *modules = modules_create(live.images, &other.process, live.arena);
	for (size_t i = 0; i < other.process.mappings.count; i++) {
		const struct mapping *mapping = &other.process.mappings.items[i];

		if (strcmp(mapping->path, "[vdso]") == 0)
			assert_ptr_equal(
				modules_find(modules, mapping->start)->image, module->image);
	}
	modules_destroy(modules);
	live_end(&other);
	live_end(&live);
	finish(pid);
}

static void one_image_for_two_processes(void **state)
{
	pid_t first = start(), second = start();
	struct live live, other;

	(void)state;
	live_begin(&live, first);
	live_begin(&other, second);
	struct modules *modules = modules_create(live.images, &other.process, live.arena);
	const struct module *a = modules_find(live.modules, program_code(&live)->start);
	const struct module *b = modules_find(modules, program_code(&other)->start);
	assert_non_null(a);
	assert_ptr_equal(a->image, b->image);
	modules_destroy(modules);
	live_end(&other);
	live_end(&live);
	finish(second);
	finish(first);
}

/* What runs is still there, through /proc/PID/map_files or exe, whatever now has its name. */
static void check_replaced(const char *command)
{
	pid_t pid = start();
	struct live live;
	char *running;

	live_begin(&live, pid);
	running = strdup(modules_find(live.modules, program_code(&live)->start)->image->build_id);
	live_end(&live);
	run(command);
	live_begin(&live, pid);
	const struct module *module = modules_find(live.modules, program_code(&live)->start);
	assert_non_null(module);
	assert_string_equal(module->image->build_id, running);
	assert_null(live.process.gaps.first);
	live_end(&live);
	free(running);
	finish(pid);
	run("rm -rf program && cp original program");
}

static void deleted_and_replaced_programs(void **state)
{
	(void)state;
	check_replaced("rm program");
	check_replaced("rm program && cp other program");
	check_replaced("rm program && mkfifo program");
	check_replaced("rm program && ln -s /dev/zero program");
}

/* What has the name of the mapped file and is another is not taken for it. */
static void another_file_of_that_name(void **state)
{
	pid_t pid = start();
	struct live live;

	(void)state;
	run("rm program && cp other program");
	live_begin(&live, pid);
	struct mapping *code = program_code(&live);
	/* As if map_files and exe were refused: what is left is the path. */
	live.process.pid = getpid();
	live.process.exe = NULL;
	struct modules *modules = modules_create(live.images, &live.process, live.arena);
	const struct module *module = modules_find(modules, code->start);
	assert_non_null(live.process.gaps.first);
	assert_non_null(strstr(live.process.gaps.first->reason, "replaced by another file"));
	/* Its code is still in the memory of the process, build id and unwind information with it.
	 */
	assert_non_null(module);
	assert_int_equal(module->image->fd, -1);
	assert_non_null(module->image->build_id);
	assert_true(module->image->eh_frame_header != 0);
	modules_destroy(modules);
	/* Nor is anything taken where the memory can't be read. */
	live.process.memory = NULL;
	modules = modules_create(live.images, &live.process, live.arena);
	assert_null(modules_find(modules, code->start));
	modules_destroy(modules);
	live_end(&live);
	finish(pid);
	run("rm program && cp original program");
}

/* A copy with other numbers than /proc/PID/maps shows, as on overlayfs: the build id tells. */
static void same_build_id_under_other_numbers(void **state)
{
	pid_t pid = start();
	struct live live;

	(void)state;
	run("cp program copy && mv copy program");
	live_begin(&live, pid);
	struct mapping *code = program_code(&live);
	live.process.pid = getpid();
	live.process.exe = NULL;
	struct modules *modules = modules_create(live.images, &live.process, live.arena);
	const struct module *module = modules_find(modules, code->start);
	assert_non_null(module);
	assert_true(module->image->fd >= 0);
	assert_null(live.process.gaps.first);
	modules_destroy(modules);
	live_end(&live);
	finish(pid);
}

/* Code that a program makes in a file of its own is no module, and nothing is missing there. */
static void code_in_a_memfd(void **state)
{
	int fd = memfd_create("jit", MFD_CLOEXEC);
	struct live live;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	live_begin(&live, getpid());
	assert_null(modules_find(live.modules, (uint64_t)(uintptr_t)code));
	assert_null(live.process.gaps.first);
	live_end(&live);
	munmap(code, 4096);
	close(fd);
}

/* A process can map as many files as the kernel allows, and make each of them unusable. */
static void endless_unusable_files_are_named_up_to_a_limit(void **state)
{
	enum { FILES = 3000, NAMED = 1000 };
	struct live live;
	size_t gaps = 0;

	(void)state;
	live_begin(&live, getpid());
	live.process.mappings.items = arena_new(live.arena, struct mapping, FILES);
	live.process.mappings.count = FILES;
	for (size_t i = 0; i < FILES; i++)
		live.process.mappings.items[i] = (struct mapping){
			.start = 0x10000 + i * 0x2000,
			.end = 0x11000 + i * 0x2000,
			.inode = i + 1,
			.executable = true,
			.path = arena_printf(live.arena, "%s/missing-%zu", directory, i),
		};
	struct modules *modules = modules_create(live.images, &live.process, live.arena);
	for (size_t i = 0; i < FILES; i++)
		assert_null(modules_find(modules, live.process.mappings.items[i].start));
	for_each_gap (gap, &live.process.gaps)
		gaps++;
	assert_int_equal(gaps, NAMED + 1);
	assert_non_null(strstr(live.process.gaps.first->reason, "missing-0 could not be opened"));
	assert_non_null(strstr(live.process.gaps.last->reason, "more than 1000 of the files"));
	modules_destroy(modules);
	live_end(&live);
}

static int make_programs(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	run("printf '#include <unistd.h>\nint main(void) { for (write(1, NAME, 1);;) pause(); }' "
	    ">p.c");
	run("cc -DNAME='\"a\"' -Wl,--build-id -o original p.c");
	run("cc -O2 -DNAME='\"b\"' -Wl,--build-id -o other p.c");
	run("cp original program");
	return 0;
}

static int remove_programs(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_process),
		cmocka_unit_test(vdso),
		cmocka_unit_test(one_image_for_two_processes),
		cmocka_unit_test(deleted_and_replaced_programs),
		cmocka_unit_test(another_file_of_that_name),
		cmocka_unit_test(same_build_id_under_other_numbers),
		cmocka_unit_test(code_in_a_memfd),
		cmocka_unit_test(endless_unusable_files_are_named_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
