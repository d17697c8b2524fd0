// SPDX-License-Identifier: Apache-2.0
#include "elf/root.h"
#include "compile_fixture.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "symbolize/demangle.h"
#include "symbolize/symbols.h"

static const char program[] =
	"#include <stdio.h>\n"
	"__attribute__((noinline)) static int local_one(int a) { return printf(\"%d\", a); }\n"
	"__attribute__((noinline)) static int local_two(int a) { return local_one(a) + getchar(); "
	"}\n"
	"__attribute__((noinline)) int shared(int a) { return local_two(a) * 3; }\n"
	"int _aliased(int a) { return shared(a) - 1; }\n"
	"int __aliased(int) __attribute__((alias(\"_aliased\")));\n"
	"int aliased_weakly(int) __attribute__((weak, alias(\"_aliased\")));\n"
	"int aliased(int) __attribute__((alias(\"_aliased\")));\n"
	"int main(int argc, char **argv) { (void)argv; return aliased(argc); }\n";

static struct symbol look(
	struct image *image, struct root *root, uint64_t address, struct arena *arena)
{
	struct symbol symbol;

	symbols_find(image, root, &address, 1, &symbol, arena);
	return symbol;
}

static void assert_named(struct image *image, struct root *root, uint64_t address, const char *name)
{
	struct arena *arena cleanup_arena = arena_create();
	struct symbol symbol = look(image, root, address, arena);

	if (!name) {
		assert_null(symbol.name);
		return;
	}
	assert_non_null(symbol.name);
	assert_string_equal(symbol.name, name);
}

static bool is_code(char type)
{
	return strchr("tTwWiu", type) != NULL;
}

/*
 * Looks up each function of the file at its first byte, its middle and its last, all at once, and
 * compares with nm: the name must be one that nm has there. How many functions there are.
 */
static size_t compare_with_nm(const struct folder *folder, const char *file, const char *options)
{
	struct image *image = folder_image(folder, file);
	struct arena *arena cleanup_arena = arena_create();
	struct text output cleanup_text = {0}, copy cleanup_text = {0};
	struct nm_symbol known;
	uint64_t *addresses = NULL;
	size_t count = 0, capacity = 0, functions = 0, matched = 0;

	assert_null(image->problem);
	assert_true(folder_run(folder, &output, "nm -S -n %s %s", options, file));
	text_append(&copy, output.bytes);
	for (char *at = output.bytes; nm_next(&at, &known);) {
		if (!is_code(known.type) || !known.size)
			continue;
		uint64_t places[] = {known.address, known.address + known.size / 2,
			known.address + known.size - 1};

		for (size_t i = 0; i < array_length(places); i++) {
			array_reserve(addresses, count, capacity);
			if (!count || places[i] > addresses[count - 1])
				addresses[count++] = places[i];
		}
	}
	struct symbol *symbols = allocate(count * sizeof(*symbols));
	bool *confirmed = allocate_zeroed(count, sizeof(*confirmed));

	symbols_find(image, NULL, addresses, count, symbols, arena);
	for (char *at = copy.bytes; nm_next(&at, &known);) {
		if (!is_code(known.type) || !known.size)
			continue;
		functions++;
		*strchrnul(known.name, '@') = '\0';
		const char *shown = demangle(known.name, arena);
		for (size_t i = 0; i < count; i++) {
			if (symbols[i].name && symbols[i].start == known.address &&
				addresses[i] - known.address < known.size &&
				strcmp(symbols[i].name, shown) == 0)
				confirmed[i] = true;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!confirmed[i])
			print_error("%s: 0x%lx is not %s\n", file, addresses[i],
				symbols[i].name ? symbols[i].name : "(none)");
		matched += confirmed[i];
	}
	assert_int_equal(matched, count);
	free(addresses);
	free(symbols);
	free(confirmed);
	image_destroy(image);
	return functions;
}

static void all_functions_of_a_program_have_the_names_of_nm(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", program);
	assert_true(folder_run(&folder, NULL, "gcc -O2 -o plain a.c"));
	assert_true(folder_run(&folder, NULL, "gcc -O2 -flto -o lto a.c"));
	assert_true(folder_run(&folder, NULL, "gcc -O1 -no-pie -static -o static a.c"));
	assert_true(compare_with_nm(&folder, "plain", "") > 8);
	assert_true(compare_with_nm(&folder, "lto", "") > 3);
	assert_true(compare_with_nm(&folder, "static", "") > 500);
	folder_destroy(&folder);
}

