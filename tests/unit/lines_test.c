// SPDX-License-Identifier: Apache-2.0
#include "compile_fixture.h"

#include <sys/stat.h>

#include "symbolize/image_names.h"
#include "symbolize/lines.h"

static const char program[] =
	"#include <algorithm>\n"
	"#include <cstdio>\n"
	"#include <map>\n"
	"#include <string>\n"
	"#include <vector>\n"
	"namespace outer {\n"
	"namespace {\n"
	"struct hidden { int v; int twice() const { return v * 2 + getchar(); } };\n"
	"int helper(int a) { hidden h{a}; return h.twice() + 1; }\n"
	"}\n"
	"template <class T> struct box {\n"
	"	T t;\n"
	"	int method(int x) {\n"
	"		std::vector<int> v;\n"
	"		for (int i = 0; i < x; i++)\n"
	"			v.push_back(helper(i));\n"
	"		std::sort(v.begin(), v.end());\n"
	"		return v[0] + int(t);\n"
	"	}\n"
	"};\n"
	"struct local { static int run(int n) {\n"
	"	std::map<std::string, int> m;\n"
	"	for (int i = 0; i < n; i++)\n"
	"		m[std::to_string(i)] = helper(i);\n"
	"	return int(m.size());\n"
	"} };\n"
	"}\n"
	"int main(int argc, char **) {\n"
	"	auto lambda = [&](int z) { return z + argc + getchar(); };\n"
	"	outer::box<double> b{1.5};\n"
	"	printf(\"%d %d\\n\", b.method(argc), outer::local::run(lambda(3)));\n"
	"}\n";

/* "file.cc:12|other.h:7|", the innermost first; "?" stands for what is not known. */
static void append_place(struct text *chain, const char *file, unsigned line)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (file && line)
		text_append_format(chain, "%s:%u|", slash ? slash + 1 : file, line);
	else
		text_append(chain, "?|");
}

/* The chains that a tool of addr2line's kind prints for the addresses in the file "addresses". */
static char **read_chains(
	const struct folder *folder, const char *tool, const char *file, size_t count)
{
	struct text output cleanup_text = {0}, chain cleanup_text = {0};
	char **chains = allocate_zeroed(count + 1, sizeof(*chains));
	size_t at = 0;
	bool is_place = false;

	assert_true(folder_run(folder, &output, "%s -i -f -s -a -e %s <addresses", tool, file));
	for (char *next = output.bytes, *line; (line = strsep(&next, "\n"));) {
		if (strncmp(line, "0x", 2) == 0) {
			if (at++)
				chains[at - 2] = strdup(chain.bytes);
			text_clear(&chain);
			is_place = false;
			continue;
		}
		if (is_place) {
			char *colon = strchr(line, ':');

			if (colon)
				*colon = '\0';
			append_place(&chain, line, colon ? (unsigned)atoi(colon + 1) : 0);
		}
		is_place = !is_place;
	}
	chains[at - 1] = strdup(chain.bytes);
	assert_int_equal(at, count);
	return chains;
}

static void free_chains(char **chains)
{
	for (size_t i = 0; chains[i]; i++)
		free(chains[i]);
	free(chains);
}

/* Every third byte of .text. */
static uint64_t *pick_addresses(const struct folder *folder, const char *file, size_t *count)
{
	struct text output cleanup_text = {0}, list cleanup_text = {0};
	uint64_t start, size;

	assert_true(folder_run(folder, &output,
		"readelf -SW %s | sed -n 's/.*] [.]text *PROGBITS *\\([0-9a-f]*\\) [0-9a-f]* "
		"\\([0-9a-f]*\\).*/\\1 \\2/p'",
		file));
	assert_int_equal(sscanf(output.bytes, "%lx %lx", &start, &size), 2);
	if (size > 60000)
		size = 60000;
	uint64_t *addresses = allocate((size / 3 + 1) * sizeof(*addresses));
	*count = 0;
	for (uint64_t at = start; at < start + size; at += 3) {
		addresses[(*count)++] = at;
		text_append_format(&list, "0x%lx\n", at);
	}
	folder_write(folder, "addresses", list.bytes);
	return addresses;
}

/*
 * Compares the places of all frames with what two tools of addr2line's kind say: where compilers
 * describe an address twice, the tools differ between themselves, so agreeing with one of them is
 * enough. How many addresses had inlined frames.
 */
