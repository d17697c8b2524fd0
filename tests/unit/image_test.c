// SPDX-License-Identifier: Apache-2.0
/* Images of files that are as they should be, cut off, or not what they say; and their debug files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/root.h"
#include "elf/image.h"
#include "unwind/cfi.h"
#include "util/file.h"
#include "util/memory.h"
#include "util/text.h"

static char directory[] = "/tmp/whystuck-image-XXXXXX";

/* Runs a command of the shell in the directory, where the program `program` stands. */
static void run(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && %s", directory, command);
	assert_int_equal(system(line), 0);
}

static struct image *open_image(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return image_create(fd, path);
}

static struct image *image_of_bytes(const void *bytes, size_t size)
{
	return image_create_from_bytes(memcpy(allocate(size), bytes, size), size, "");
}

static void ordinary_program(void **state)
{
	struct image *image = open_image("program");

	(void)state;
	assert_null(image->problem);
	assert_int_equal(image->machine, EM_X86_64);
	assert_int_equal(strlen(image->build_id), 40);
	assert_true(image->segment_count >= 2);
	assert_non_null(image_segment(image, image->entry));
	assert_true(image_segment(image, image->entry)->executable);
	assert_null(image_segment(image, UINT64_MAX));
	assert_non_null(cfi_find(image, &arch_x86_64, NULL, image->entry));
	image_destroy(image);
}

static void what_is_no_elf_file(void **state)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
	};
	struct image *image = image_of_bytes("#!/bin/sh\n", 10);

	(void)state;
	assert_string_equal(image->problem, "not an ELF file");
	image_destroy(image);
	image = image_of_bytes(&header, sizeof(header));
	assert_string_equal(image->problem, "its program headers are broken");
	image_destroy(image);
	header.e_type = ET_REL;
	image = image_of_bytes(&header, sizeof(header));
	assert_string_equal(image->problem, "neither an executable nor a shared library");
	image_destroy(image);
	header.e_machine = EM_S390;
	image = image_of_bytes(&header, sizeof(header));
	assert_string_equal(image->problem, "an ELF file of another machine");
	image_destroy(image);
	header.e_ident[EI_CLASS] = ELFCLASS32;
	image = image_of_bytes(&header, sizeof(header));
	assert_string_equal(image->problem, "a 32-bit ELF file");
	image_destroy(image);
}

/* Each length of a file that was cut off: something is wrong, or less is there, and no more. */
static void cut_off_anywhere(void **state)
{
	struct image *image = open_image("program");
	size_t size = image->size;
	uint8_t *bytes cleanup_free = allocate(size);

	(void)state;
	assert_true(image_read(image, 0, bytes, size));
	assert_false(image_read(image, 1, bytes, size));
	for (size_t length = 0; length < size; length += length < 4096 ? 1 : 257) {
		struct image *cut = image_of_bytes(bytes, length);

		if (!cut->problem) {
			cfi_find(cut, &arch_x86_64, NULL, image->entry);
			image_dwarf(cut, NULL);
		}
		image_destroy(cut);
	}
	image_destroy(image);
}

/* Headers that claim gigabytes of sections and of names in a file that is a hole. */
static void more_than_there_is(void **state)
{
	Elf64_Ehdr header;
	Elf64_Shdr names = {.sh_type = SHT_STRTAB, .sh_size = 1ull << 31};
	struct image *image = open_image("program");
	int fd = memfd_create("hole", MFD_CLOEXEC);

	(void)state;
	assert_true(image_read(image, 0, &header, sizeof(header)));
	image_destroy(image);
	header.e_shoff = 4096;
	header.e_shnum = 0;
	assert_int_equal(ftruncate(fd, 1ll << 33), 0);
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(fd, &names, sizeof(names), 4096), sizeof(names));
	image = image_create(dup(fd), "");
	assert_string_equal(image->problem, "its section headers are broken");
	image_destroy(image);
	header.e_shnum = 1;
	header.e_shstrndx = 0;
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	image = image_create(fd, "");
	assert_string_equal(image->problem, "its section headers are broken");
	image_destroy(image);
}

static void notes(void **state)
{
	static const uint8_t two[] = {
		/* A note of another's with a description of five bytes, padded. */
		4,
		0,
		0,
		0,
		5,
		0,
		0,
		0,
		3,
		0,
		0,
		0,
		'A',
		'B',
		'C',
		0,
		1,
		2,
		3,
		4,
		5,
		0,
		0,
		0,
		4,
		0,
		0,
		0,
		4,
		0,
		0,
		0,
		NT_GNU_BUILD_ID,
		0,
		0,
		0,
		'G',
		'N',
		'U',
		0,
		0xca,
		0xfe,
		0x01,
		0xff,
	};
	char *found = build_id_in_notes(two, sizeof(two), 4);

	(void)state;
	assert_string_equal(found, "cafe01ff");
	free(found);
	for (size_t length = 0; length < sizeof(two); length++)
		assert_null(build_id_in_notes(two, length, 4));
}

static struct root open_root(void)
{
	return (struct root){
		.directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), .sought = true};
}

static void debug_file_by_build_id(void **state)
{
	struct image *image = open_image("program");
	char command[256];
	struct root root = open_root();

	(void)state;
	image_find_debug(image, &root);
	assert_null(image->debug);
	snprintf(command, sizeof(command),
		"d=usr/lib/debug/.build-id/%.2s && mkdir -p $d && cp program.debug $d/%s.debug",
		image->build_id, image->build_id + 2);
	run(command);
	image_destroy(image);
	image = open_image("program");
	image_find_debug(image, &root);
	assert_non_null(image->debug);
	assert_non_null(image_dwarf(image, &root));
	image_destroy(image);
	/* Another program's debug file under that name. */
	run("for f in usr/lib/debug/.build-id/*/*; do cp other.debug $f; done");
	image = open_image("program");
	image_find_debug(image, &root);
	assert_null(image->debug);
	image_destroy(image);
	/* A FIFO there is not waited for. */
	run("for f in usr/lib/debug/.build-id/*/*; do rm $f; mkfifo $f; done");
	image = open_image("program");
	image_find_debug(image, &root);
	assert_null(image->debug);
	image_destroy(image);
	run("rm -r usr");
	root_deinit(&root);
}

static void debug_file_by_link(void **state)
{
	struct image *image;
	struct root root = open_root();

	(void)state;
	run("mkdir .debug && mv anonymous.debug .debug");
	image = open_image("anonymous");
	assert_null(image->build_id);
	image_find_debug(image, &root);
	assert_non_null(image->debug);
	image_destroy(image);
	/* The right name and another CRC. */
	run("printf x >>.debug/anonymous.debug");
	image = open_image("anonymous");
	image_find_debug(image, &root);
	assert_null(image->debug);
	image_destroy(image);
	root_deinit(&root);
}

static int make_programs(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	run("echo 'int main(void) { return 0; }' >program.c");
	run("cc -g -Wl,--build-id -o program program.c");
	run("cc -g -O2 -DX -Wl,--build-id -o other program.c");
	run("cc -g -Wl,--build-id=none -o anonymous program.c");
	run("for p in program other anonymous; do objcopy --only-keep-debug $p $p.debug; strip $p; "
	    "done");
	run("objcopy --add-gnu-debuglink=anonymous.debug anonymous");
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
		cmocka_unit_test(ordinary_program),
		cmocka_unit_test(what_is_no_elf_file),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(more_than_there_is),
		cmocka_unit_test(notes),
		cmocka_unit_test(debug_file_by_build_id),
		cmocka_unit_test(debug_file_by_link),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