static void all_exported_functions_of_the_system_libraries_have_the_names_of_nm(void **state)
{
	struct folder folder = folder_create();
	struct text path cleanup_text = {0};
	(void)state;

	assert_true(folder_run(&folder, &path, "printf %%s \"$(gcc -print-file-name=libc.so.6)\""));
	assert_true(compare_with_nm(&folder, path.bytes, "-D --defined-only") > 2000);
	folder_destroy(&folder);
}

static void of_libc_aliases_the_name_that_people_use_is_shown(void **state)
{
	static const char *const names[] = {"read", "write", "accept", "malloc", "free", "poll",
		"epoll_wait", "nanosleep", "recvfrom", "pthread_cond_wait", "pthread_mutex_lock"};
	struct folder folder = folder_create();
	struct text path cleanup_text = {0}, output cleanup_text = {0};
	struct nm_symbol known;
	size_t seen = 0;
	(void)state;

	assert_true(folder_run(&folder, &path, "printf %%s \"$(gcc -print-file-name=libc.so.6)\""));
	assert_true(folder_run(&folder, &output, "nm -D -S --defined-only %s", path.bytes));
	struct image *image = folder_image(&folder, path.bytes);
	for (char *at = output.bytes; nm_next(&at, &known);) {
		*strchrnul(known.name, '@') = '\0';
		for (size_t i = 0; i < array_length(names); i++) {
			if (strcmp(known.name, names[i]) != 0 || known.type == 'i')
				continue;
			assert_named(image, NULL, known.address + 3, names[i]);
			seen++;
		}
	}
	assert_true(seen >= array_length(names));
	image_destroy(image);
	folder_destroy(&folder);
}

static void an_alias_with_fewer_underscores_wins_then_global_over_weak(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", program);
	assert_true(folder_run(&folder, NULL, "gcc -O2 -fno-inline -o plain a.c"));
	struct image *image = folder_image(&folder, "plain");
	assert_named(image, NULL, nm_address(&folder, "plain", "__aliased"), "aliased");
	image_destroy(image);
	folder_destroy(&folder);
}

static void a_stripped_program_knows_its_local_functions_from_gnu_debugdata(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	if (!has_tool("xz"))
		skip();
	folder_write(&folder, "a.c", program);
	assert_true(folder_run(&folder, NULL,
		"gcc -O2 -o full a.c && objcopy -S --keep-symbol=local_one --keep-symbol=local_two "
		"full mini && xz mini && strip -o stripped full && "
		"objcopy --add-section .gnu_debugdata=mini.xz stripped with"));
	uint64_t local = nm_address(&folder, "full", "local_two");
	struct image *stripped = folder_image(&folder, "stripped");
	struct image *with = folder_image(&folder, "with");
	assert_named(stripped, NULL, local + 2, NULL);
	assert_named(with, NULL, local + 2, "local_two");
	image_destroy(stripped);
	image_destroy(with);
	folder_destroy(&folder);
}

static void a_broken_or_endless_gnu_debugdata_gives_no_names(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	if (!has_tool("xz"))
		skip();
	folder_write(&folder, "a.c", program);
	assert_true(folder_run(&folder, NULL,
		"gcc -O2 -o full a.c && strip -o stripped full && echo nonsense >a.xz && "
		"objcopy --add-section .gnu_debugdata=a.xz stripped nonsense && "
		"head -c 300000000 /dev/zero | xz -0 >b.xz && "
		"objcopy --add-section .gnu_debugdata=b.xz stripped bomb && "
		"head -c 60 b.xz >c.xz && objcopy --add-section .gnu_debugdata=c.xz stripped cut"));
	uint64_t local = nm_address(&folder, "full", "local_two");
	static const char *const files[] = {"nonsense", "bomb", "cut"};
	for (size_t i = 0; i < array_length(files); i++) {
		struct image *image = folder_image(&folder, files[i]);

		assert_named(image, NULL, local, NULL);
		image_destroy(image);
	}
	folder_destroy(&folder);
}