static size_t compare_with_tools(
	const struct folder *folder, const char *file, const char *tool, const char *other_tool)
{
	size_t count, budget = LINES_BUDGET, with_inlined = 0, differing = 0;
	uint64_t *addresses = pick_addresses(folder, file, &count);
	struct address_names *names = allocate(count * sizeof(*names));
	char **chains = read_chains(folder, tool, file, count);
	char **other_chains = read_chains(folder, other_tool, file, count);
	struct image *image = folder_image(folder, file);

	image_names_find(image, NULL, LINES_ALL, addresses, count, names, &budget);
	for (size_t i = 0; i < count; i++) {
		struct text chain cleanup_text = {0};
		const struct source_frames *source = &names[i].source;

		for (size_t j = 0; j < source->count; j++)
			append_place(&chain, source->frames[j].file, source->frames[j].line);
		if (!source->count)
			append_place(&chain, NULL, 0);
		with_inlined += source->count > 1;
		if (strcmp(chain.bytes, chains[i]) == 0 ||
			strcmp(chain.bytes, other_chains[i]) == 0)
			continue;
		differing++;
		if (differing < 5)
			print_error("%s 0x%lx: %s\n %s: %s\n %s: %s\n", file, addresses[i],
				chain.bytes, tool, chains[i], other_tool, other_chains[i]);
	}
	print_message("%s: %zu addresses, %zu with inlined frames\n", file, count, with_inlined);
	assert_int_equal(differing, 0);
	image_destroy(image);
	free_chains(chains);
	free_chains(other_chains);
	free(names);
	free(addresses);
	return with_inlined;
}

static void compare_build(const char *command, const char *tool, const char *other_tool)
{
	struct folder folder = folder_create();

	folder_write(&folder, "a.cc", program);
	assert_true(folder_run(&folder, NULL, "%s -o program a.cc", command));
	if (has_tool(tool) && has_tool(other_tool))
		assert_true(compare_with_tools(&folder, "program", tool, other_tool) > 100);
	folder_destroy(&folder);
}

static void gcc_lines_and_inlined_frames_are_those_of_addr2line(void **state)
{
	(void)state;
	compare_build("g++ -O2 -g", "eu-addr2line", "addr2line");
	compare_build("g++ -O3 -gdwarf-4", "eu-addr2line", "addr2line");
	compare_build("g++ -O2 -g -gz", "eu-addr2line", "addr2line");
}

static void gcc_lines_are_right_with_link_time_optimisation(void **state)
{
	(void)state;
	compare_build("g++ -O2 -g -flto", "eu-addr2line", "addr2line");
}

static void functions_that_the_linker_dropped_confuse_nothing(void **state)
{
	(void)state;
	compare_build("g++ -O2 -g -ffunction-sections -Wl,--gc-sections -no-pie", "eu-addr2line",
		"addr2line");
}

/* The other tools can't do without .debug_aranges, or not with clang's DWARF 5. */
static void clang_lines_are_right_without_aranges(void **state)
{
	(void)state;
	if (!has_tool("clang++"))
		skip();
	compare_build("clang++ -O2 -g", "llvm-addr2line", "llvm-addr2line");
	compare_build("clang++ -O2 -gdwarf-4", "llvm-addr2line", "addr2line");
}

static void rust_lines_and_names(void **state)
{
	struct folder folder = folder_create();
	size_t budget = LINES_BUDGET;
	struct address_names names;
	(void)state;

	if (!has_tool("rustc")) {
		folder_destroy(&folder);
		skip();
	}
	folder_write(&folder, "a.rs",
		"mod inner {\n"
		"    #[inline(never)]\n"
		"    pub fn plain(n: u64) -> u64 {\n" /* line 3 */
		"        n * std::process::id() as u64\n"
		"    }\n"
		"}\n"
		"fn main() { println!(\"{}\", inner::plain(std::process::id() as u64)); }\n");
	assert_true(folder_run(&folder, NULL, "rustc -g -o program a.rs 2>/dev/null"));
	struct text output cleanup_text = {0};
	struct nm_symbol known;
	uint64_t address = 0;
	assert_true(folder_run(&folder, &output, "nm -S program"));
	for (char *at = output.bytes; nm_next(&at, &known);) {
		if (strstr(known.name, "5plain"))
			address = known.address;
	}
	assert_true(address != 0);
	struct image *image = folder_image(&folder, "program");
	image_names_find(image, NULL, LINES_ALL, &address, 1, &names, &budget);
	assert_string_equal(names.symbol.name, "a::inner::plain");
	assert_int_equal(names.source.count, 1);
	assert_string_equal(names.source.frames[0].function, "a::inner::plain");
	assert_int_equal(names.source.frames[0].line, 3);
	assert_non_null(strstr(names.source.frames[0].file, "/a.rs"));
	image_destroy(image);
	folder_destroy(&folder);
}

