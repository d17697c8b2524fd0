// SPDX-License-Identifier: Apache-2.0
/* Walks all descriptors by the BPF program, where it can be had: else its tests are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#ifdef HAVE_BPF
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "collect/file_iterator.h"
#include "collect/machine.h"
#include "maker.h"
#include "util/memory.h"

/* The record of the descriptor; NULL: there is none. */
static const struct file_record *find(
	const struct file_record *records, size_t count, const struct target *target, int fd)
{
	for (size_t i = 0; i < count; i++) {
		if ((pid_t)records[i].pid == target->pid && (int)records[i].fd == fd)
			return &records[i];
	}
	return NULL;
}

static struct file_record *records_or_skip(size_t *count)
{
	struct file_record *records;
	struct error error = file_iterator_read(&records, count);

	if (failed(error)) {
		print_message("skipped: %s\n", error.reason);
		skip();
	}
	return records;
}

/* A pipe, a FIFO with a name, a socket, a pipe's end by O_PATH, an eventfd, a file; and a device.
 */
static void open_all_kinds(int *fds, const void *argument)
{
	const char *fifo = argument;
	char path[32];
	int pair[2];

	if (pipe(fds) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	fds[2] = open(fifo, O_RDWR);
	fds[3] = pair[0];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	fds[4] = open(path, O_PATH);
	fds[5] = eventfd(0, 0);
	fds[6] = open("/proc/self/exe", O_RDONLY);
	fds[7] = open("/dev/null", O_RDWR);
}

static void files_that_may_matter_to_others(void **state)
{
	char directory[] = "/tmp/whystuck-files-XXXXXX", fifo[64];
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	assert_return_code(mkfifo(fifo, 0600), errno);
	struct target target cleanup_target = target_start("opener", open_all_kinds, fifo);
	struct file_record *records = records_or_skip(&count);
	static const __u32 access[] = {FILE_RECORD_READS, FILE_RECORD_WRITES,
		FILE_RECORD_READS | FILE_RECORD_WRITES, FILE_RECORD_READS | FILE_RECORD_WRITES, 0,
		FILE_RECORD_READS | FILE_RECORD_WRITES, FILE_RECORD_READS};

	for (size_t i = 0; i < array_length(access); i++) {
		const struct file_record *record = find(records, count, &target, target.fds[i]);
		struct stat status;
		char path[64];

		assert_non_null(record);
		assert_int_equal(record->access, access[i]);
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", target.pid, target.fds[i]);
		assert_return_code(stat(path, &status), errno);
		assert_int_equal(record->inode, status.st_ino);
		if (record->device) /* else stat() has to be asked */
			assert_int_equal(makedev(record->device >> 20, record->device & 0xfffff),
				status.st_dev);
		assert_true(record->device || i == 2 || i == 6);
	}
	assert_null(find(records, count, &target, target.fds[7]));
	free(records);
	unlink(fifo);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_may_matter_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return 0;
}
#endif