static void a_separate_debug_file_is_found_by_build_id_under_the_targets_root(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", program);
	assert_true(folder_run(&folder, NULL,
		"gcc -O2 -g -Wl,--build-id=0xabcdef0123456789 -o full a.c && "
		"mkdir -p root/usr/lib/debug/.build-id/ab && strip -o stripped full && "
		"objcopy --only-keep-debug full "
		"root/usr/lib/debug/.build-id/ab/cdef0123456789.debug && mkdir empty"));
	uint64_t local = nm_address(&folder, "full", "local_two");
	char path[128];
	snprintf(path, sizeof(path), "%s/root", folder.path);
	struct root root = {
		.directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), .sought = true};
	struct image *image = folder_image(&folder, "stripped");
	assert_named(image, NULL, nm_address(&folder, "full", "main"), NULL);
	image_destroy(image);
	image = folder_image(&folder, "stripped");
	assert_named(image, &root, local + 2, "local_two");
	image_destroy(image);
	root_deinit(&root);
	folder_destroy(&folder);
}

static void a_separate_debug_file_is_found_by_debuglink(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", program);
	assert_true(folder_run(&folder, NULL,
		"gcc -O2 -g -Wl,--build-id=none -o full a.c && "
		"objcopy --only-keep-debug full the.debug && strip -o stripped full && "
		"objcopy --add-gnu-debuglink=the.debug stripped linked"));
	uint64_t local = nm_address(&folder, "full", "local_two");
	struct image *image = folder_image(&folder, "linked");
	assert_named(image, NULL, local + 2, "local_two");
	image_destroy(image);
	folder_destroy(&folder);
}

static void labels_without_a_size_count_until_a_sized_symbol_or_the_sections_end(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.s",
		".text\n.globl _start\n"
		"before_all: .skip 16, 0x90\n"
		".type sized, @function\nsized: .skip 16, 0x90\n.size sized, 16\n"
		"gap: .skip 0\n .skip 16, 0x90\n"
		"label: .skip 16, 0x90\nlonger_alias: .skip 16, 0x90\n"
		".type second, @function\nsecond: .skip 8, 0x90\nwithin: .skip 8, 0x90\n"
		".size second, 16\nafter_second_anonymous = . + 4096\n .skip 16, 0x90\n"
		".section other, \"ax\"\n_start: .skip 16, 0x90\n");
	assert_true(folder_run(
		&folder, NULL, "gcc -nostdlib -no-pie -o labels a.s -Wl,--build-id=none 2>&1"));
	uint64_t base = nm_address(&folder, "labels", "before_all");
	struct image *image = folder_image(&folder, "labels");
	assert_named(image, NULL, base, "before_all");
	assert_named(image, NULL, base + 15, "before_all");
	assert_named(image, NULL, base + 16, "sized");
	assert_named(image, NULL, base + 31, "sized");
	assert_named(image, NULL, base + 32, "gap");
	assert_named(image, NULL, base + 47, "gap");
	assert_named(image, NULL, base + 50, "label");
	assert_named(image, NULL, base + 70, "longer_alias");
	assert_named(image, NULL, base + 80, "second");
	assert_named(image, NULL, base + 92, "second"); /* a size says more than a label within */
	assert_named(image, NULL, base + 96, NULL); /* the label within has ended with `second` */
	assert_named(image, NULL, nm_address(&folder, "labels", "_start") + 5, "_start");
	assert_named(image, NULL, base + 200, NULL);
	assert_named(image, NULL, 0, NULL);
	assert_named(image, NULL, UINT64_MAX, NULL);
	image_destroy(image);
	folder_destroy(&folder);
}

/* A file in memory with a .text, a .symtab of the given symbols and their names. */
struct crafted {
	Elf64_Ehdr header;
	Elf64_Phdr load;
	Elf64_Shdr sections[4];
	Elf64_Sym symbols[64];
	char names[4096];
};

static struct crafted *craft(void)
{
	struct crafted *file = allocate_zeroed(1, sizeof(*file));

	file->header =
		(Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_DYN,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct crafted, load),
			.e_phnum = 1,
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_shoff = offsetof(struct crafted, sections),
			.e_shnum = 4,
			.e_shentsize = sizeof(Elf64_Shdr)};
	file->load = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = 0,
		.p_filesz = sizeof(*file),
		.p_memsz = 0x100000};
	file->sections[1] = (Elf64_Shdr){.sh_type = SHT_NOBITS,
		.sh_addr = 0x1000,
		.sh_size = 0x10000,
		.sh_flags = SHF_ALLOC | SHF_EXECINSTR};
	file->sections[2] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
		.sh_link = 3,
		.sh_offset = offsetof(struct crafted, symbols),
		.sh_size = sizeof(file->symbols),
		.sh_entsize = sizeof(Elf64_Sym)};
	file->sections[3] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct crafted, names),
		.sh_size = sizeof(file->names)};
	return file;
}