static const char nested[] = "#include <unistd.h>\n"
			     "#define ALWAYS __attribute__((always_inline)) static inline\n"
			     "ALWAYS void leaf(char *b) {\n"
			     "	__asm__ volatile(\".globl marker\\nmarker: nop\");\n" /* line 4 */
			     "	__asm__ volatile(\"\" : : \"r\"(b));\n"
			     "}\n"
			     "ALWAYS void middle(char *b) {\n"
			     "	leaf(b);\n" /* line 8 */
			     "}\n"
			     "__attribute__((noinline)) void concrete(char *b) {\n"
			     "	middle(b);\n" /* line 11 */
			     "	pause();\n"
			     "}\n"
			     "int main(void) { char b; concrete(&b); return 0; }\n";

static void assert_nested(struct image *image, uint64_t marker, const char *prefix)
{
	static const char *const functions[] = {"leaf", "middle", "concrete"};
	static const unsigned lines[] = {4, 8, 11};
	struct address_names names;
	size_t budget = LINES_BUDGET;

	image_names_find(image, NULL, LINES_ALL, &marker, 1, &names, &budget);
	assert_int_equal(names.source.count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct source_frame *frame = &names.source.frames[i];
		char name[64];

		snprintf(name, sizeof(name), "%s%s", prefix, functions[i]);
		assert_string_equal(frame->function, name);
		assert_int_equal(frame->line, lines[i]);
		assert_int_equal(frame->file[0], '/');
	}
	image_destroy(image);
}

static void inlined_functions_stand_in_order_each_at_the_line_of_its_call(void **state)
{
	static const char *const compilers[] = {"gcc", "clang", "gcc -gdwarf-4", "clang -gdwarf-4"};
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", nested);
	for (size_t i = 0; i < array_length(compilers); i++) {
		if (compilers[i][0] == 'c' && !has_tool("clang"))
			continue;
		assert_true(folder_run(&folder, NULL, "%s -O1 -g -o program a.c", compilers[i]));
		assert_nested(folder_image(&folder, "program"),
			nm_address(&folder, "program", "marker"), "");
	}
	folder_destroy(&folder);
}

static void functions_without_a_linkage_name_get_their_namespaces(void **state)
{
	struct folder folder = folder_create();
	struct text source cleanup_text = {0};
	(void)state;

	/* gcc gives functions of anonymous namespaces no linkage name. */
	text_append(&source, "extern \"C\" int pause(void); namespace ns { namespace {");
	const char *body = strchr(nested, '\n'), *end = strstr(nested, "int main");
	text_append_bytes(&source, body, (size_t)(end - body));
	text_append(&source, "} void call(char *b) { concrete(b); } }\n"
			     "int main(void) { char b; ns::call(&b); return 0; }\n");
	folder_write(&folder, "a.cc", source.bytes);
	assert_true(folder_run(&folder, NULL, "g++ -O1 -g -o program a.cc"));
	assert_nested(folder_image(&folder, "program"), nm_address(&folder, "program", "marker"),
		"ns::(anonymous namespace)::");
	folder_destroy(&folder);
}

static void lines_come_from_a_separate_debug_file(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", nested);
	assert_true(folder_run(&folder, NULL,
		"gcc -O1 -g -Wl,--build-id=none -o full a.c && objcopy --only-keep-debug full "
		"the.debug && strip -o stripped full && "
		"objcopy --add-gnu-debuglink=the.debug stripped linked"));
	assert_nested(folder_image(&folder, "linked"), nm_address(&folder, "full", "marker"), "");
	folder_destroy(&folder);
}

/* The path of the .dwo file is the target's choice; here it is a FIFO that nobody writes to. */
static void a_split_unit_is_not_opened(void **state)
{
	struct folder folder = folder_create();
	struct address_names names;
	size_t budget = LINES_BUDGET;
	(void)state;

	folder_write(&folder, "a.c", nested);
	assert_true(folder_run(&folder, NULL,
		"gcc -O1 -g -gsplit-dwarf -o program a.c && rm *.dwo && mkfifo program-a.dwo "
		"a.dwo"));
	uint64_t marker = nm_address(&folder, "program", "marker");
	struct image *image = folder_image(&folder, "program");
	alarm(20);
	image_names_find(image, NULL, LINES_ALL, &marker, 1, &names, &budget);
	alarm(0);
	assert_string_equal(names.symbol.name, "concrete");
	assert_int_equal(names.source.frames[0].line, 4);
	image_destroy(image);
	folder_destroy(&folder);
}

static void without_debug_information_there_are_no_lines(void **state)
{
	struct folder folder = folder_create();
	struct address_names names;
	size_t budget = LINES_BUDGET;
	(void)state;

	folder_write(&folder, "a.c", nested);
	assert_true(folder_run(&folder, NULL, "gcc -O1 -o program a.c"));
	uint64_t marker = nm_address(&folder, "program", "marker");
	struct image *image = folder_image(&folder, "program");
	image_names_find(image, NULL, LINES_ALL, &marker, 1, &names, &budget);
	assert_string_equal(names.symbol.name, "concrete");
	assert_int_equal(names.source.count, 0);
	image_destroy(image);
	folder_destroy(&folder);
}

