// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/whole_file.h"

static char folder[64], place[96];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/whole_file.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(place, sizeof(place), "%s/file", folder);
	return 0;
}

static size_t count_files(void)
{
	DIR *directory = opendir(folder);
	size_t count = 0;

	for (struct dirent *entry; (entry = readdir(directory));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(directory);
	return count;
}

static int end(void **state)
{
	(void)state;
	unlink(place);
	return rmdir(folder);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void assert_holds(const char *path, const char *text)
{
	char found[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_non_null(fgets(found, sizeof(found), file));
	fclose(file);
	assert_string_equal(found, text);
}

static void it_takes_its_place_when_it_is_whole(void **state)
{
	struct whole_file file;

	(void)state;
	put(place, "old");
	assert_int_equal(chmod(place, 0640), 0);
	assert_false(failed(whole_file_begin(&file, place)));
	fputs("new", file.stream);
	fflush(file.stream);
	assert_holds(place, "old");
	assert_false(failed(whole_file_finish(&file)));
	assert_holds(place, "new");
	struct stat status;
	assert_int_equal(stat(place, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_int_equal(count_files(), 1);
}

static void what_is_dropped_leaves_nothing(void **state)
{
	struct whole_file file;

	(void)state;
	assert_false(failed(whole_file_begin(&file, place)));
	fputs("new", file.stream);
	whole_file_drop(&file);
	assert_int_equal(count_files(), 0);
}

static void a_link_stays_one(void **state)
{
	struct whole_file file;
	char link[128];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", folder);
	put(place, "old");
	assert_int_equal(symlink(place, link), 0);
	assert_false(failed(whole_file_begin(&file, link)));
	fputs("new", file.stream);
	assert_false(failed(whole_file_finish(&file)));
	struct stat status;
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_holds(place, "new");
	unlink(link);
}

static void a_full_device_is_an_error(void **state)
{
	struct whole_file file;

	(void)state;
	assert_false(failed(whole_file_begin(&file, "/dev/full")));
	fputs("new", file.stream);
	struct error error = whole_file_finish(&file);
	assert_true(failed(error));
	assert_int_equal(error.number, ENOSPC);
}

static void what_can_not_be_written_is_known_before(void **state)
{
	(void)state;
	assert_false(failed(whole_file_check(place)));
	assert_false(failed(whole_file_check("/dev/null")));
	assert_true(failed(whole_file_check(folder)));
	assert_true(failed(whole_file_check("/nosuch/file")));
	assert_true(failed(whole_file_check("")));
	assert_int_equal(count_files(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_takes_its_place_when_it_is_whole, begin, end),
		cmocka_unit_test_setup_teardown(what_is_dropped_leaves_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_link_stays_one, begin, end),
		cmocka_unit_test_setup_teardown(a_full_device_is_an_error, begin, end),
		cmocka_unit_test_setup_teardown(
			what_can_not_be_written_is_known_before, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