static Elf64_Sym function(uint64_t start, uint64_t size, uint32_t name)
{
	return (Elf64_Sym){.st_value = start,
		.st_size = size,
		.st_name = name,
		.st_shndx = 1,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)};
}

static struct image *crafted_image(struct crafted *file)
{
	struct image *image = image_create_from_bytes((uint8_t *)file, sizeof(*file), "/crafted");

	assert_null(image->problem);
	return image;
}

static void nested_functions_are_told_apart_and_the_outer_one_goes_on_behind(void **state)
{
	struct crafted *file = craft();
	(void)state;

	strcpy(file->names + 1, "outer");
	strcpy(file->names + 7, "inner");
	file->symbols[1] = function(0x1100, 0x100, 1);
	file->symbols[2] = function(0x1140, 0x10, 7);
	struct image *image = crafted_image(file);
	assert_named(image, NULL, 0x1120, "outer");
	assert_named(image, NULL, 0x1148, "inner");
	assert_named(image, NULL, 0x1160, "outer");
	assert_named(image, NULL, 0x1200, NULL);
	image_destroy(image);
}

static void hostile_symbols_give_no_name(void **state)
{
	struct crafted *file = craft();
	(void)state;

	strcpy(file->names + 1, "fine@@VERSION_1");
	strcpy(file->names + 20, "@only");
	memset(file->names + 4000, 'u', 96); /* not terminated */
	file->symbols[1] = function(0x2000, 16, 4000);
	file->symbols[2] = function(0x2010, 16, 4096);
	file->symbols[3] = function(0x2020, 16, UINT32_MAX);
	file->symbols[4] = function(UINT64_MAX - 8, 16, 1); /* wraps around */
	file->symbols[5] = function(0x2030, UINT64_MAX - 4, 1);
	file->symbols[6] = function(0x2040, 16, 1);
	file->symbols[7] = function(0x2050, 16, 0);
	file->symbols[8] = function(0x2060, 16, 1);
	file->symbols[8].st_shndx = 4000;
	file->symbols[9] = function(0x2070, 16, 1);
	file->symbols[9].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
	file->symbols[10] = function(0x2080, 16, 20);
	struct image *image = crafted_image(file);
	struct arena *arena cleanup_arena = arena_create();
	struct symbol unterminated = look(image, NULL, 0x2000, arena);
	assert_int_equal(strlen(unterminated.name), 96);
	assert_named(image, NULL, 0x2010, NULL);
	assert_named(image, NULL, 0x2020, NULL);
	assert_named(image, NULL, UINT64_MAX - 8, NULL);
	assert_named(image, NULL, 4, NULL);
	assert_named(image, NULL, 0x2035, NULL);
	assert_named(image, NULL, 0x2040, "fine");
	assert_named(image, NULL, 0x2050, NULL);
	assert_named(image, NULL, 0x2060, NULL);
	assert_named(image, NULL, 0x2070, NULL);
	assert_named(image, NULL, 0x2080, "@only");
	image_destroy(image);
}

static void hostile_section_headers_give_no_names(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++) {
		struct crafted *file = craft();

		strcpy(file->names + 1, "fine");
		file->symbols[1] = function(0x2040, 16, 1);
		switch (i) {
		case 0:
			file->sections[2].sh_entsize = 0;
			break;
		case 1:
			file->sections[2].sh_offset = UINT64_MAX - 8;
			break;
		case 2:
			file->sections[2].sh_link = 77;
			break;
		case 3:
			file->sections[3].sh_offset = sizeof(*file) + 1;
			break;
		case 4:
			file->sections[2].sh_size = 8;
			break;
		case 5:
			file->header.e_shnum = 2;
			break;
		case 6:
			file->sections[3].sh_type = SHT_NOBITS;
			break;
		}
		struct image *image = crafted_image(file);
		assert_named(image, NULL, 0x2040, NULL);
		image_destroy(image);
	}
	struct crafted *file = craft();
	strcpy(file->names + 1, "fine");
	file->symbols[1] = function(0x2040, 16, 1);
	file->sections[2].sh_size = UINT64_MAX; /* as much as there is */
	file->sections[3].sh_size = UINT64_MAX;
	struct image *image = crafted_image(file);
	assert_named(image, NULL, 0x2040, "fine");
	image_destroy(image);
}