static void no_dwarf_is_opened_unless_lines_are_asked_for(void **state)
{
	struct folder folder = folder_create();
	struct address_names names;
	size_t budget = LINES_BUDGET;
	(void)state;

	folder_write(&folder, "a.c", nested);
	assert_true(folder_run(&folder, NULL, "gcc -O1 -g -o program a.c"));
	uint64_t marker = nm_address(&folder, "program", "marker");
	struct image *image = folder_image(&folder, "program");
	image_names_find(image, NULL, LINES_NONE, &marker, 1, &names, &budget);
	assert_false(image->debug_sought);
	assert_null(image->dwarf);
	assert_string_equal(names.symbol.name, "concrete");
	assert_int_equal(names.source.count, 0);
	/* Asked for later, they are found. */
	image_names_find(image, NULL, LINES_ALL, &marker, 1, &names, &budget);
	assert_int_equal(names.source.count, 3);
	image_destroy(image);
	folder_destroy(&folder);
}

static void a_spent_budget_leaves_the_line_and_tells_no_inlined_frames(void **state)
{
	struct folder folder = folder_create();
	struct address_names names;
	size_t budget = 3;
	(void)state;

	folder_write(&folder, "a.c", nested);
	assert_true(folder_run(&folder, NULL, "gcc -O1 -g -o program a.c"));
	uint64_t marker = nm_address(&folder, "program", "marker");
	struct image *image = folder_image(&folder, "program");
	image_names_find(image, NULL, LINES_ALL, &marker, 1, &names, &budget);
	assert_int_equal(budget, 0);
	assert_string_equal(names.symbol.name, "concrete");
	assert_int_equal(names.source.count, 1);
	assert_int_equal(names.source.frames[0].line, 4);
	image_destroy(image);
	folder_destroy(&folder);
}

/* Bytes of the debug sections are overwritten, at another place each time. */
static void broken_debug_information_neither_crashes_nor_hangs(void **state)
{
	struct folder folder = folder_create();
	(void)state;

	folder_write(&folder, "a.c", nested);
	assert_true(folder_run(&folder, NULL, "gcc -O1 -g -o program a.c"));
	uint64_t marker = nm_address(&folder, "program", "marker");
	char path[128];
	snprintf(path, sizeof(path), "%s/program", folder.path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	assert_int_equal(fstat(fd, &status), 0);
	size_t size = (size_t)status.st_size;
	uint8_t *original = allocate(size);
	assert_int_equal(read(fd, original, size), size);
	close(fd);
	uint32_t random = 1;
	size_t told = 0;
	alarm(120);
	for (int i = 0; i < 400; i++) {
		uint8_t *bytes = memcpy(allocate(size), original, size);
		struct address_names names;
		size_t budget = 1000000;

		for (int j = 0; j < 8; j++) {
			random = random * 1664525 + 1013904223;
			/* Beyond the program's own segments: debug sections and tables. */
			size_t at = 0x3000 + random % (size - 0x3000);
			bytes[at] = (uint8_t)(random >> 24);
		}
		struct image *image = image_create_from_bytes(bytes, size, "/program");
		image_names_find(image, NULL, LINES_ALL, &marker, 1, &names, &budget);
		told += names.source.count == 3;
		image_destroy(image);
	}
	alarm(0);
	assert_in_range(told, 1, 399);
	free(original);
	folder_destroy(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcc_lines_and_inlined_frames_are_those_of_addr2line),
		cmocka_unit_test(gcc_lines_are_right_with_link_time_optimisation),
		cmocka_unit_test(functions_that_the_linker_dropped_confuse_nothing),
		cmocka_unit_test(clang_lines_are_right_without_aranges),
		cmocka_unit_test(rust_lines_and_names),
		cmocka_unit_test(inlined_functions_stand_in_order_each_at_the_line_of_its_call),
		cmocka_unit_test(functions_without_a_linkage_name_get_their_namespaces),
		cmocka_unit_test(lines_come_from_a_separate_debug_file),
		cmocka_unit_test(a_split_unit_is_not_opened),
		cmocka_unit_test(without_debug_information_there_are_no_lines),
		cmocka_unit_test(no_dwarf_is_opened_unless_lines_are_asked_for),
		cmocka_unit_test(a_spent_budget_leaves_the_line_and_tells_no_inlined_frames),
		cmocka_unit_test(broken_debug_information_neither_crashes_nor_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