static void arm64_mapping_symbols_are_no_functions(void **state)
{
	struct crafted *file = craft();
	(void)state;

	strcpy(file->names + 1, "real_label");
	strcpy(file->names + 20, "$x");
	strcpy(file->names + 30, "$d.12");
	strcpy(file->names + 40, "$xylophone");
	file->header.e_machine = EM_AARCH64;
	for (int i = 0; i < 4; i++) {
		file->symbols[i + 1] =
			function(0x2000 + 16 * (uint64_t)i, 0, (uint32_t[]){1, 20, 30, 40}[i]);
		file->symbols[i + 1].st_info = ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE);
	}
	struct image *image = crafted_image(file);
	assert_named(image, NULL, 0x2008, "real_label");
	assert_named(image, NULL, 0x2018, "real_label");
	assert_named(image, NULL, 0x2028, "real_label");
	assert_named(image, NULL, 0x2038, "$xylophone");
	image_destroy(image);
}

static void a_name_of_megabytes_is_cut(void **state)
{
	const size_t length = 3 * 1024 * 1024;
	struct crafted *file = reallocate(craft(), 1, sizeof(*file) + length);
	struct arena *arena cleanup_arena = arena_create();
	(void)state;

	memset(file->names + 1, 'n', sizeof(file->names) - 1 + length);
	file->sections[3].sh_size = sizeof(file->names) + length;
	file->symbols[1] = function(0x2040, 16, 1);
	struct image *image =
		image_create_from_bytes((uint8_t *)file, sizeof(*file) + length, "/crafted");
	assert_null(image->problem);
	struct symbol symbol = look(image, NULL, 0x2040, arena);
	assert_int_equal(strlen(symbol.name), SYMBOL_NAME_LIMIT + strlen("…"));
	assert_string_equal(symbol.name + SYMBOL_NAME_LIMIT, "…");
	image_destroy(image);
}

/* Every symbol covers every address: what would be squared must stay linear. */
static void a_million_symbols_around_a_hundred_thousand_addresses_take_no_minutes(void **state)
{
	const size_t count = 1000000, wanted = 100000;
	struct crafted *file = craft();
	struct arena *arena cleanup_arena = arena_create();
	size_t size = sizeof(*file) + count * sizeof(Elf64_Sym);
	uint64_t *addresses = allocate(wanted * sizeof(*addresses));
	struct symbol *found = allocate(wanted * sizeof(*found));
	(void)state;

	file = reallocate(file, 1, size);
	Elf64_Sym *symbols = (Elf64_Sym *)(file + 1);
	strcpy(file->names + 1, "everywhere");
	for (size_t i = 0; i < count; i++)
		symbols[i] = function(0x1000 + i % 7, 0x1000000, 1);
	file->sections[2].sh_offset = sizeof(*file);
	file->sections[2].sh_size = count * sizeof(Elf64_Sym);
	for (size_t i = 0; i < wanted; i++)
		addresses[i] = 0x2000 + i;
	struct image *image = image_create_from_bytes((uint8_t *)file, size, "/crafted");
	alarm(60);
	symbols_find(image, NULL, addresses, wanted, found, arena);
	alarm(0);
	for (size_t i = 0; i < wanted; i++) {
		assert_string_equal(found[i].name, "everywhere");
		assert_int_equal(found[i].start, 0x1006);
	}
	free(addresses);
	free(found);
	image_destroy(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_functions_of_a_program_have_the_names_of_nm),
		cmocka_unit_test(
			all_exported_functions_of_the_system_libraries_have_the_names_of_nm),
		cmocka_unit_test(of_libc_aliases_the_name_that_people_use_is_shown),
		cmocka_unit_test(an_alias_with_fewer_underscores_wins_then_global_over_weak),
		cmocka_unit_test(a_stripped_program_knows_its_local_functions_from_gnu_debugdata),
		cmocka_unit_test(a_broken_or_endless_gnu_debugdata_gives_no_names),
		cmocka_unit_test(a_separate_debug_file_is_found_by_build_id_under_the_targets_root),
		cmocka_unit_test(a_separate_debug_file_is_found_by_debuglink),
		cmocka_unit_test(
			labels_without_a_size_count_until_a_sized_symbol_or_the_sections_end),
		cmocka_unit_test(nested_functions_are_told_apart_and_the_outer_one_goes_on_behind),
		cmocka_unit_test(hostile_symbols_give_no_name),
		cmocka_unit_test(hostile_section_headers_give_no_names),
		cmocka_unit_test(arm64_mapping_symbols_are_no_functions),
		cmocka_unit_test(a_name_of_megabytes_is_cut),
		cmocka_unit_test(
			a_million_symbols_around_a_hundred_thousand_addresses_take_no_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
